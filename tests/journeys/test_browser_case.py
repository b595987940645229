"""A nurse with one case at a real browser, by keyboard: takes it, asks, closes it, and is told when it changes."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from alerting.tiers import Tier
from cloud import clock
from tests.cloud.made import Ward
from tests.cloud.worklist.made import planted_case
from tests.fix_browser import ON_BOTH_SCREENS
from tests.journeys.objecting import nothing_sticks_out
from tests.journeys.steps import is_live, sign_in
from tests.journeys.test_browser_worklist import ConsoleProcess, operated

__all__ = ["operated"]  # a fixture


@pytest.fixture
def case_id(ward: Ward) -> UUID:
    """A routine case, seven minutes old."""
    return planted_case(ward, Tier.ROUTINE, clock.now() - timedelta(minutes=7))


@ON_BOTH_SCREENS
def test_a_routine_case_is_closed_with_three_actions_by_keyboard(
    operated: ConsoleProcess, ward: Ward, people: dict[str, UUID], page: Page, case_id: UUID
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    row = page.locator(f"#case-{case_id}")
    tab_to(page, "button.button--main")
    page.keyboard.press("Enter")  # one
    expect(row).to_have_attribute("data-state", "acknowledged")
    tab_to(page, "select")
    page.keyboard.type("Advice")  # two
    tab_to(page, "button")
    assert nothing_sticks_out(page)
    page.keyboard.press("Enter")  # three
    expect(row).to_have_count(0)
    assert ward.rows("SELECT state, disposition FROM alert_case") == [("resolved", "advice_given")]


@ON_BOTH_SCREENS
def test_symptoms_are_asked_for_and_the_case_closed_on_its_own_page(
    operated: ConsoleProcess, ward: Ward, people: dict[str, UUID], page: Page, case_id: UUID
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    page.get_by_role("link", name="open the case").click()
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    tab_to(page, "#red-flags summary")
    page.keyboard.press("Enter")
    tab_to(page, "input[value=chest_pain]")
    page.keyboard.press("Space")
    tab_to(page, "button[value=some]")
    page.keyboard.press("Enter")
    stand = page.locator(".stand")
    expect(stand).to_contain_text("Emergency")
    expect(stand).to_contain_text("with chest pain")
    page.get_by_role("button", name="Acknowledge").click()
    note = page.locator("#note")
    page.get_by_label("What became of it").select_option("emergency_service_called")
    expect(note).to_have_js_property("required", True)
    note.fill("ambulance called")
    assert nothing_sticks_out(page)
    page.locator("#resolve button").click()
    expect(stand).to_contain_text("Emergency service called · ambulance called")
    expect(page.locator(".acts")).to_have_count(0)
    happened = page.locator("section[aria-labelledby=history-heading] li")
    expect(happened).to_have_count(4)
    expect(happened.first).to_contain_text("Resolved · Nora Quist")
    assert nothing_sticks_out(page)


def test_a_case_that_changes_elsewhere_is_shown_anew_and_what_was_typed_is_kept(
    operated: ConsoleProcess, ward: Ward, people: dict[str, UUID], page: Page, case_id: UUID
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    page.goto(f"{operated.url}/cases/{case_id}")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    elsewhere = page.context.new_page()
    elsewhere.goto(f"{operated.url}/cases/{case_id}")
    elsewhere.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#case")).to_have_attribute("data-state", "acknowledged")
    page.locator("#note").fill("she measures again")
    elsewhere.get_by_role("button", name="Start").click()
    expect(page.locator("#changed")).to_be_visible()
    expect(page.locator("#note")).to_have_value("she measures again")


def test_an_answer_that_was_under_way_does_not_come_after_a_newer_one(
    operated: ConsoleProcess, page: Page, case_id: UUID
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    elsewhere = page.context.new_page()
    elsewhere.goto(f"{operated.url}/cases/{case_id}")
    page.goto(f"{operated.url}/cases/{case_id}")
    is_live(page)
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route(f"**/cases/{case_id}", hold_the_first)
    with page.expect_request(f"**/cases/{case_id}"):
        elsewhere.get_by_role("button", name="Acknowledge").click()
    expect(elsewhere.locator("#case")).to_have_attribute("data-state", "acknowledged")
    page.evaluate("() => { window.told = new Promise((told) => document.body.addEventListener('live:case', told)) }")
    elsewhere.get_by_role("button", name="Start").click()
    page.evaluate("() => window.told.then(() => true)")
    [(route, answer)] = held
    route.fulfill(response=answer)
    page.wait_for_function(
        "id => performance.getEntriesByType('resource').filter(one => one.name.endsWith(id)).length === 2",
        arg=str(case_id),
    )
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    expect(page.locator("#case")).to_have_attribute("data-state", "in_progress")


def test_what_was_written_into_a_form_that_was_refused_is_still_there(
    operated: ConsoleProcess, ward: Ward, people: dict[str, UUID], page: Page, case_id: UUID
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    page.goto(f"{operated.url}/cases/{case_id}")
    page.get_by_role("button", name="Acknowledge").click()
    page.locator("#note").fill("she was told to rest")
    ward.admin.execute("UPDATE alert_case SET owner = %s", (people["ben"],))
    page.get_by_label("What became of it").select_option("advice_given")
    page.locator("#resolve button").click()
    expect(page.locator("#notice")).to_be_focused()
    expect(page.locator("#notice")).to_contain_text("Ben Ortega has it")


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until what this selects has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches('main ' + selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")
