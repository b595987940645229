"""Whose is it, and was it you: the nurse and the patient at a browser."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from cloud.ingest.releases import Releases
from tests.cloud.held.test_questions import asking as asking
from tests.cloud.made import METER, NOW, glucose, pressure, sent
from tests.fix_browser import DESKTOP, PHONE
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out, objections
from tests.journeys.steps import is_live, sign_in, sign_out


def test_a_patient_says_it_was_me_and_a_nurse_says_whose_it_is(asking: Console, page: Page) -> None:
    ward = asking.ward
    ward.admin.execute("DELETE FROM device_assignment WHERE device_id = %s", (METER.device_id,))
    ward.receive(sent(pressure("182", "105", at=NOW - timedelta(minutes=20))))
    ward.receive(sent(glucose("101"), glucose("205", at=NOW - timedelta(minutes=30))))
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, asking, "asta")
    page.goto(f"{asking.url}/me")
    question = page.locator(".held__one", has_text="165/81 mmHg")
    expect(question).to_be_visible()
    assert objections(page) == []
    assert fits(page)
    question.get_by_role("button", name="Yes, it was me").click()
    expect(page.locator(".held__one")).to_have_count(1)
    Releases(asking.clock).settle(ward.ingest)
    sign_out(page)

    sign_in(page, asking, "nora")
    [(case_id,)] = ward.rows("SELECT case_id FROM alert_case WHERE reason ->> 'reason' = 'held'")
    page.goto(f"{asking.url}/cases/{case_id}")
    expect(page.locator("#held .held__one")).to_contain_text("182/105 mmHg")
    page.goto(f"{asking.url}/patients/{ward.patient_id}")
    waits = page.locator("#held .held__one", has_text="182/105 mmHg")
    expect(waits).to_contain_text("is 57 mmHg away from the usual 125 mmHg")
    page.get_by_text("Whose was it? What was answered").click()
    page.get_by_text("Who else measures with this patient’s device?").click()
    waits.get_by_text("Say whose it is").click()
    assert objections(page) == []
    assert fits(page)
    waits.get_by_label("no, and of nobody whom we know").check()
    waits.get_by_label("How do you know?").fill("her husband, he told me")
    waits.get_by_role("button", name="Say so").click()
    expect(page.locator("#held-answered s")).to_contain_text("182/105 mmHg")

    page.goto(f"{asking.url}/whose")
    page.get_by_label("the reading of").first.check()
    page.get_by_label("a patient’s").check()
    page.get_by_label("Which patient").select_option(label="Asta Example")
    page.get_by_label("How do you know?").fill("the coordinator gave it to her this morning")
    assert objections(page) == []
    assert fits(page)
    page.get_by_role("button", name="Say so").click()
    expect(page.locator("table")).to_contain_text("Said; it is being taken up.")
    page.goto(f"{asking.url}/questions")
    assert objections(page) == []
    assert fits(page)


def test_what_a_nurse_writes_about_a_question_is_kept_when_another_one_comes(asking: Console, page: Page) -> None:
    ward = asking.ward
    ward.receive(sent(pressure("182", "105", at=NOW - timedelta(minutes=20))))
    sign_in(page, asking, "nora")
    page.goto(f"{asking.url}/patients/{ward.patient_id}")
    is_live(page)
    waits = page.locator("#held .held__one", has_text="182/105 mmHg")
    waits.get_by_text("Say whose it is").click()
    page.evaluate("window.stood = document.querySelector('#held section')")
    ward.receive(sent(pressure("176", "99", at=NOW - timedelta(minutes=10))))
    expect(page.locator("#held .held__one")).to_have_count(3)
    assert not page.evaluate("document.contains(window.stood)")

    waits.get_by_label("no, and of nobody whom we know").check()
    waits.get_by_label("How do you know?").fill("her husband")
    ward.receive(sent(pressure("178", "97", at=NOW - timedelta(minutes=5))))
    expect(page.locator("#held-changed")).to_be_visible()
    assert objections(page) == []
    expect(waits.get_by_label("How do you know?")).to_have_value("her husband")
    waits.get_by_role("button", name="Say so").click()
    expect(page.locator("#held-answered s")).to_contain_text("182/105 mmHg")


def test_an_answer_of_the_patient_reaches_the_page_that_a_nurse_has_open(asking: Console, page: Page) -> None:
    ward = asking.ward
    sign_in(page, asking, "nora")
    page.goto(f"{asking.url}/patients/{ward.patient_id}")
    is_live(page)
    expect(page.locator("#held .held__one")).to_have_count(1)
    [(reading_id,)] = ward.rows("SELECT reading_id FROM held_reading")
    asking.sign_in("asta").post(f"/me/questions/{reading_id}", {"answer": "no"})
    expect(page.locator("#held-answered s")).to_contain_text("165/81 mmHg")
    expect(page.locator("#held .held__one")).to_have_count(0)


def test_a_case_of_a_reading_that_waits_goes_on_asking_when_it_changes(asking: Console, page: Page) -> None:
    ward = asking.ward
    ward.receive(sent(pressure("182", "105", at=NOW - timedelta(minutes=20))))
    [(case_id,)] = ward.rows("SELECT case_id FROM alert_case WHERE reason ->> 'reason' = 'held'")
    sign_in(page, asking, "nora")
    page.goto(f"{asking.url}/cases/{case_id}")
    is_live(page)
    waits = page.locator("#held .held__one", has_text="182/105 mmHg")
    waits.get_by_text("Say whose it is").click()
    asking.clock.time += timedelta(minutes=1)
    asking.sign_in("ben").post(f"/cases/{case_id}/acknowledge")
    expect(page.locator("#case")).to_have_attribute("data-state", "acknowledged")
    expect(waits.get_by_label("How do you know?")).to_be_visible()


def fits(page: Page) -> bool:
    """Nothing sticks out, on a phone and on a nurse's screen, where the page is left."""
    fitting = []
    for width, height in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": height})
        fitting.append(nothing_sticks_out(page))
    return all(fitting)
