"""What every walk at a browser begins with."""

from typing import Protocol

from playwright.sync_api import Page, expect

from tests.fix_console import PASSWORD


class Served(Protocol):
    """A console somewhere."""

    @property
    def url(self) -> str: ...


def sign_in(page: Page, console: Served, login: str) -> None:
    """By keyboard, until the first page is there with its styles and scripts."""
    page.goto(f"{console.url}/login")
    expect(page.locator("#login")).to_be_focused()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.wait_for_load_state()


def sign_out(page: Page) -> None:
    """Until the sign-in page is there: to go elsewhere sooner would take the form back before it is answered."""
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#login")).to_be_visible()


def is_live(page: Page) -> None:
    """The stream of the open page has begun."""
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
