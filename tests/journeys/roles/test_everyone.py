"""Getting in, and being reached: the same for everybody of the staff."""

from playwright.sync_api import expect

from cloud.language.words import words_of
from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre, Walk
from tests.fix_console import PASSWORD


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_somebody_signs_in_after_a_mistake(centre: Centre, language: str, screen: tuple[int, int]) -> None:
    with centre.stranger(language, screen) as nora:
        nora.page.goto(centre.address(f"/login?language={language}"))
        nora.receives()
        nora.picture("sign-in")
        nora.page.fill("#login", "nora")
        nora.page.fill("#password", "not hers")
        nora.page.keyboard.press("Enter")
        expect(nora.page.get_by_role("alert")).to_have_text(nora.said("This login and password do not fit together."))
        nora.page.fill("#login", "nora")
        nora.page.fill("#password", PASSWORD)
        nora.page.keyboard.press("Enter")
        expect(nora.page.locator("h1")).to_have_text(words_of(language).gettext("Worklist"))
        nora.receives()
        nora.page.locator(".bar__me").click()
        expect(nora.page.locator("h1")).to_have_text(nora.said("How I am reached"))
        nora.picture("reached")
        nora.go("/me/settings")
        nora.picture("shown")
        nora.by("button", "Show it so").click()
        expect(nora.page.get_by_text(nora.said("It is shown so from now on."))).to_be_visible()
        nora.go("/me/reached")
        nora.by("link", "How I sign in").click()
        expect(nora.page.locator("h1")).to_have_text(nora.said("How I sign in"))
        nora.fits()
        nora.by("link", "Set up a second factor").click()
        expect(nora.page.locator("svg.qr")).to_be_visible()
        nora.picture("second-factor")
        leave(nora)


def leave(walk: Walk) -> None:
    """Sign out; the sign-in page is in the same language."""
    walk.by("button", "Sign out").click()
    expect(walk.page.locator("h1")).to_have_text(walk.said("Sign in"))
