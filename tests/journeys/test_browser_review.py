"""A doctor at a browser between two visits: what decides is in view, both sides of a change, and nothing sticks out."""

from playwright.sync_api import Page, expect

from tests.cloud.review.made import glucose_weeks, pressure_weeks
from tests.fix_browser import DESKTOP, ON_BOTH_SCREENS
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out, objections
from tests.journeys.steps import sign_in


@ON_BOTH_SCREENS
def test_a_doctor_sees_what_decides_and_compares_both_sides_of_a_change(console: Console, page: Page) -> None:
    pressure_weeks(console.ward, 60)
    glucose_weeks(console.ward, 40)
    sign_in(page, console, "ada")
    page.goto(f"{console.url}/patients/{console.ward.patient_id}")
    page.get_by_role("link", name="Review: enough data, averages, report").click()

    expect(page.get_by_role("heading", name="Is there enough data to act?")).to_be_in_viewport()
    average = page.locator(".review__lines > div", has_text="Home average (722)")
    expect(average).to_contain_text("139.0/88.1 mmHg, above target")
    screen = page.viewport_size
    assert screen is not None
    if (screen["width"], screen["height"]) == DESKTOP:
        for line in page.locator(".review__lines > div").all():
            expect(line).to_be_in_viewport(ratio=1)
    assert nothing_sticks_out(page)
    expect(page.locator("svg[role=img]")).to_have_count(4)
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
    assert objections(page) == []
    assert nothing_sticks_out(page)
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = false })")

    table = page.locator("figure").first.get_by_text("The same as a table")
    table.focus()
    page.keyboard.press("Enter")
    expect(page.locator("figure").first.get_by_role("table")).to_contain_text("21 Nov 2026")

    page.get_by_label("Changed on").fill("2026-11-08")
    page.get_by_role("button", name="Compare").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#change table").first).to_contain_text("8 Nov 2026 to 21 Nov 2026")
    assert nothing_sticks_out(page)
    page.get_by_label("Changed on").fill("2026-11-30")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_label("Changed on")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#change")).to_contain_text("This lies in the future.")


def test_what_is_printed_has_the_charts_and_no_buttons(console: Console, page: Page) -> None:
    pressure_weeks(console.ward, 60)
    sign_in(page, console, "ada")
    page.goto(f"{console.url}/patients/{console.ward.patient_id}/review")
    page.emulate_media(media="print")
    expect(page.locator("svg[role=img]").first).to_be_visible()
    expect(page.get_by_role("button", name="Compare")).to_be_hidden()
    expect(page.get_by_role("link", name="Report, one page (PDF)")).to_be_hidden()
