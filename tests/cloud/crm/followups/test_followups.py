"""From a discharge summary to what is done on each day: by hand and of itself, on the patient's calendar."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cloud.crm.followups.judging import follow
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console

DISCHARGE = {
    "discharged_on": "2026-11-20", "about": "Heart failure, six days",
    "what_0": "call", "days_0": "2", "note_0": "Weight?",
    "what_1": "questionnaire:recovery", "days_1": "7", "note_1": "", "what_2": "visit", "days_2": "14", "note_2": "",
}  # fmt: skip


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def url(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/follow-ups{rest}"


def rows(console: Console) -> list[tuple[str, str, str]]:
    return console.ward.rows("SELECT what, due_on::text, state FROM follow_up ORDER BY due_on, what")


def test_a_discharge_summary_becomes_dated_follow_ups_and_the_nurse_sees_what_is_due(console: Console) -> None:
    nora = console.sign_in("nora")
    nora.post(url(console, "/hospital"), {"there": "yes"})
    assert "In hospital since" in text(nora.get(url(console)))
    assert nora.post(url(console, "/discharge"), DISCHARGE).status_code == 303
    assert rows(console) == [
        ("call", "2026-11-22", "open"), ("questionnaire", "2026-11-27", "open"), ("visit", "2026-12-04", "open"),
    ]  # fmt: skip
    assert console.ward.rows("SELECT until IS NOT NULL FROM hospital_stay") == [(True,)]
    page = text(nora.get("/follow-ups"))
    assert "Overdue (0)" in page
    assert "In the next two weeks (3)" in page
    console.clock.time = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # it is the 23rd in Copenhagen
    nora = console.sign_in("nora")
    assert "Overdue (1)" in text(nora.get("/follow-ups"))
    assert "1 is overdue" in text(nora.get("/follow-ups/due"))
    assert "Call the patient · 22 Nov 2026 · overdue" in text(nora.get(f"/patients/{console.ward.patient_id}"))
    assert "22 Nov 2026 : Your care team calls you" in text(console.sign_in("asta").get("/me"))


def test_a_form_that_is_sent_twice_asks_for_nothing_twice(console: Console) -> None:
    nora = console.sign_in("nora")
    by_hand = {"what": "check", "due_on": "2026-11-25", "note": "potassium", "owner": ""}
    plan = {"plan": "hypertension", "begins_on": "2026-11-21"}
    for _ in range(2):
        for rest, form in (("/discharge", DISCHARGE), ("/plan", plan), ("", by_hand)):
            assert nora.post(url(console, rest), form).status_code == 303
    assert console.ward.count("discharge_summary") == 1
    assert console.ward.count("follow_up") == 3 + 4 + 1
    [(done,)] = console.ward.rows("SELECT follow_up_id FROM follow_up WHERE what = 'check' AND template IS NULL")
    nora.post(url(console, f"/{done}/end"), {"state": "done", "why": ""})
    nora.post(url(console), by_hand)
    assert console.ward.count("follow_up") == 9, "what is done can be asked for again"


def test_a_summary_of_a_former_stay_brings_nobody_home_who_was_admitted_again(console: Console) -> None:
    nora = console.sign_in("nora")
    nora.post(url(console, "/hospital"), {"there": "yes"})  # on the 21st
    nora.post(url(console, "/discharge"), {**DISCHARGE, "discharged_on": "2026-11-14"})
    assert "In hospital since" in text(nora.get(url(console)))
    nora.post(url(console, "/discharge"), {**DISCHARGE, "discharged_on": "2026-11-15"})
    assert "In hospital since" not in text(nora.get(url(console)))


def test_a_list_that_is_longer_than_a_page_says_so_and_the_worklist_counts_all(console: Console) -> None:
    console.ward.admin.execute(
        "INSERT INTO follow_up (patient_id, what, note, due_on, made_by, made_at)"
        " SELECT %s, 'call', n::text, '2026-11-20', %s, %s FROM generate_series(1, 501) n",
        (console.ward.patient_id, console.accounts["nora"], NOW),
    )
    nora = console.sign_in("nora")
    assert "501 are overdue" in text(nora.get("/follow-ups/due"))
    assert "There are more: the 500 that are due first stand here." in text(nora.get("/follow-ups"))


def test_on_its_day_each_follows_of_itself_once_and_an_answer_ends_it(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    nora = console.sign_in("nora")
    nora.post(url(console, "/discharge"), DISCHARGE)
    assert follow(told.jobs, NOW) == 0
    told.clock.time = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    assert follow(told.jobs, told.clock()) == 2
    assert follow(told.jobs, told.clock()) == 0
    told.look()
    assert sorted(told.states()) == [("questionnaire", "sent", None), ("visit", "sent", None)]
    # Another follow-up asks for the same while it waits for its answer: nobody is asked twice.
    again = {"what": "questionnaire:recovery", "due_on": "2026-11-27", "note": "once more", "owner": ""}
    console.clock.time = told.clock()
    console.sign_in("nora").post(url(console), again)
    assert follow(told.jobs, told.clock()) == 1
    [(sent_id,)] = console.ward.rows("SELECT sent_id FROM questionnaire_sent")
    console.clock.time = told.clock()
    form = {"q-general": "same", "q-chest": "no", "q-breath": "no", "q-fainting": "no", "q-legs": "no", "q-wound": "no"}
    assert console.sign_in("asta").post(f"/me/questionnaires/{sent_id}", form).status_code == 303
    follow(told.jobs, told.clock() + timedelta(minutes=5))
    assert rows(console)[1:3] == [("questionnaire", "2026-11-27", "done")] * 2
    assert "answered by the patient" in text(console.sign_in("nora").get(url(console)))


def test_nothing_follows_of_itself_in_hospital_or_after_the_end(console: Console, told: Reaching) -> None:
    nora = console.sign_in("nora")
    nora.post(url(console, "/discharge"), DISCHARGE)
    nora.post(url(console, "/hospital"), {"there": "yes"})
    told.clock.time = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    assert follow(told.jobs, told.clock()) == 0
    assert nora.post(url(console, "/hospital"), {"there": "no"}).status_code == 303
    assert "In the next two weeks (3)" in text(nora.get("/follow-ups"))
    console.ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, ended_at, ended_by, end_reason)"
        " VALUES (%s, %s, %s, %s, 'moved')",
        (console.ward.patient_id, NOW, NOW, console.accounts["nora"]),
    )
    assert follow(told.jobs, told.clock()) == 0
    assert told.states() == []
    assert "In the next two weeks (0)" in text(nora.get("/follow-ups")), "nobody calls somebody who has died"
    assert text(nora.get("/follow-ups/due")).strip() == ""


def test_a_plan_gives_its_steps_and_one_is_done_and_one_skipped_with_the_reason(console: Console) -> None:
    nora = console.sign_in("nora")
    console.ward.admin.execute("UPDATE account SET language = 'ru' WHERE login = 'nora'")
    assert nora.post(url(console, "/plan"), {"plan": "diabetes", "begins_on": "2026-11-21"}).status_code == 303
    assert [due for _, due, _ in rows(console)] == ["2026-11-24", "2026-12-05", "2026-12-19", "2027-02-19"]
    [(note,)] = console.ward.rows("SELECT note FROM follow_up WHERE what = 'call'")
    assert "Ладится ли измерение" in note
    ids = [i for (i,) in console.ward.rows("SELECT follow_up_id FROM follow_up ORDER BY due_on")]
    assert nora.post(url(console, f"/{ids[0]}/end"), {"state": "skipped", "why": ""}).status_code == 422
    assert nora.post(url(console, f"/{ids[0]}/end"), {"state": "skipped", "why": "на даче"}).status_code == 303
    assert nora.post(url(console, f"/{ids[0]}/end"), {"state": "done"}).status_code == 404
    assert nora.post(url(console, f"/{ids[3]}/end"), {"state": "done", "why": ""}).status_code == 303
    assert "на даче" in text(nora.get(url(console)))


def test_one_by_hand_has_an_owner_of_the_care_team(console: Console) -> None:
    nora, ada, eve = console.sign_in("nora"), console.accounts["ada"], console.accounts["eve"]
    form = {"what": "check", "due_on": "2026-11-25", "note": "potassium", "owner": str(ada)}
    assert nora.post(url(console), {**form, "owner": str(eve)}).status_code == 422
    assert nora.post(url(console), form).status_code == 303
    assert "Ada Weiss" in text(nora.get("/follow-ups"))


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("discharged_on", "2026-11-23", "Is the year right?"),
        ("discharged_on", "soon", "This is no date."),
        ("about", "", "Say why"),
        ("days_0", "x", "It must lie between 0 and 365."),
        ("what_1", "questionnaire:none", "Choose one."),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_is_lost(
    console: Console, field: str, typed: str, said: str
) -> None:
    answer = console.sign_in("nora").post(url(console, "/discharge"), {**DISCHARGE, field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert "Weight?" in answer.text
    assert console.ward.count("follow_up") == 0


@pytest.mark.parametrize("login", ["eve", "asta", "carl"])
def test_who_does_not_care_for_the_patient_finds_nothing(console: Console, login: str) -> None:
    person = console.sign_in(login)
    assert person.get(url(console)).status_code == 404
    assert person.post(url(console, "/discharge"), DISCHARGE).status_code == 404
