"""An auditor: who did what, and who looked at what."""

from playwright.sync_api import expect

from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_an_auditor_finds_what_a_nurse_did(centre: Centre, language: str, screen: tuple[int, int]) -> None:
    with centre.walk("nora", language, screen) as nora:
        nora.go("/patients/{patient}")
    with centre.walk("otto", language, screen) as otto:
        page = otto.page
        otto.go("/audit")
        page.locator("main form select, main form input").first.wait_for()
        otto.picture("audit")
        otto.by("button", "Find").click()
        expect(page.locator("main tbody tr").first).to_contain_text(otto.said("row"))
        expect(page.locator("main")).to_contain_text("Nora Quist")
        file = page.request.get(centre.address("/audit.csv"))
        assert file.headers["content-type"].startswith("text/csv")
        otto.fits()
