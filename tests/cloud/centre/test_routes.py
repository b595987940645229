"""Calls, scripts, unknown callers and the end of a shift: who may, what is written, and what no log has."""

import logging
from datetime import timedelta
from uuid import UUID

import pytest

from alerting.tiers import Tier
from cloud.calls.service import SHOWN
from tests.cloud.contacts.test_card import CARD, PERSON
from tests.cloud.contacts.test_card import url as card_url
from tests.cloud.made import glucose, sent
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import history_of, planted_case
from tests.fix_console import Console, Person

NUMBER = "+4520123456"


@pytest.fixture
def nora(console: Console) -> Person:
    """A nurse who has written the card, and one contact person."""
    nora = console.sign_in("nora")
    nora.post(card_url(console), CARD)
    nora.post(card_url(console, "/contacts"), PERSON)
    return nora


@pytest.fixture
def case_id(console: Console, nora: Person) -> UUID:
    return planted_case(console.ward)


def call(person: Person, console: Console, case_id: UUID, to: str, outcome: str) -> int:
    """Begin and end a call; the status of the last answer."""
    assert person.post(f"/cases/{case_id}/calls", {"to": to}).status_code == 303
    [(call_id,)] = console.ward.rows("SELECT call_id FROM call WHERE ended_at IS NULL")
    data = {"outcome": outcome, "note": "spoke slowly"}
    return person.post(f"/cases/{case_id}/calls/{call_id}/end", data).status_code


def test_who_reaches_the_patient_has_spoken_with_them(console: Console, nora: Person, case_id: UUID) -> None:
    assert call(nora, console, case_id, f"patient:{NUMBER}", "not_reached") == 303
    assert console.ward.rows("SELECT contacted_at FROM alert_case") == [(None,)]
    assert call(nora, console, case_id, f"patient:{NUMBER}", "reached") == 303
    assert console.ward.rows("SELECT contacted_at IS NOT NULL FROM alert_case") == [(True,)]
    assert [event for event, *_ in history_of(console.ward, case_id)] == ["contact"]
    page = text(nora.get(f"/cases/{case_id}"))
    assert "not reached · the patient · Nora Quist spoke slowly" in page
    assert console.ward.rows("SELECT action, detail FROM audit WHERE action LIKE 'call%' ORDER BY audit_id") == [
        ("call.begin", {}), ("call.end", {"outcome": "not_reached"}),
        ("call.begin", {}), ("call.end", {"outcome": "reached"}),
    ]  # fmt: skip


def test_a_contact_person_who_was_reached_is_not_the_patient(console: Console, nora: Person, case_id: UUID) -> None:
    [(contact_id,)] = console.ward.rows("SELECT contact_id FROM contact_person")
    assert call(nora, console, case_id, f"{contact_id}:+4520998877", "reached") == 303
    assert console.ward.rows("SELECT contacted_at FROM alert_case") == [(None,)]
    assert "reached · Dora Example, daughter · Nora Quist" in text(nora.get(f"/cases/{case_id}"))


@pytest.mark.parametrize("to", ["", "patient:+4599999999", "104c7a9b-fc5e-446e-a587-9b629032c79e:", "nobody"])
def test_a_number_that_is_not_on_the_card_is_not_logged_as_one(
    console: Console, nora: Person, case_id: UUID, to: str
) -> None:
    assert nora.post(f"/cases/{case_id}/calls", {"to": to}).status_code == 409
    assert console.ward.count("call") == 0


def test_two_clicks_are_one_call_and_nobody_ends_anothers(console: Console, nora: Person, case_id: UUID) -> None:
    for _ in range(2):
        nora.post(f"/cases/{case_id}/calls", {"to": "patient:"})
    [(call_id,)] = console.ward.rows("SELECT call_id FROM call")
    end = f"/cases/{case_id}/calls/{call_id}/end"
    assert console.sign_in("ben").post(end, {"outcome": "reached"}).status_code == 409
    assert nora.post(end, {"outcome": "perhaps"}).status_code == 409
    assert console.sign_in("eve").post(end, {"outcome": "reached"}).status_code == 404
    assert console.ward.rows("SELECT ended_at FROM call") == [(None,)]


