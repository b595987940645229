"""A coordinator: the emergency card, and the patient's way in."""

from playwright.sync_api import expect

from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_coordinator_keeps_the_card_and_invites_the_patient(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    with centre.walk("carl", language, screen) as carl:
        page = carl.page
        carl.go("/patients/{patient}/card")
        page.locator("[name=door_notes]").fill("code 4321")
        carl.picture("card")
        carl.by("button", "Save the card").click()
        expect(page.locator("[name=door_notes]")).to_have_value("code 4321")
        carl.go("/patients/{patient}/invitation")
        carl.fits()
        carl.by("button", "Make a link for the patient").click()
        expect(page.locator("#link")).to_contain_text("/invitation/")
        carl.picture("invitation")
        link = page.locator("#link").inner_text()
    with centre.stranger(language, screen) as asta:
        asta.page.goto(link)
        expect(asta.page.locator("#new-password")).to_be_visible()
        asta.picture("new-password")
