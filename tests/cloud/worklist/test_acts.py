"""What people do with a case, one act after the other: who may, what is written, and that twice is once."""

from datetime import timedelta
from uuid import UUID

import pytest

from alerting.acts import LONGEST_SILENCE
from alerting.dispositions import MEANINGS, Disposition
from alerting.tiers import TERMS, Tier
from tests.cloud.made import NOW
from tests.cloud.worklist.made import history_of, planted_case
from tests.fix_console import Console, Person

URGENT = TERMS[Tier.URGENT]


@pytest.fixture
def case_id(console: Console) -> UUID:
    """An urgent case that nobody has."""
    return planted_case(console.ward)


@pytest.fixture
def nora(console: Console) -> Person:
    return console.sign_in("nora")


@pytest.fixture
def ben(console: Console) -> Person:
    return console.sign_in("ben")


def columns(console: Console, names: str, case_id: UUID) -> tuple[object, ...]:
    """These columns of the case."""
    [found] = console.ward.admin.execute(f"SELECT {names} FROM alert_case WHERE case_id = '{case_id}'")  # noqa: S608  (both are ours)
    return tuple(found)


def events(console: Console, case_id: UUID) -> list[str]:
    return [event for event, *_ in history_of(console.ward, case_id)]


def waits(console: Console) -> list[str]:
    """Cases that a job was asked to look at."""
    return [
        str(case_id)
        for (case_id,) in console.ward.rows(
            "SELECT args->>'case_id' FROM procrastinate_jobs WHERE task_name = 'look_at_case' AND status = 'todo'"
        )
    ]


def do(person: Person, case_id: UUID, act: str, data: dict[str, str] | None = None, *, status: int = 200) -> str:
    """The act, and the row that answers it."""
    answer = person.post(f"/cases/{case_id}/{act}", data)
    assert answer.status_code == status, answer.text
    return answer.text


