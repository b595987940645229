"""A patient of 74: what is due, whether it arrived, a word to the nurse, the consent, and who looked."""

from playwright.sync_api import expect

from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_patient_sees_what_is_due_what_arrived_and_who_looked(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    with centre.walk("nora", language, screen) as nora:
        nora.go("/patients/{patient}")
    with centre.walk("asta", language, screen) as asta:
        page = asta.page
        asta.go("/me")
        expect(page.locator("#today li").first).to_be_visible()
        expect(page.locator("#measured [data-reading-id]").first).to_be_visible()
        asta.picture("my-page")
        asta.follow(asta.by("link", "All my readings and charts"))
        expect(page.locator("#charts")).to_have_attribute("data-drawn", "2")
        asta.picture("my-readings")
        asta.go("/me")
        asta.by("link", "My plan").click()
        expect(page.locator("#when-heading")).to_be_visible()
        asta.fits()
        asta.go("/me")
        asta.by("link", "Who looked at my data").click()
        expect(page.locator("main")).to_contain_text("Nora Quist")
        asta.picture("who-looked")


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_patient_writes_to_the_nurse_who_answers_and_reads_the_consent(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    with centre.walk("asta", language, screen) as asta:
        asta.go("/me/messages")
        asta.page.fill("#body", "…")
        asta.send(asta.by("button", "Send"))
        expect(asta.page.locator(".letter--mine", has_text=asta.said("not opened yet"))).to_have_count(1)
        asta.picture("my-messages")
    with centre.walk("nora", language, screen) as nora:
        nora.go("/messages")
        nora.follow(nora.page.get_by_role("link", name="Asta Example"))
        nora.page.fill("#body", "…")
        nora.picture("messages")
        nora.send(nora.by("button", "Send the answer"))
        expect(nora.page.locator(".letter--waits")).to_have_count(0)
        nora.go("/messages")
        expect(nora.page.get_by_text(nora.said("No patient of yours waits for an answer."))).to_be_visible()
    with centre.walk("asta", language, screen) as asta:
        page = asta.page
        asta.go("/me/messages")
        expect(page.locator(".letter:not(.letter--mine)").first).to_contain_text("Nora Quist")
        asta.go("/me/consent")
        asta.picture("my-consent")
        asta.unfold("I no longer want to be watched")
        expect(asta.by("button", "Take my consent back now")).to_be_visible()
        asta.fits()
        page.locator(".bar__me").click()
        expect(page.locator("h1")).to_have_text(asta.said("How I sign in"))
        asta.fits()
