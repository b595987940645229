"""A patient of 74: the own readings, whether they arrived, and who looked at them."""

from playwright.sync_api import expect

from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_patient_sees_own_readings_and_who_looked(centre: Centre, language: str, screen: tuple[int, int]) -> None:
    with centre.walk("nora", language, screen) as nora:
        nora.go("/patients/{patient}")
    with centre.walk("asta", language, screen) as asta:
        page = asta.page
        asta.go("/me")
        expect(page.locator("[data-reading-id]").first).to_be_visible()
        asta.picture("my-readings")
        asta.by("link", "Who looked at my data").click()
        expect(page.locator("main")).to_contain_text("Nora Quist")
        asta.picture("who-looked")
        page.locator(".bar__me").click()
        expect(page.locator("h1")).to_have_text(asta.said("How I sign in"))
        asta.fits()
