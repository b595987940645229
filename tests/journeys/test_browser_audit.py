"""An auditor looks up who looked, and a patient reads it: by keyboard, on a screen and on a phone."""

from playwright.sync_api import Page, expect

from tests.cloud.made import glucose, sent
from tests.cloud.oversight.made import with_auditor
from tests.fix_browser import ON_BOTH_SCREENS
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out
from tests.journeys.steps import sign_in


@ON_BOTH_SCREENS
def test_an_auditor_finds_who_looked_at_a_patient(console: Console, page: Page, password_hash: str) -> None:
    with_auditor(console, password_hash)
    ada, nora = console.sign_in("ada"), console.sign_in("nora")
    ada.get(f"/patients/{console.ward.patient_id}")
    nora.get(f"/patients/{console.ward.patient_id}/plan")
    sign_in(page, console, "vera")
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    assert nothing_sticks_out(page)

    page.get_by_label("Patient’s id").fill("asta")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Patient’s id")).to_have_attribute("aria-invalid", "true")
    assert nothing_sticks_out(page)
    page.get_by_label("Patient’s id").fill(str(console.ward.patient_id))
    page.get_by_label("What").select_option(label="whatever was looked at")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").first).to_contain_text("Plan looked at")
    assert nothing_sticks_out(page)
    with page.expect_download() as exported:
        page.get_by_role("link", name="Export these rows (CSV)").click()
    assert exported.value.suggested_filename == "pulsepost-audit-20261121T120000Z.csv"


@ON_BOTH_SCREENS
def test_a_patient_reads_who_looked_at_their_data(console: Console, page: Page) -> None:
    console.ward.receive(sent(glucose("100")))
    console.sign_in("ada").get(f"/patients/{console.ward.patient_id}")
    sign_in(page, console, "asta")
    page.get_by_role("link", name="Who looked at my data").click()
    expect(page.locator(".mine li")).to_have_count(1)
    expect(page.locator(".mine li")).to_contain_text("Patient page opened")
    expect(page.locator(".mine li")).to_contain_text("Ada Weiss, Doctor")
    assert nothing_sticks_out(page)
    page.get_by_role("button", name="Русский").click()
    expect(page.locator(".mine li")).to_contain_text("Открыта страница пациента")
    assert nothing_sticks_out(page)
