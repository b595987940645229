"""Asking for symptoms: any yes makes an emergency of the case and tells everybody again; none is noted."""

from uuid import UUID

import pytest

from alerting.reasons import RedFlag, SymptomReason
from alerting.tiers import TERMS, Tier
from cloud.alerts.reasons import from_json
from tests.cloud.made import NOW
from tests.cloud.worklist.made import history_of, planted_case
from tests.fix_console import Console, Person


@pytest.fixture
def case_id(console: Console) -> UUID:
    return planted_case(console.ward)


@pytest.fixture
def nora(console: Console) -> Person:
    return console.sign_in("nora")


def ask(person: Person, case_id: UUID, *flags: str, answer: str = "some", status: int = 200) -> str:
    """What the form of the case's page sends."""
    form = {"csrf_token": person.csrf_token(), "answer": answer, "flag": list(flags)}
    given = person.client.post(f"/cases/{case_id}/red-flags", data=form, headers={"HX-Request": "true"})
    assert given.status_code == status, given.text
    return given.text


def test_any_yes_makes_an_emergency_that_is_nobodys_and_told_anew(
    console: Console, nora: Person, case_id: UUID
) -> None:
    nora.post(f"/cases/{case_id}/acknowledge")
    nora.post(f"/cases/{case_id}/silence", {"minutes": "15", "reason": "x"})
    console.clock.forward(minutes=3)
    assert 'data-tier="emergency"' in ask(nora, case_id, "chest_pain", "breathlessness")
    now, terms = console.clock.time, TERMS[Tier.EMERGENCY]
    assert console.ward.rows(
        "SELECT state, tier, priority, owner, round, step, raised_at, deadline, contacted_at, silenced_until, next_at"
        " FROM alert_case"
    ) == [("raised", "emergency", "high", None, 2, 0, now, now + terms.acknowledge_within, now, None, now)]
    assert history_of(console.ward, case_id)[-1] == ("worsen", "acknowledged", "raised", nora.account_id)
    [(sentence, data)] = console.ward.rows("SELECT sentence, reason FROM alert_case")
    assert "with chest pain, shortness of breath, as answered at 2026-11-21 12:03 UTC: an emergency" in sentence
    reason = from_json(data)
    assert isinstance(reason, SymptomReason)
    assert (reason.flags, reason.asked_at) == ((RedFlag.CHEST_PAIN, RedFlag.BREATHLESSNESS), now)
    told = console.ward.rows("SELECT tier, told_by, reading_id, effective_time FROM alert WHERE told_by IS NOT NULL")
    assert told == [("emergency", nora.account_id, None, now)]
    [row] = console.ward.rows("SELECT data FROM case_event WHERE event = 'worsen'")
    assert row == ({"tier": "emergency", "flags": ["chest_pain", "breathlessness"]},)


def test_the_same_answer_twice_is_once_and_another_symptom_is_more(
    console: Console, nora: Person, case_id: UUID
) -> None:
    for _ in range(2):
        ask(nora, case_id, "chest_pain")
    assert console.ward.rows("SELECT round FROM alert_case") == [(2,)]
    console.clock.forward(minutes=1)
    ask(nora, case_id, "back_pain")
    [(round_, data)] = console.ward.rows("SELECT round, reason FROM alert_case")
    reason = from_json(data)
    assert isinstance(reason, SymptomReason)
    assert (round_, reason.flags) == (3, (RedFlag.CHEST_PAIN, RedFlag.BACK_PAIN))
    assert not isinstance(reason.finding, SymptomReason)


def test_no_symptom_is_noted_with_its_time_and_changes_nothing_else(
    console: Console, nora: Person, case_id: UUID
) -> None:
    ask(nora, case_id, answer="none")
    assert console.ward.rows("SELECT state, tier, round, contacted_at FROM alert_case") == [
        ("raised", "urgent", 1, NOW)
    ]
    assert history_of(console.ward, case_id) == [("ask", "raised", "raised", nora.account_id)]


def test_an_answer_that_says_nothing_clear_is_refused(console: Console, nora: Person, case_id: UUID) -> None:
    nothing, both, no_button = ((), "some"), (("chest_pain",), "none"), ((), "")
    of_another_measure, unknown = (("fruity_breath",), "some"), (("hiccups",), "some")
    for flags, answer in (nothing, both, no_button, of_another_measure, unknown):
        assert "Tick what the patient has" in ask(nora, case_id, *flags, answer=answer, status=409)
    assert history_of(console.ward, case_id) == []


def test_whoever_hears_of_a_symptom_may_say_so_whoever_has_the_case(
    console: Console, nora: Person, case_id: UUID
) -> None:
    nora.post(f"/cases/{case_id}/acknowledge")
    ask(console.sign_in("ben"), case_id, "chest_pain")
    assert console.ward.rows("SELECT state, owner, tier FROM alert_case") == [("raised", None, "emergency")]


def test_a_symptom_does_not_move_the_time_of_the_measurement(console: Console, nora: Person, case_id: UUID) -> None:
    console.clock.forward(minutes=10)
    ask(nora, case_id, "chest_pain")
    assert "12 min ago" in nora.get("/worklist").text


def test_a_case_of_an_older_version_is_asked_about_too(console: Console, nora: Person, case_id: UUID) -> None:
    console.ward.admin.execute("""UPDATE alert_case SET reason = '{"value": "190"}', sentence = 'Systolic 190 mmHg'""")
    ask(nora, case_id, "chest_pain")
    assert console.ward.rows("SELECT tier, sentence FROM alert_case") == [
        ("emergency", "Systolic 190 mmHg; with chest pain: an emergency")
    ]


def test_after_an_emergency_the_case_is_worked_and_closed_as_any_other(
    console: Console, nora: Person, case_id: UUID
) -> None:
    ask(nora, case_id, "chest_pain")
    nora.post(f"/cases/{case_id}/acknowledge")
    form = {"disposition": "emergency_service_called", "note": "ambulance at 13:10"}
    assert nora.post(f"/cases/{case_id}/resolve", form).status_code == 200