def test_a_call_under_way_can_be_ended_however_many_came_after_it(
    console: Console, nora: Person, case_id: UUID
) -> None:
    assert nora.post(f"/cases/{case_id}/calls", {"to": "patient:"}).status_code == 303
    [(under_way,)] = console.ward.rows("SELECT call_id FROM call")
    for hours in range(1, 2 * SHOWN):
        console.ward.admin.execute(
            "INSERT INTO call (patient_id, case_id, account_id, started_at, ended_at, outcome)"
            " SELECT patient_id, case_id, %s, started_at + %s, started_at + %s, 'reached' FROM call WHERE call_id = %s",
            (console.accounts["ben"], timedelta(hours=hours), timedelta(hours=hours, minutes=5), under_way),
        )
    page = nora.get(f"/cases/{case_id}").text
    assert f'action="/cases/{case_id}/calls/{under_way}/end"' in page
    assert page.count("Ben Ortega") == SHOWN
    data = {"outcome": "voicemail", "note": ""}
    assert nora.post(f"/cases/{case_id}/calls/{under_way}/end", data).status_code == 303
    assert f"{under_way}/end" not in nora.get(f"/cases/{case_id}").text


def test_the_answers_to_a_script_are_stored_with_its_version_and_audited(
    console: Console, nora: Person, case_id: UUID
) -> None:
    path = f"/cases/{case_id}/triage"
    assert nora.post(path, {"question": "symptoms", "answer": "perhaps"}).status_code == 409
    for _ in range(2):  # twice is once
        assert nora.post(path, {"question": "symptoms", "answer": "no"}).status_code == 303
    nora.post(path, {"question": "technique", "answer": "yes"})
    assert "Escalate: doctor" not in nora.get(f"/cases/{case_id}").text
    nora.post(path, {"question": "again", "answer": "very_high"})
    assert "The doctor on call decides now." in nora.get(f"/cases/{case_id}").text
    [(script, version, steps, end_state)] = console.ward.rows(
        "SELECT script, version, path, end_state FROM triage_walk"
    )
    assert (script, version, end_state) == ("high_pressure", 1, "doctor")
    assert [(step["question"], step["answer"]) for step in steps] == [
        ("symptoms", "no"), ("technique", "yes"), ("again", "very_high"),
    ]  # fmt: skip
    assert console.ward.rows("SELECT count(*) FROM audit WHERE action = 'triage.answer'") == [(3,)]
    assert nora.post(path, {"again": "yes"}).status_code == 303
    assert console.ward.count("triage_walk") == 2, "what was answered before stays"
    assert console.sign_in("eve").post(path, {"again": "yes"}).status_code == 404


@pytest.mark.parametrize("typed", ["20 12 34 56", "+45 20 12 34 56", "004520123456"])
def test_an_unknown_caller_is_the_patient_whose_number_it_is(
    console: Console, nora: Person, case_id: UUID, typed: str
) -> None:
    console.ward.receive(sent(glucose("123")))
    page = text(nora.post("/callers", {"number": typed}))
    assert "Asta Example" in page
    assert "the patient’s own number" in page
    assert "Very high systolic pressure" in page
    assert "123 mg/dL" in page
    assert "No patient of yours" in text(console.sign_in("eve").post("/callers", {"number": NUMBER}))


def test_a_contact_persons_number_leads_to_the_patient_and_no_number_is_in_a_log_or_the_audit(
    console: Console, nora: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        page = text(nora.post("/callers", {"number": "20 99 88 77"}))
    assert "Dora Example, daughter" in page
    assert nora.post("/callers", {"number": "no number"}).status_code == 422
    assert console.ward.rows("SELECT patient_id FROM audit WHERE action = 'caller.found'") == [
        (console.ward.patient_id,)
    ]
    written = [*caplog.messages, *(row for (row,) in console.ward.rows("SELECT audit::text FROM audit"))]
    assert not [line for line in written if "20998877" in line.replace(" ", "")]


def test_a_shift_is_offered_to_a_named_colleague_and_accepted_one_by_one_or_all(
    console: Console, nora: Person, case_id: UUID
) -> None:
    others = [planted_case(console.ward, Tier.ROUTINE, condition=name) for name in ("tachycardia", "hyperglycaemia")]
    for each in (case_id, *others):
        nora.post(f"/cases/{each}/acknowledge")
    ben, eve = console.sign_in("ben"), console.sign_in("eve")
    assert nora.post("/shift/offer", {"to": str(eve.account_id)}).status_code == 409
    assert nora.post("/shift/offer", {"to": str(ben.account_id)}).status_code == 303
    assert text(nora.get("/shift")).count("offered to Ben Ortega") == 3
    owners = "SELECT count(*) FROM alert_case WHERE owner = (SELECT account_id FROM account WHERE login = 'ben')"
    assert console.ward.rows(owners) == [(0,)], "it stays with its owner until it is accepted"
    assert ben.post("/shift/accept", {"case_id": str(case_id)}).status_code == 303
    assert console.ward.rows(owners) == [(1,)]
    assert ben.post("/shift/accept").status_code == 303
    assert console.ward.rows(owners) == [(3,)]
    assert "You have no open case." in nora.get("/shift").text
    assert [event for event, *_ in history_of(console.ward, case_id)] == ["acknowledge", "hand_over", "acknowledge"]
