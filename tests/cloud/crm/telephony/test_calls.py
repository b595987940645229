"""Calls joined with the log where there is no doubt, minutes by the log alone, and recordings only with consent."""

from datetime import timedelta
from uuid import UUID

import pytest

from cloud.crm.telephony import store
from cloud.crm_config import CrmSettings
from tests.cloud.crm.telephony.made import DAUGHTER, KEY, NUMBER, Exchange, at_the_desk, exchange_of, ringer, with_card
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

SHA = "ab" * 32
PLACE = "https://exchange.example/recordings/1"


@pytest.fixture
def crm_settings() -> CrmSettings:
    """With the key of the tests."""
    return CrmSettings(key=KEY)


@pytest.fixture
def exchange(console: Console) -> Exchange:
    return exchange_of(console)


@pytest.fixture
def nora(console: Console, exchange: Exchange) -> Person:
    nora = at_the_desk(console, exchange.system_id)
    with_card(nora, console)
    return nora


def logged(console: Console, nora: Person, case_id: UUID, minutes: float = 3, to: str = f"patient:{NUMBER}") -> None:
    """A call in the log, by hand, that begins now."""
    nora.post(f"/cases/{case_id}/calls", {"to": to})
    console.clock.forward(minutes=minutes)
    [(call_id,)] = console.ward.rows("SELECT call_id FROM call WHERE ended_at IS NULL")
    assert nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached"}).status_code == 303


def spoken(exchange: Exchange, call: str, minutes: float = 2, **data: object) -> None:
    """The same, as the system tells of it afterwards."""
    now = exchange.console.clock()
    began = now - timedelta(minutes=minutes)
    exchange.tell("answered", call=call, direction="out", time=began, **data)
    exchange.tell("ended", call=call, direction="out", time=now, **data)


def page(console: Console, nora: Person) -> str:
    return text(nora.get(f"/patients/{console.ward.patient_id}/calls"))


def asked(console: Console, nora: Person, decision: str) -> None:
    path = f"/patients/{console.ward.patient_id}/calls/recording"
    assert nora.post(path, {"decision": decision, "method": "told", "asked_at": ""}).status_code == 303


