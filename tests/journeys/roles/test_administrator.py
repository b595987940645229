"""An administrator: accounts, and who needs a second factor."""

from playwright.sync_api import expect

from tests.fix_browser import DESKTOP
from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_an_administrator_adds_a_nurse_and_locks_her_out_again(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    login = f"nils-{language}-{'wide' if screen == DESKTOP else 'narrow'}"
    with centre.walk("adam", language, screen) as adam:
        page = adam.page
        adam.go("/accounts")
        adam.picture("accounts")
        page.fill("#login", login)
        page.fill("#display-name", "Nils Nightingale")
        adam.by("button", "Add, and show the link").click()
        expect(page.locator("#link")).to_contain_text("/invitation/")
        adam.fits()
        adam.by("link", "Back").click()
        row = page.locator("[id^=account-]", has_text=login)
        adam.by("button", "Disable", within=row).click()
        expect(adam.by("button", "Let in again", within=row)).to_be_visible()
        adam.go("/programmes")
        adam.fits()
        adam.go("/roster")
        adam.fits()
