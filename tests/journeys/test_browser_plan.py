"""A doctor and a nurse at a browser: a patient's plan and the programmes, by keyboard, on a screen and on a phone."""

from playwright.sync_api import Page, expect

from tests.cloud.made import expect as measures
from tests.fix_browser import ON_BOTH_SCREENS
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out
from tests.journeys.steps import sign_in


def plan_of(console: Console) -> str:
    return f"{console.url}/patients/{console.ward.patient_id}/plan"


@ON_BOTH_SCREENS
def test_a_doctor_sets_a_limit_is_told_what_is_wrong_and_withdraws_it(console: Console, page: Page) -> None:
    sign_in(page, console, "ada")
    page.goto(f"{console.url}/patients/{console.ward.patient_id}")
    page.get_by_role("link", name="Plan: limits, schedule, pauses").click()
    row = page.locator("[data-condition=hypertension_systolic]").first
    row.get_by_role("link", name="Change").click()

    page.get_by_label("Limit: above").fill("1450")
    page.get_by_label("Last day; empty: no end").fill("2026-12-31")
    page.get_by_label("Why this limit for this patient").fill("frail, has fallen")
    page.keyboard.press("Enter")
    value = page.get_by_label("Limit: above")
    expect(value).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#refused")).to_contain_text("must lie between 50 and 280 mmHg")
    expect(page.get_by_label("Why this limit for this patient")).to_have_value("frail, has fallen")
    assert nothing_sticks_out(page)
    value.fill("145")
    page.keyboard.press("Enter")

    own = page.locator("tr.own")
    expect(own).to_contain_text("145 mmHg")
    expect(own).to_contain_text("Ada Weiss, since 21 Nov 2026")
    expect(own).to_contain_text("frail, has fallen")
    assert nothing_sticks_out(page)
    own.get_by_role("link", name="Change").click()
    page.get_by_label("Why it is withdrawn").fill("stable for months")
    page.keyboard.press("Enter")
    expect(page.locator("tr.own")).to_have_count(0)
    expect(page.locator("[data-standing=withdrawal]")).to_contain_text("stable for months")


@ON_BOTH_SCREENS
def test_a_nurse_keeps_the_schedule_and_the_pauses_by_keyboard(console: Console, page: Page) -> None:
    measures(console.ward.admin, console.ward.patient_id)
    sign_in(page, console, "nora")
    page.goto(plan_of(console))
    expect(page.get_by_role("link", name="Change")).to_have_count(0)

    page.get_by_text("Add a time").focus()
    page.keyboard.press("Enter")
    page.get_by_label("At", exact=True).fill("07:30")
    for day in ("Sat", "Sun"):
        page.get_by_label(day).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Add this time").focus()
    page.keyboard.press("Enter")
    added = page.locator(".slots tr", has_text="07:30")
    expect(added).to_contain_text("Mon, Tue, Wed, Thu, Fri")
    assert nothing_sticks_out(page)

    page.get_by_text("Add a pause").click()
    page.get_by_label("Why: in hospital, on holiday").fill("in hospital")
    page.keyboard.press("Enter")
    expect(page.locator(".pause")).to_contain_text("in hospital")
    page.locator(".slots tr", has_text="13:00").get_by_role("button", name="End").click()
    expect(page.locator(".slots tbody tr")).to_have_count(1)
    assert nothing_sticks_out(page)


@ON_BOTH_SCREENS
def test_a_doctor_changes_a_programmes_promises(console: Console, page: Page) -> None:
    sign_in(page, console, "ada")
    page.goto(f"{console.url}/programmes")
    page.locator("#programme-standard").get_by_text("Change its promises").click()
    urgent = page.get_by_role("form", name="Urgent: Standard")
    urgent.get_by_label("Acknowledged within").fill("soon")
    page.keyboard.press("Enter")
    expect(page.get_by_role("form", name="Urgent: Standard").locator(".refusal")).to_contain_text("Write it as 15 min")
    page.get_by_role("form", name="Urgent: Standard").get_by_label("Acknowledged within").fill("7 min")
    page.keyboard.press("Enter")
    expect(page.locator("#programme-standard .terms tr", has_text="Urgent")).to_contain_text("7 min")
    assert nothing_sticks_out(page)
