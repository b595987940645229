"""A doctor tries other limits at a real browser, and the jobs process does it."""

import os
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.cloud.jobs.test_worker import jobs
from tests.cloud.made import NOW, glucose, new_patient, sent
from tests.cloud.what_if.made import low_mornings, store_glucose
from tests.fix_browser import ON_BOTH_SCREENS
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out, objections
from tests.journeys.steps import sign_in

WITHIN_MS = 30_000


@ON_BOTH_SCREENS
def test_a_doctor_tries_lower_limits_and_sees_what_they_would_miss(console: Console, page: Page) -> None:
    admin = console.ward.admin
    low_mornings(admin, console.ward.patient_id)
    console.ward.receive(sent(glucose("50")))
    store_glucose(admin, console.ward.patient_id, NOW, 51)
    for n in range(12):
        patient_id = new_patient(admin, f"Patient {n}")
        admin.execute(
            "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, console.accounts["ada"])
        )
    sign_in(page, console, "ada")
    page.get_by_role("link", name="What if").click()
    expect(page.get_by_role("heading", name="What if", exact=True)).to_be_visible()
    assert nothing_sticks_out(page)
    page.get_by_label("Limit 1", exact=True).select_option("hypoglycaemia_level_1 mg/dL")
    page.locator("#value_0").fill("low")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#refused")).to_contain_text("Give a number")
    assert objections(page) == []
    page.locator("#value_0").fill("48")
    page.get_by_label("Limit 2", exact=True).select_option("hypoglycaemia_level_2 mg/dL")
    page.locator("#value_1").fill("48")
    page.get_by_label("Over").select_option("28")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#result")).to_have_attribute("data-state", "waiting")
    with jobs(console.ward):
        # By itself: nobody reloads.
        expect(page.locator("#result")).to_have_attribute("data-state", "done", timeout=WITHIN_MS)
    expect(page.get_by_text("13 of 13 patients")).to_be_visible()
    expect(page.locator("#missed")).to_have_text("1")
    expect(page.locator('[data-line="cases"]')).to_contain_text("n = ")
    assert nothing_sticks_out(page)
    assert objections(page) == []
    _look(page, "what_if_result")
    page.get_by_role("link", name="21 Nov 2026").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Very low glucose")
    page.go_back()
    page.get_by_role("link", name="← What if").click()
    expect(page.locator("[data-run-id]")).to_contain_text("Done")
    assert nothing_sticks_out(page)
    _look(page, "what_if")


def _look(page: Page, name: str) -> None:
    folder = os.environ.get("LOOK")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}_{page.viewport_size['width']}.png", full_page=True)  # type: ignore[index]