def test_a_call_is_the_entry_of_the_log_that_it_must_be_with_the_answers_given_meanwhile(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    case_id = planted_case(console.ward)
    nora.post(f"/cases/{case_id}/triage", {"question": "symptoms", "answer": "no"})
    logged(console, nora, case_id)
    spoken(exchange, "c-1", minutes=2.5)
    assert exchange.calls("joined_by") == [("time",)]
    said = page(console, nora)
    assert "spoken for 2 min" in said
    assert "Call log: reached" in said
    assert "by person, number and time" in said
    assert "— no" in said.lower()


def test_two_that_could_be_one_entry_are_said_to_be_uncertain_until_somebody_says_which(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    case_id = planted_case(console.ward)
    logged(console, nora, case_id, minutes=2)
    logged(console, nora, case_id, minutes=2, to="patient:")
    spoken(exchange, "c-1", minutes=1.5)
    assert exchange.calls("call_id, joined_by") == [(None, None)]
    assert "Which entry of the call log it is, is not certain." in page(console, nora)
    [(call,)] = exchange.calls("telephone_call_id")
    join = f"/patients/{console.ward.patient_id}/calls/{call}/join"
    assert nora.post(join, {"call_id": str(case_id)}).status_code == 409
    [(first,), _] = console.ward.rows("SELECT call_id FROM call ORDER BY started_at")
    assert nora.post(join, {"call_id": str(first)}).status_code == 303
    assert exchange.calls("call_id, joined_by") == [(first, "person")]
    assert "as somebody said" in page(console, nora)


def test_another_number_another_way_or_another_time_is_no_entry_of_the_log(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    case_id = planted_case(console.ward)
    logged(console, nora, case_id)
    spoken(exchange, "c-1", number=DAUGHTER)
    exchange.tell("ended", call="c-2", direction="in")
    console.clock.forward(minutes=10)
    spoken(exchange, "c-3")
    assert [joined for (joined,) in exchange.calls("joined_by")] == [None] * 3
    assert page(console, nora).count("Not in the call log.") == 3


def test_minutes_are_those_of_the_call_log_once_and_never_the_systems(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    spoken(exchange, "c-0", minutes=30)
    assert console.ward.rows("SELECT count(*) FROM care_minutes") == [(0,)]
    case_id = planted_case(console.ward)
    console.clock.forward(minutes=40)
    logged(console, nora, case_id, minutes=3)
    spoken(exchange, "c-1", minutes=3)
    rows = "SELECT origin, upper(during) - lower(during) FROM care_minutes WHERE activity = 'call'"
    assert console.ward.rows(rows) == [("call", timedelta(minutes=3))]


def test_without_consent_no_reference_is_kept_and_the_page_says_so(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    assert "Nobody has asked yet. Without consent it is not kept where a recording is." in page(console, nora)
    recording = {"reference": PLACE, "sha256": SHA}
    spoken(exchange, "c-1")
    exchange.tell("recorded", recording=recording)
    # Asked afterwards, the patient has agreed to the next ones.
    console.clock.forward(minutes=1)
    asked(console, nora, "given")
    spoken(exchange, "c-2", minutes=1)
    asked(console, nora, "refused")
    exchange.tell("recorded", call="c-2", recording=recording)
    states = "SELECT state, reference, sha256 FROM call_recording ORDER BY told_at"
    assert console.ward.rows(states) == [("no_consent", None, None)] * 2
    assert "Recorded there without consent: it is not kept where that is." in page(console, nora)
    assert PLACE not in str(console.ward.rows("SELECT to_jsonb(t) FROM telephone_call t"))


def test_with_consent_the_reference_and_the_hash_are_kept_and_who_opens_it_is_written_down(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    asked(console, nora, "given")
    spoken(exchange, "c-1", minutes=0)
    exchange.tell("recorded", recording={"reference": PLACE, "sha256": SHA, "hashed_by": "recorder 2"})
    [(recording_id,)] = console.ward.rows("SELECT recording_id FROM call_recording")
    answer = nora.get(f"/recordings/{recording_id}")
    assert PLACE in answer.text
    assert f"{SHA} as computed by recorder 2" in text(answer)
    assert "Where it is, is kept until" in text(answer)
    assert console.sign_in("eve").get(f"/recordings/{recording_id}").status_code == 404
    assert console.sign_in("asta").get(f"/recordings/{recording_id}").status_code == 404
    opened = "SELECT account_id, patient_id FROM audit WHERE action = 'recording.open'"
    assert console.ward.rows(opened) == [(nora.account_id, console.ward.patient_id)]

    # 90 days later, or as soon as they no longer agree, it is forgotten where it is.
    with ringer(console) as (_, jobs):
        assert store.end_recordings(jobs, console.clock() + timedelta(days=89)) == 0
        asked(console, nora, "withdrawn")
        assert "The patient no longer agrees" in text(nora.get(f"/recordings/{recording_id}"))
        asked(console, nora, "given")
        spoken(exchange, "c-2", minutes=0)
        exchange.tell("recorded", call="c-2", recording={"reference": "id-2"})
        assert store.end_recordings(jobs, console.clock() + timedelta(days=91)) == 1
    assert console.ward.rows("SELECT state, reference FROM call_recording ORDER BY state") == [
        ("over", None), ("withdrawn", None),
    ]  # fmt: skip


def test_a_recording_waits_unseen_until_somebody_says_whose_call_it_was_and_goes_by_what_they_agreed_to(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    case_id = planted_case(console.ward)
    asked(console, nora, "given")
    console.clock.forward(minutes=1)
    recording = {"reference": PLACE, "sha256": SHA, "hashed_by": "recorder 2"}
    states = "SELECT state, reference, encode(sha256, 'hex'), hashed_by FROM call_recording ORDER BY told_at"
    for call in ("c-1", "c-2"):
        exchange.tell("ended", call=call, number=None)
        exchange.tell("recorded", call=call, recording=recording)
        assert console.ward.rows(states)[-1] == ("waiting", PLACE, SHA, "recorder 2")
        [(recording_id,)] = console.ward.rows("SELECT recording_id FROM call_recording WHERE state = 'waiting'")
        assert nora.get(f"/recordings/{recording_id}").status_code == 404, "nobody knows who agreed to it"
        [(heard,)] = exchange.calls("telephone_call_id")[-1:]
        nora.post(f"/callers/{heard}/case", {"case_id": str(case_id)})
        [(call_id,)] = console.ward.rows("SELECT call_id FROM call WHERE ended_at IS NULL")
        nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached"})
        if call == "c-1":
            assert PLACE in nora.get(f"/recordings/{recording_id}").text
            console.clock.forward(minutes=1)
            asked(console, nora, "refused")
    assert console.ward.rows(states) == [("withdrawn", None, SHA, "recorder 2"), ("no_consent", None, None, None)]


def test_a_recording_that_is_told_of_before_its_call_is_kept_with_it(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    asked(console, nora, "given")
    began = console.clock()
    console.clock.forward(minutes=3)
    exchange.tell("recorded", direction="in", number=None, recording={"reference": PLACE})
    exchange.tell("ended", direction="out", time=began + timedelta(minutes=2))
    exchange.tell("answered", direction="out", time=began)
    assert exchange.calls("direction, number, patient_id, started_at, account_id") == [
        ("out", NUMBER, console.ward.patient_id, began, nora.account_id)
    ]
    assert console.ward.rows("SELECT state, patient_id, reference FROM call_recording") == [
        ("kept", console.ward.patient_id, PLACE)
    ]


def test_a_call_of_the_daughter_is_hers_and_has_not_reached_the_patient(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    case_id = planted_case(console.ward)
    nora.post(f"/cases/{case_id}/acknowledge")
    reached = []
    for call, number in (("c-1", DAUGHTER), ("c-2", NUMBER)):
        exchange.tell("answered", call=call, number=number)
        [(heard,)] = exchange.calls("telephone_call_id")[-1:]
        nora.post(f"/callers/{heard}/case", {"case_id": str(case_id)})
        [(call_id,)] = console.ward.rows("SELECT call_id FROM call WHERE ended_at IS NULL")
        console.clock.forward(minutes=1)
        nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached"})
        reached += console.ward.rows("SELECT contacted_at IS NOT NULL FROM alert_case")
    assert reached == [(False,), (True,)]
    assert console.ward.rows("SELECT contact_id IS NOT NULL FROM call ORDER BY started_at") == [(True,), (False,)]


def test_calls_and_recordings_of_strangers_are_forgotten_in_time(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    exchange.tell("ended", number="+4530000000")
    exchange.tell("recorded", recording={"reference": PLACE})
    exchange.tell("ended", call="c-2", number=None)
    spoken(exchange, "c-3")
    del nora
    with ringer(console) as (_, jobs):
        store.end_recordings(jobs, console.clock() + timedelta(days=89))
        assert len(exchange.calls()) == 3
        for _ in range(2):
            store.end_recordings(jobs, console.clock() + timedelta(days=91))
    assert exchange.calls("remote_id") == [("c-3",)], "that of a patient stays in their record"
    assert console.ward.rows("SELECT count(*) FROM call_recording") == [(0,)]


def test_a_recording_that_cannot_be_read_is_refused(exchange: Exchange) -> None:
    for recording in (None, {"reference": ""}, {"reference": "x", "sha256": "ab"}):
        assert exchange.tell("recorded", recording=recording).status_code == 403


def test_what_was_asked_is_asked_in_the_past_and_answered(console: Console, nora: Person) -> None:
    path = f"/patients/{console.ward.patient_id}/calls/recording"
    for wrong in ({"decision": "given"}, {"decision": "perhaps", "method": "told"}):
        assert nora.post(path, wrong).status_code == 422
    later = {"decision": "given", "method": "paper", "asked_at": "2026-11-22T09:00"}
    assert nora.post(path, later).status_code == 422
    assert nora.post(path, {**later, "asked_at": "2026-11-21T12:59"}).status_code == 303
    assert "agreed · on paper" in page(console, nora)