def test_who_acknowledges_has_it_for_as_long_as_the_tier_says(console: Console, nora: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    assert columns(console, "state, owner, lease_until, next_at", case_id) == (
        "acknowledged", nora.account_id, NOW + URGENT.lease, NOW,
    )  # fmt: skip
    assert waits(console) == [str(case_id)]


def test_a_programme_has_leases_of_its_own(console: Console, nora: Person, case_id: UUID) -> None:
    console.ward.admin.execute(
        "INSERT INTO programme_terms (programme_id, tier, lease) VALUES ('standard', 'urgent', '7 minutes')"
    )
    do(nora, case_id, "acknowledge")
    assert columns(console, "lease_until", case_id) == (NOW + timedelta(minutes=7),)


@pytest.mark.parametrize(
    ("act", "form", "event"),
    [("start", {}, "start"), ("contacted", {}, "contact"), ("red-flags", {"answer": "none"}, "ask")],
)
def test_whatever_the_owner_does_renews_the_lease_and_twice_is_once(
    console: Console, nora: Person, case_id: UUID, act: str, form: dict[str, str], event: str
) -> None:
    do(nora, case_id, "acknowledge")
    console.clock.forward(minutes=10)
    do(nora, case_id, act, form)
    renewed = NOW + timedelta(minutes=10) + URGENT.lease
    assert columns(console, "lease_until", case_id) == (renewed,)
    console.clock.forward(seconds=5)
    do(nora, case_id, act, form)
    assert columns(console, "lease_until", case_id) == (renewed,)
    assert events(console, case_id) == ["acknowledge", event]


def test_when_the_patient_was_spoken_to_is_kept(console: Console, nora: Person, case_id: UUID) -> None:
    do(nora, case_id, "contacted")  # before anybody has taken it, too
    assert columns(console, "state, owner, contacted_at", case_id) == ("raised", None, NOW)
    console.clock.forward(minutes=2)
    do(nora, case_id, "contacted")
    assert columns(console, "contacted_at", case_id) == (NOW + timedelta(minutes=2),)


def test_a_case_whose_lease_ran_out_is_anybodys(console: Console, nora: Person, ben: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    console.clock.time = NOW + URGENT.lease - timedelta(seconds=1)
    assert "Nora Quist was faster" in do(ben, case_id, "acknowledge", status=409)
    console.clock.time = NOW + URGENT.lease
    do(ben, case_id, "acknowledge")
    assert columns(console, "owner, round", case_id) == (ben.account_id, 2)
    assert history_of(console.ward, case_id)[1:] == [
        ("lapse", "acknowledged", "raised", None),
        ("acknowledge", "raised", "acknowledged", ben.account_id),
    ]


def test_while_nobody_else_took_it_its_owner_goes_on_after_the_lease(
    console: Console, nora: Person, case_id: UUID
) -> None:
    do(nora, case_id, "acknowledge")
    console.clock.forward(minutes=14)
    console.ward.admin.execute("UPDATE alert_case SET lease_until = %s", (NOW,))
    do(nora, case_id, "contacted")
    assert columns(console, "owner, lease_until", case_id) == (
        nora.account_id, NOW + timedelta(minutes=14) + URGENT.lease,
    )  # fmt: skip


def test_what_is_handed_over_stays_until_it_is_taken(
    console: Console, nora: Person, ben: Person, case_id: UUID
) -> None:
    do(nora, case_id, "acknowledge")
    for _ in range(2):
        do(nora, case_id, "hand-over", {"to": str(ben.account_id)})
    assert columns(console, "state, owner, offered_to", case_id) == (
        "acknowledged", nora.account_id, ben.account_id,
    )  # fmt: skip
    assert "Nora Quist was faster" in do(console.sign_in("ada"), case_id, "acknowledge", status=409)
    assert "Offered to you by Nora Quist" in ben.get("/worklist").text
    do(ben, case_id, "acknowledge")
    assert columns(console, "owner, offered_to", case_id) == (ben.account_id, None)
    assert events(console, case_id) == ["acknowledge", "hand_over", "acknowledge"]
    assert "Ben Ortega has it" in do(nora, case_id, "resolve", {"disposition": "advice_given"}, status=409)


def test_an_offer_is_taken_back(console: Console, nora: Person, ben: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    do(nora, case_id, "hand-over", {"to": str(ben.account_id)})
    for _ in range(2):
        do(nora, case_id, "withdraw")
    assert columns(console, "offered_to", case_id) == (None,)
    assert events(console, case_id) == ["acknowledge", "hand_over", "withdraw"]
    do(ben, case_id, "acknowledge", status=409)


def test_it_is_offered_to_nobody_but_clinicians_of_the_care_team(console: Console, nora: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    for to in ("eve", "sam", "asta", "nora", "nobody"):
        answer = do(nora, case_id, "hand-over", {"to": str(console.accounts.get(to, to))}, status=409)
        assert "Choose somebody of this patient’s care team" in answer, to


@pytest.mark.parametrize("to", ["doctor", "lead_nurse"])
def test_escalating_lets_go_of_it_and_tells_anew(console: Console, nora: Person, case_id: UUID, to: str) -> None:
    do(nora, case_id, "acknowledge")
    console.clock.forward(minutes=5)
    for _ in range(2):
        do(nora, case_id, "escalate", {"to": to, "reason": "  190 again,\n she is afraid "})
    now = console.clock.time
    assert columns(
        console, "state, owner, escalated_to, round, step, raised_at, deadline, next_at, contact_by", case_id
    ) == (
        "escalated", None, to, 2, 0, now, now + URGENT.acknowledge_within, now, NOW + URGENT.contact_within,
    )  # fmt: skip
    assert history_of(console.ward, case_id)[1:] == [("escalate", "acknowledged", "escalated", nora.account_id)]
    [(data,)] = console.ward.rows("SELECT data FROM case_event WHERE event = 'escalate'")
    assert data == {"to": to, "reason": "190 again, she is afraid"}
    do(console.sign_in("ada"), case_id, "acknowledge")


def test_escalating_needs_to_whom_and_why(console: Console, nora: Person, case_id: UUID) -> None:
    assert "Say why" in do(nora, case_id, "escalate", {"to": "doctor", "reason": " "}, status=409)
    for form in ({"to": "weekly_review", "reason": "x"}, {}):
        assert "Choose the doctor or the lead nurse" in do(nora, case_id, "escalate", form, status=409)
    assert events(console, case_id) == []


def test_a_silence_has_a_person_a_reason_and_an_end_and_is_ended(console: Console, nora: Person, case_id: UUID) -> None:
    for _ in range(2):
        do(nora, case_id, "silence", {"minutes": "30", "reason": "measures again at noon"})
    until = NOW + timedelta(minutes=30)
    assert columns(console, "state, silenced_until, silenced_by, silenced_why, next_at", case_id) == (
        "raised", until, nora.account_id, "measures again at noon", NOW,
    )  # fmt: skip
    for _ in range(2):
        do(nora, case_id, "end-silence")
    assert columns(console, "silenced_until, silenced_by, silenced_why", case_id) == (None, None, None)
    assert events(console, case_id) == ["silence", "end_silence"]


@pytest.mark.parametrize("tier", list(Tier))
def test_no_silence_is_longer_than_the_tier_allows_and_an_emergency_has_none(
    console: Console, nora: Person, tier: Tier
) -> None:
    case_id = planted_case(console.ward, tier)
    longest = LONGEST_SILENCE[tier]
    minutes = int(longest.total_seconds() // 60) if longest else 0
    for length in (0, minutes + 1):
        do(nora, case_id, "silence", {"minutes": str(length), "reason": "waits"}, status=409)
    assert events(console, case_id) == []
    if minutes:
        do(nora, case_id, "silence", {"minutes": str(minutes), "reason": "waits"})
        assert events(console, case_id) == ["silence"]


def test_a_silence_without_a_length_is_refused(console: Console, nora: Person, case_id: UUID) -> None:
    for minutes in ("-5", "1e3", "soon", "", "99999999999", "²"):
        assert "Say for how long" in do(nora, case_id, "silence", {"minutes": minutes, "reason": "x"}, status=409)


def test_a_silence_without_a_reason_is_refused(console: Console, nora: Person, case_id: UUID) -> None:
    assert "Say why" in do(nora, case_id, "silence", {"minutes": "15"}, status=409)


def test_every_outcome_closes_it_with_a_note_where_one_is_needed(console: Console, nora: Person) -> None:
    for disposition in Disposition:
        case_id, needs_note = planted_case(console.ward), MEANINGS[disposition].needs_note
        do(nora, case_id, "acknowledge")
        if needs_note:
            assert "This outcome needs a note" in do(nora, case_id, "resolve", {"disposition": disposition}, status=409)
        note = "called at noon" if needs_note else ""
        do(nora, case_id, "resolve", {"disposition": disposition.value, "note": note})
        assert columns(console, "state, owner, disposition, resolved_why, resolved_at, next_at", case_id) == (
            "resolved", nora.account_id, disposition.value, note or None, NOW, None,
        )  # fmt: skip


def test_a_case_is_not_closed_without_saying_what_became_of_it(console: Console, nora: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    for disposition in ("", "done"):
        answer = do(nora, case_id, "resolve", {"disposition": disposition}, status=409)
        assert "Say what became of it" in answer
    assert columns(console, "state", case_id) == ("acknowledged",)


ACTS = ("start", "contacted", "hand-over", "withdraw", "escalate", "silence", "end-silence", "resolve")


def filled_in(console: Console, act: str) -> dict[str, str]:
    """A form that says everything that the act asks for."""
    to = str(console.accounts["ada"]) if act == "hand-over" else "doctor"
    return {"to": to, "reason": "x", "minutes": "5", "disposition": "advice_given", "answer": "none"}


def test_a_colleagues_case_is_left_alone(console: Console, nora: Person, ben: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    do(nora, case_id, "silence", {"minutes": "15", "reason": "x"})
    for act in ACTS:
        assert "Nora Quist has it" in do(ben, case_id, act, filled_in(console, act), status=409), act
    assert events(console, case_id) == ["acknowledge", "silence"]


def test_nothing_is_done_to_a_closed_case(console: Console, nora: Person, ben: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    do(nora, case_id, "resolve", {"disposition": "advice_given"})
    for act in (*ACTS, "red-flags"):
        assert "Already closed" in do(ben, case_id, act, filled_in(console, act), status=409), act
    assert events(console, case_id) == ["acknowledge", "resolve"]


@pytest.mark.parametrize("login", ["eve", "asta", "sam"])
def test_outside_the_care_team_there_is_no_such_case(console: Console, case_id: UUID, login: str) -> None:
    stranger = console.sign_in(login)
    for act in (*ACTS, "red-flags", "acknowledge"):
        do(stranger, case_id, act, filled_in(console, act), status=404)
    assert stranger.get(f"/cases/{case_id}").status_code == 404
    assert events(console, case_id) == []


def test_everything_that_people_do_is_audited(console: Console, nora: Person, ben: Person, case_id: UUID) -> None:
    do(nora, case_id, "acknowledge")
    do(nora, case_id, "start")
    do(nora, case_id, "hand-over", {"to": str(ben.account_id)})
    do(nora, case_id, "withdraw")
    do(nora, case_id, "contacted")
    do(nora, case_id, "silence", {"minutes": "15", "reason": "x"})
    do(nora, case_id, "end-silence")
    do(nora, case_id, "red-flags", {"answer": "none"})
    do(nora, case_id, "escalate", {"to": "doctor", "reason": "x"})
    do(nora, case_id, "acknowledge")
    do(nora, case_id, "resolve", {"disposition": "advice_given"})
    audited = console.ward.rows(
        "SELECT action, account_id, patient_id FROM audit WHERE action LIKE 'case.%' ORDER BY audit_id"
    )
    assert audited == [
        (f"case.{event}", nora.account_id, console.ward.patient_id) for event in events(console, case_id)
    ]
    assert len(audited) == 11
