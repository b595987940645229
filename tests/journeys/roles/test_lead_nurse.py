"""A lead nurse: who is on duty, what the programmes promise, what they ask of people, what other limits would; the
figures of the centre, and what a month supports.
"""

from uuid import UUID

from playwright.sync_api import expect

from tests.cloud.crm.figures.made import a_months_work
from tests.fix_centre import AT_A_DESK, IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_lead_nurse_plans_shifts_and_sees_the_holes(centre: Centre, language: str, screen: tuple[int, int]) -> None:
    for table in ("duty_absence", "duty_shift"):
        centre.ward.admin.execute(f"DELETE FROM {table}")  # noqa: S608 -- of the line above
    with centre.walk("lena", language, screen) as lena:
        page = lena.page
        lena.go("/roster")
        page.locator("#site-time_zone").fill("Europe/Copenhagen")
        lena.send(lena.by("button", "Save"))
        expect(page.locator("#site-time_zone")).to_have_value("Europe/Copenhagen")
        lena.unfold("Add a shift")
        page.locator("#shift-account_id").select_option(str(centre.console.accounts["nora"]))
        page.locator("#shift-starts").fill("08:00")
        page.locator("#shift-ends").fill("20:00")
        for day in range(7):
            page.locator(f"#shifts input[name=weekday_{day}]").check()
        lena.by("button", "Add the shift").click()
        expect(page.locator("tr[data-shift-id]")).to_have_count(1)
        expect(page.locator(".hole").first).to_be_attached()
        lena.unfold("Somebody is away, or two swap")
        page.locator("#absence-account_id").select_option(str(centre.console.accounts["nora"]))
        page.locator("#absence-cover").select_option(str(centre.console.accounts["ben"]))
        page.locator("#absence-starts").fill("2026-11-24T00:00")
        page.locator("#absence-ends").fill("2026-11-26T00:00")
        lena.send(lena.by("button", "Add", within=page.locator("#absences")))
        expect(page.locator("#absences")).to_contain_text("Ben Ortega")
        lena.go("/roster")
        lena.picture("roster")


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_lead_nurse_reads_a_programmes_promises_and_tries_another_limit(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    with centre.walk("lena", language, screen) as lena:
        page = lena.page
        lena.go("/programmes")
        lena.unfold("Change its promises")
        lena.picture("programmes")
        lena.go("/what-if")
        page.locator("#limit_0").select_option("hypoglycaemia_level_1 mg/dL")
        page.locator("#value_0").fill("65")
        lena.picture("what-if")
        lena.by("button", "Try it").click()
        expect(page.locator("#result")).to_have_attribute("data-state", "waiting")
        lena.fits()
        lena.send(lena.by("button", "Cancel"))
        expect(page.locator("#result")).not_to_have_attribute("data-state", "waiting")
        lena.go("/what-if")
        expect(page.locator("[data-run-id]").first).to_be_visible()


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_lead_nurse_reads_the_figures_and_a_months_evidence_and_writes_her_minutes(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    ward = centre.ward
    if not ward.count("figures_month"):
        a_months_work(ward, UUID(centre.ids["boris"]), centre.console.accounts["nora"])
    ward.admin.execute("DELETE FROM care_minutes WHERE account_id = %s", (centre.console.accounts["lena"],))
    with centre.walk("lena", language, screen) as lena:
        page = lena.page
        lena.go("/figures")
        lena.labelled("From month, as 2026-10").fill("2026-10")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("2026-10 – 2026-11")
        lena.picture("figures")
        lena.go("/billing?month=2026-11")
        lena.fits()
        page.get_by_role("link", name="Asta Example").first.focus()
        page.keyboard.press("Enter")
        page.locator("#minutes-starts_at").fill("2026-11-20T10:00")
        page.locator("#minutes-minutes").fill("12")
        page.locator("#minutes-interactive").check()
        page.keyboard.press("Enter")
        expect(page.locator("#minutes article").first).to_contain_text("Lena Lund")
        page.locator("#days summary").first.click()
        page.evaluate("scrollTo(0, 0)")
        lena.picture("billing")
        lena.is_unobjectionable()
        page.emulate_media(media="print")
        expect(lena.by("button", "Write my minutes")).to_be_hidden()
        expect(page.locator("#lines-heading")).to_be_visible()
