"""One case on one screen: everything that a nurse needs around it, in the same order on a phone, and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from alerting.tiers import Tier
from tests.cloud.contacts.test_card import CARD, PERSON
from tests.cloud.made import NOW, pressure, sent
from tests.cloud.treatment.test_routes import CHANGE, DRUG
from tests.cloud.worklist.made import planted_case
from tests.fix_browser import DESKTOP, ON_BOTH_SCREENS
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out
from tests.journeys.steps import is_live, sign_in

PLACES = (
    "#stand-heading",
    "#chart-heading",
    "#contacts-heading",
    "#treatment-heading",
    "#card",
    "#red-flags",
    "#triage",
    "#calls",
)


@pytest.fixture
def case_url(console: Console) -> str:
    """An urgent case of a patient of whom everything is written down."""
    ada, patient = console.sign_in("ada"), f"/patients/{console.ward.patient_id}"
    ada.post(f"{patient}/card", CARD)
    ada.post(f"{patient}/card/contacts", PERSON)
    ada.post(f"{patient}/treatment/medication", DRUG)
    ada.post(f"{patient}/treatment/changes", CHANGE)
    for days in range(1, 12):
        console.ward.receive(sent(pressure(str(110 + 2 * days), "78", at=NOW.replace(day=21 - days))))
    return f"{console.url}/cases/{planted_case(console.ward, Tier.URGENT)}"


def tops(page: Page) -> list[float]:
    """Where the parts of the page begin."""
    boxes = [page.locator(place).bounding_box() for place in PLACES]
    return [box["y"] for box in boxes if box is not None]


@ON_BOTH_SCREENS
def test_all_that_belongs_to_a_case_is_on_one_screen_and_on_the_phone_in_the_same_order(
    console: Console, page: Page, case_url: str
) -> None:
    sign_in(page, console, "nora")
    page.goto(case_url)
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "1")
    expect(page.locator("#charts")).to_have_attribute("data-changes", "1")
    expect(page.locator("#card")).to_contain_text("+45 20 12 34 56")
    expect(page.locator("#card")).to_contain_text("code 1234")
    expect(page.get_by_text("A proposal, not signed by a clinician.")).to_have_count(1)
    assert nothing_sticks_out(page)
    places = tops(page)
    assert len(places) == len(PLACES)
    size = page.viewport_size
    if size is not None and size["width"] == DESKTOP[0]:
        assert max(places) < DESKTOP[1]
    else:
        assert places == sorted(places)


def test_a_call_is_logged_and_the_script_walked_without_the_mouse(console: Console, page: Page, case_url: str) -> None:
    sign_in(page, console, "nora")
    page.goto(case_url)
    is_live(page)
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_contain_text("Ask the patient about symptoms")
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#case")).to_have_attribute("data-state", "acknowledged")
    is_live(page)
    page.keyboard.press("c")
    expect(page.locator("#calls summary")).to_be_focused()
    page.locator("#calls").get_by_role("button", name="Asta Example").press("Enter")
    expect(page.locator("#call-note")).to_be_visible()
    is_live(page)
    page.get_by_label("reached", exact=True).press("Space")
    note = page.locator("#call-note")
    note.press_sequentially("she c?lls back")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.get_by_role("button", name="Call ended").press("Enter")
    expect(page.locator("section", has=page.locator("#contacts-heading"))).to_contain_text("she c?lls back")
    expect(page.locator(".stand")).not_to_contain_text("not yet")
    is_live(page)
    page.keyboard.press("t")
    expect(page.locator("#triage summary")).to_be_focused()
    page.locator("#triage").get_by_role("button", name="Any of these").press("Enter")
    expect(page.get_by_role("button", name="Resolve: Emergency service called")).to_be_visible()
    is_live(page)
    page.locator("#triage").get_by_role("button", name="Resolve: Emergency service called").press("Enter")
    expect(page.locator("#case")).to_have_attribute("data-state", "resolved")
    assert console.ward.rows("SELECT disposition, resolved_why FROM alert_case") == [
        ("emergency_service_called",
         "Chest pain, breathlessness, weakness, change of vision or speech? Any of these"),
    ]  # fmt: skip


def test_a_key_that_comes_right_behind_the_closed_list_of_keys_is_not_lost(
    console: Console, page: Page, case_url: str
) -> None:
    sign_in(page, console, "nora")
    page.goto(case_url)
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    # In one breath: until the next frame the focus still lies in the list that is closed.
    page.evaluate("""() => {
        document.getElementById("shortcuts").close();
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
    }""")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_focused()


@pytest.mark.parametrize(
    ("acknowledged", "place"),
    [
        (False, "[data-key=a]"), (True, "[data-key=h]"), (True, "#triage button >> nth=1"), (True, "#note"),
        (True, "#case a >> nth=0"),
    ],
)  # fmt: skip
def test_what_somebody_is_about_to_press_stays_under_their_hand_when_the_case_is_shown_anew(
    console: Console, page: Page, case_url: str, acknowledged: bool, place: str
) -> None:
    sign_in(page, console, "nora")
    page.goto(case_url)
    is_live(page)
    if acknowledged:
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        expect(page.locator("#case")).to_have_attribute("data-state", "acknowledged")
        is_live(page)
    page.locator("#triage summary").click()
    page.locator(place).focus()
    joined(console)
    expect(page.locator("#case")).to_have_attribute("data-changed", re.compile("12:00:01"))
    expect(page.locator(place)).to_be_focused()


def test_nobody_finds_the_answer_to_another_question_under_their_hand(
    console: Console, page: Page, case_url: str
) -> None:
    sign_in(page, console, "nora")
    page.goto(case_url)
    is_live(page)
    page.locator("#triage summary").click()
    answer = page.locator("#triage button >> nth=1")
    answer.focus()
    # As if this page still asked what somebody else has answered meanwhile: the same words, another question.
    answer.evaluate("button => { button.form.elements.question.value = 'asked before'; }")
    joined(console)
    expect(page.locator("#case")).to_have_attribute("data-changed", re.compile("12:00:01"))
    expect(page.locator("#main")).to_be_focused()


def joined(console: Console) -> None:
    """A second later something joins the case, and it is told."""
    console.ward.admin.execute("UPDATE alert_case SET changed_at = changed_at + interval '1 second'")
    console.ward.admin.execute(
        """WITH joined AS (INSERT INTO case_event (case_id, at, event, to_state)
                           SELECT case_id, changed_at, 'join', state FROM alert_case RETURNING case_id, event_id)
           SELECT pg_notify('live', json_build_object('type', 'case', 'case_id', c.case_id, 'patient_id', c.patient_id,
                                                      'event_id', joined.event_id)::text)
           FROM joined JOIN alert_case c USING (case_id)"""
    )
