"""A doctor between two visits: is there enough to act on, what has changed, and what is to hold from now on."""

from playwright.sync_api import expect

from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_doctor_reads_the_review_and_compares_both_sides_of_a_change(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    with centre.walk("ada", language, screen) as ada:
        page = ada.page
        ada.go("/patients")
        ada.follow(page.get_by_role("link", name="Asta Example"))
        expect(page.locator("#charts")).to_have_attribute("data-drawn", "2")
        ada.picture("patient")
        ada.by("link", "Review: enough data, averages, report").click()
        expect(page.locator(".verdict").first).to_be_in_viewport()
        ada.picture("review")
        page.locator("#changed_on").fill("2026-11-08")
        ada.by("button", "Compare", within=page.locator("form.entry")).click()
        expect(page.locator("#change table").first).to_be_visible()
        ada.picture("compare", of="#change")
        ada.is_unobjectionable()
        report = page.request.get(centre.address("/patients/{patient}/review/report.pdf"))
        assert report.headers["content-type"] == "application/pdf"


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_doctor_notes_a_change_of_treatment_and_sets_a_limit(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    centre.ward.admin.execute("DELETE FROM treatment_change WHERE what LIKE 'ramipril%'")
    with centre.walk("ada", language, screen) as ada:
        page = ada.page
        ada.go("/patients/{patient}/treatment")
        noted = page.locator("section[aria-labelledby=changes-heading] .pause")
        before = noted.count()
        ada.unfold("Note a change of treatment")
        page.locator("#change-what").fill("ramipril 5 mg → 10 mg")
        page.locator("#change-why").fill("…")
        ada.picture("treatment")
        ada.send(ada.by("button", "Note a change of treatment"))
        expect(noted).to_have_count(before + 1)
        ada.by("button", "Noted in error", within=noted.first).click()
        expect(noted.first.locator("s")).to_have_count(1)

        ada.go("/patients/{patient}/plan")
        ada.by("link", "Change", within=page.locator("[data-condition=hypertension_systolic]").first).click()
        page.locator("#limit-value").fill("145")
        page.locator("#limit-expires_on").fill("2026-12-31")
        page.locator("#limit-reason").fill("…")
        ada.picture("limit", of="#limit-form")
        ada.by("button", "Set this limit").click()
        expect(page.locator("tr.own")).to_contain_text("Ada Weiss")
        ada.show("tr.own")
        ada.picture("plan")
        ada.by("link", "Change", within=page.locator("tr.own")).click()
        page.locator("#withdraw-reason").fill("…")
        ada.send(ada.by("button", "Withdraw it: the programme’s limit holds again"))
        expect(page.locator("tr.own")).to_have_count(0)
