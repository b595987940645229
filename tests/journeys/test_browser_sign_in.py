"""Getting in, at a browser: invitation, second factor, recovery code, in three languages and on both screens."""

import base64
import re

import pytest
from playwright.sync_api import Page, expect

from cloud.auth import totp
from cloud.language.words import words_of
from tests.fix_browser import ON_BOTH_SCREENS
from tests.fix_console import PASSWORD, Console
from tests.journeys.objecting import nothing_sticks_out, objections
from tests.journeys.steps import sign_out
from tests.journeys.test_browser_languages import assert_no_english

CHOSEN = "seven geese over the harbour"


def sign_in(page: Page, console: Console, login: str) -> None:
    page.goto(f"{console.url}/login")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("/login$"))


def set_up(page: Page, console: Console) -> tuple[bytes, list[str]]:
    """From the page of the second factor to the recovery codes."""
    secret = base64.b32decode(page.locator("#secret").inner_text().replace(" ", ""))
    expect(page.locator("svg.qr")).to_be_visible()
    page.wait_for_load_state()
    if page.locator("#password").count():
        page.fill("#password", PASSWORD)
    page.fill("#code", totp.code(secret, console.clock.time))
    page.keyboard.press("Enter")
    expect(page.locator(".recovery li")).to_have_count(10)
    return secret, page.locator(".recovery code").all_inner_texts()


@ON_BOTH_SCREENS
def test_a_nurse_sets_up_a_second_factor_and_signs_in_with_it(console: Console, page: Page) -> None:
    sign_in(page, console, "nora")
    page.locator(".bar__me").click()
    page.get_by_role("link", name="How I sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How I sign in")
    assert nothing_sticks_out(page)
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.locator("#secret")).to_be_visible()
    assert nothing_sticks_out(page)
    secret, codes = set_up(page, console)
    assert nothing_sticks_out(page)
    assert objections(page) == []
    page.get_by_role("link", name="I have them: go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
    sign_out(page)
    console.clock.forward(seconds=totp.STEP_S)

    sign_in(page, console, "nora")
    expect(page.locator("#code")).to_be_focused()
    assert nothing_sticks_out(page)
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    assert objections(page) == []
    page.fill("#code", totp.code(secret, console.clock.time))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
    sign_out(page)

    sign_in(page, console, "nora")
    page.fill("#code", codes[3])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")


@ON_BOTH_SCREENS
def test_an_administrator_invites_a_nurse_who_needs_a_second_factor(console: Console, page: Page) -> None:
    sign_in(page, console, "adam")
    page.goto(f"{console.url}/accounts")
    assert nothing_sticks_out(page)
    page.get_by_role("checkbox", name="Nurse", exact=True).check()
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_role("checkbox", name="Nurse", exact=True)).to_be_checked()
    page.fill("#login", "nils")
    page.fill("#display-name", "Nils Nightingale")
    page.select_option("#language", "en")
    page.get_by_role("button", name="Add, and show the link").click()
    expect(page.locator("#link")).to_be_visible()
    assert nothing_sticks_out(page)
    link = page.locator("#link").inner_text()
    assert "nils" not in link
    sign_out(page)

    page.goto(link)
    assert nothing_sticks_out(page)
    assert objections(page) == []
    page.fill("#new-password", CHOSEN)
    page.fill("#again", CHOSEN)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your role needs a second factor.")).to_be_visible()
    set_up(page, console)
    page.get_by_role("link", name="I have them: go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("This link has been used")


@pytest.mark.parametrize("language", ["ru", "zh"])
@ON_BOTH_SCREENS
def test_the_pages_of_signing_in_are_in_the_readers_language(console: Console, page: Page, language: str) -> None:
    words = words_of(language)
    for login in ("nora", "adam"):
        console.ward.admin.execute("UPDATE account SET language = %s WHERE login = %s", (language, login))
    sign_in(page, console, "adam")
    page.goto(f"{console.url}/accounts")
    assert_no_english(page, language)
    assert nothing_sticks_out(page)
    page.locator(f"#account-{console.accounts['nora']}").get_by_role(
        "button", name=re.compile(f"^{words.gettext('New link')}")
    ).click()
    expect(page.locator("#link")).to_be_visible()
    assert_no_english(page, language)
    link = page.locator("#link").inner_text()
    page.goto(f"{console.url}/me/sign-in/second-factor")
    assert_no_english(page, language)
    assert nothing_sticks_out(page)
    set_up(page, console)
    assert_no_english(page, language)
    page.goto(f"{console.url}/me/sign-in")
    assert_no_english(page, language)
    assert nothing_sticks_out(page)
    page.get_by_role("button", name=words.gettext("Sign out")).click()
    expect(page.locator("#login")).to_be_visible()
    sign_in(page, console, "adam")
    expect(page.locator("#code")).to_be_visible()
    assert_no_english(page, language)
    page.goto(f"{link}?language={language}")
    assert_no_english(page, language)
