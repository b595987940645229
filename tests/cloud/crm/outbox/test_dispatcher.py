"""Delivering to a CRM that is away, busy, forgetful or poisoned, over a real database and by real HTTP."""

from datetime import timedelta

import pytest

from cloud.crm.outbox import hints, store
from cloud.crm.outbox.course import LEASE
from cloud.crm.outbox.models import Destination
from cloud.crm.port import Ambiguous, Connector, CrmError, NotYet, Remote, Todo, Try
from cloud.db.connect import open_connection
from deploy.receivers.crm import Fault
from tests.cloud.crm.outbox.made import Telling


def verbs(telling: Telling) -> list[str]:
    """What the CRM did, in order."""
    return [one.data["verb"] for one in telling.crm.taken]


def test_a_case_becomes_a_contact_and_a_todo_and_its_end_completes_it(telling: Telling) -> None:
    case_id = telling.case()
    assert telling.turn() == 1
    telling.happens(case_id, "acknowledge", "acknowledged")
    telling.happens(case_id, "resolve", "resolved")
    assert telling.turn() == 2
    assert verbs(telling) == ["upsert_contact", "add_todo", "add_note", "complete_todo"]
    assert telling.crm.todos() == {telling.reference(case_id): "done"}
    assert telling.states() == [("case.opened", "done"), ("case.taken", "done"), ("case.resolved", "done")]
    assert [one.subject for one in telling.crm.taken] == [telling.reference(telling.ward.patient_id)] * 4
    [todo] = [one for one in telling.crm.taken if one.data["verb"] == "add_todo"]
    assert todo.type == "org.pulsepost.case.opened.v1"
    assert todo.data["urgency"] == "urgent"
    assert todo.data["link"] == f"https://pulsepost.example/crm/open/{todo.data['reference']}"
    [done] = [one for one in telling.crm.taken if one.data["verb"] == "complete_todo"]
    assert done.data["remote_id"] == f"crm-add_todo-{todo.data['reference'][:8]}"


def test_what_joins_a_case_is_told_to_nobody(telling: Telling) -> None:
    case_id = telling.case()
    telling.happens(case_id, "join", "raised")
    assert telling.states() == [("case.opened", "waiting")]


def test_what_is_closed_as_soon_as_it_is_raised_is_nobodys_work(telling: Telling) -> None:
    telling.case(closed_automatically="not_confirmed")
    assert telling.states() == []


def test_a_change_that_is_rolled_back_is_told_to_nobody(telling: Telling) -> None:
    case_id = telling.case()
    with telling.ward.admin.transaction(force_rollback=True):
        telling.happens(case_id, "escalate", "escalated")
        assert telling.states() == [("case.opened", "waiting"), ("case.escalated", "waiting")]
    assert telling.states() == [("case.opened", "waiting")]


def test_a_crm_that_answers_nothing_good_is_tried_less_and_less_and_then_catches_up_in_order(
    telling: Telling,
) -> None:
    """A simulated hour; each case is escalated meanwhile, and the last of them closed."""
    telling.crm.down = True
    patients = [telling.patient(f"Patient {n}") for n in range(4)]
    cases = [telling.case(patient_id) for patient_id in patients]
    tried = 0
    for minute in range(60):
        telling.clock.forward(minutes=1)
        tried += telling.turn()
        if minute == 20:
            for case_id in cases:
                telling.happens(case_id, "escalate", "escalated")
        if minute == 50:
            telling.happens(cases[-1], "resolve", "resolved")
    assert telling.health()["down_since"] is not None
    assert tried == len(telling.crm.requests) < 40
    telling.crm.down = False
    telling.clock.forward(minutes=8)  # a probe comes every five minutes, and up to a half later
    telling.turn()
    assert telling.health()["down_since"] is None
    assert {state for _, state in telling.states()} == {"done"}
    assert telling.crm.repeats == {}
    for case_id in cases:
        told = [one.type.split(".")[3] for one in telling.crm.of(telling.reference(case_id))]
        assert told == ["opened", "escalated", *(["resolved"] if case_id == cases[-1] else [])]
    assert sorted(telling.crm.todos().values()) == ["done", "open", "open", "open"]


def test_one_patient_whose_event_is_stuck_holds_up_no_other(telling: Telling) -> None:
    stuck, other = telling.patient("Stuck"), telling.patient("Other")
    first = telling.case(stuck)
    telling.crm.poison.add(telling.reference(first))
    second = telling.case(stuck, condition="another")
    third = telling.case(other)
    telling.turn()
    assert list(telling.crm.todos()) == [telling.reference(third)]
    assert telling.states() == [("case.opened", "waiting"), ("case.opened", "waiting"), ("case.opened", "done")]
    assert telling.health()["down_since"] is None
    telling.crm.poison.clear()
    telling.clock.forward(minutes=1)
    telling.turn()
    assert list(telling.crm.todos()) == [telling.reference(case) for case in (third, first, second)]


def test_a_poisoned_event_is_given_up_after_its_age_and_can_be_tried_again(telling: Telling) -> None:
    first = telling.case()
    telling.crm.poison.add(telling.reference(first))
    telling.happens(first, "resolve", "resolved")
    second = telling.case(condition="another")
    for _ in range(30):
        telling.clock.forward(minutes=51)
        telling.turn()
    assert telling.states() == [("case.opened", "dead"), ("case.resolved", "done"), ("case.opened", "done")]
    assert list(telling.crm.todos()) == [telling.reference(second)]
    [(why, attempts)] = telling.ward.rows("SELECT last_error, attempts FROM crm_outbox WHERE state = 'dead'")
    assert why == "too old: status 500"
    assert attempts <= 30
    telling.crm.poison.clear()
    telling.ward.admin.execute(
        "INSERT INTO account (login, display_name, role) VALUES ('support', 'Support', 'support')"
    )
    [(support,)] = telling.ward.rows("SELECT account_id FROM account WHERE login = 'support'")
    with telling.ward.admin.transaction():
        telling.ward.admin.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(support),))
        row = telling.ward.admin.execute(
            "SELECT crm_replay(%s, NULL, 'put right', %s)", (telling.destination_id, telling.clock())
        ).fetchone()
    assert row == (1,)
    telling.turn()
    assert telling.crm.todos()[telling.reference(first)] == "done"
    assert {state for _, state in telling.states()} == {"done"}


def test_a_refusal_is_the_end_at_once_and_no_outage(telling: Telling) -> None:
    telling.case()
    telling.crm.faults.extend([Fault.REFUSED])
    telling.turn()
    assert telling.states() == [("case.opened", "dead")]
    assert telling.ward.rows("SELECT last_error FROM crm_outbox") == [("refused: status 422",)]
    assert telling.health()["failures"] == 0


def test_who_asks_us_to_wait_is_not_asked_before(telling: Telling) -> None:
    telling.case()
    telling.crm.faults.append(Fault.BUSY)
    telling.turn()
    telling.clock.forward(seconds=119)
    other = telling.case(telling.patient())
    assert telling.turn() == 0
    telling.clock.forward(seconds=2)
    telling.turn()
    assert telling.crm.todos().keys() >= {telling.reference(other)}
    assert telling.health()["down_since"] is None


def test_a_crm_that_takes_nothing_of_ours_is_down_at_once_and_loses_nothing(telling: Telling) -> None:
    telling.crm.secret, right = b"another secret, also 32 octets!!", telling.crm.secret
    telling.case()
    telling.turn()
    assert telling.health()["down_why"] == "status 401"
    for _ in range(10):
        telling.clock.forward(hours=10)
        telling.turn()
    telling.crm.secret = right
    telling.clock.forward(minutes=8)
    telling.turn()
    assert telling.states() == [("case.opened", "done")]


def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key(telling: Telling) -> None:
    telling.case()
    telling.turn()
    case_id = telling.case(condition="another")
    telling.crm.faults.extend([Fault.DONE_AND_GONE, Fault.DONE_AND_GONE])
    seen: list[Try] = []
    for _ in range(3):
        telling.dispatcher(lambda destination: Watching(telling.connectors(destination), seen)).turn(
            telling.destination
        )
        telling.clock.forward(minutes=1)
    assert telling.states() == [("case.opened", "done"), ("case.opened", "done")]
    assert telling.crm.todos()[telling.reference(case_id)] == "open"
    assert verbs(telling) == ["upsert_contact", "add_todo", "add_todo"]
    assert list(telling.crm.repeats.values()) == [2]
    assert [attempt.may_be_done for attempt in seen] == [False, True, True]
    assert len({attempt.key for attempt in seen}) == 1


class Watching:
    """A connector that keeps what it was tried with."""

    def __init__(self, crm: Connector, seen: list[Try]) -> None:
        self._crm = crm
        self._seen = seen
        self.upsert_contact = crm.upsert_contact
        self.complete_todo = crm.complete_todo
        self.add_note = crm.add_note
        self.create_ticket = crm.create_ticket
        self.log_call = crm.log_call
        self.find_contact_by_phone = crm.find_contact_by_phone

    def add_todo(self, todo: Todo, attempt: Try) -> Remote:
        self._seen.append(attempt)
        return self._crm.add_todo(todo, attempt)


def test_who_dies_with_an_event_in_hand_leaves_it_to_the_next_who_knows_that_it_may_be_done(
    telling: Telling,
) -> None:
    """Between sending and writing down: the CRM has it, and the process is gone."""
    case_id = telling.case()

    class Killed(BaseException):
        """The process ends."""

    class Dying(Watching):
        def add_todo(self, todo: Todo, attempt: Try) -> Remote:
            super().add_todo(todo, attempt)
            raise Killed

    first: list[Try] = []
    with pytest.raises(Killed):
        telling.dispatcher(lambda destination: Dying(telling.connectors(destination), first)).turn(telling.destination)
    assert telling.turn() == 0  # its lease is in force
    telling.clock.forward(seconds=LEASE.total_seconds() + 1)
    second: list[Try] = []
    telling.dispatcher(lambda destination: Watching(telling.connectors(destination), second)).turn(telling.destination)
    assert telling.states() == [("case.opened", "done")]
    assert telling.crm.todos() == {telling.reference(case_id): "open"}
    assert [one.key for one in first] == [one.key for one in second]
    assert [one.may_be_done for one in (*first, *second)] == [False, True]
    assert verbs(telling) == ["upsert_contact", "add_todo"]


def test_who_comes_back_after_the_lease_writes_nothing_over_the_next(telling: Telling) -> None:
    telling.case()
    with telling.connect() as connection:
        late = store.claim(connection, telling.destination_id, telling.clock())
    assert late is not None
    telling.clock.forward(seconds=LEASE.total_seconds() + 1)
    with telling.connect() as connection:
        assert store.claim(connection, telling.destination_id, telling.clock()) is not None
    with telling.connect() as connection:
        assert not store.done(connection, late, telling.clock())
        store.bury(connection, late, "late", telling.clock())
    assert telling.states() == [("case.opened", "waiting")]


def test_a_case_is_raised_while_somebody_writes_down_how_the_crm_stands(telling: Telling) -> None:
    """Its event refers to the destination: whoever holds that row must not hold up the ingest."""
    with open_connection(telling.ward.database.jobs_url, "standing") as jobs:
        store.health(jobs, telling.destination_id)
        telling.ward.admin.execute("SET lock_timeout = '2s'")
        telling.case()
        jobs.rollback()
    assert telling.states() == [("case.opened", "waiting")]


def test_two_dispatchers_take_different_patients_and_keep_the_order_of_one(telling: Telling) -> None:
    one, other = telling.patient("One"), telling.patient("Other")
    for n in range(3):
        telling.case(one, condition=f"c{n}")
        telling.case(other, condition=f"c{n}")
    url = telling.ward.database.jobs_url
    with open_connection(url, "one") as a, open_connection(url, "two") as b:
        first = store.claim(a, telling.destination_id, telling.clock())
        second = store.claim(b, telling.destination_id, telling.clock())
        third = store.claim(b, telling.destination_id, telling.clock())
    assert first is not None
    assert second is not None
    assert {first.patient_id, second.patient_id} == {one, other}
    assert third is None


def test_a_defect_of_ours_with_one_event_stops_no_other(telling: Telling, caplog: pytest.LogCaptureFixture) -> None:
    bad = telling.case(telling.patient("Bad"))
    good = telling.case(telling.patient("Good"))

    class Broken(Watching):
        def add_todo(self, todo: Todo, attempt: Try) -> Remote:
            if todo.reference == telling.reference(bad):
                raise ValueError(todo.title)
            return super().add_todo(todo, attempt)

    def make(destination: Destination) -> Connector:
        return Broken(telling.connectors(destination), [])

    telling.dispatcher(make).turn(telling.destination)
    assert list(telling.crm.todos()) == [telling.reference(good)]
    assert "(ValueError at cloud/crm/" in caplog.text
    assert "Pulsepost:" not in caplog.text
    telling.clock.forward(seconds=timedelta(minutes=1).total_seconds())
    telling.turn()
    assert {state for _, state in telling.states()} == {"done"}


def test_what_has_to_wait_alone_holds_up_no_other(telling: Telling) -> None:
    """As a method that rests, or a todo whose first request may still be at work over there."""
    errors: dict[str, CrmError] = {
        telling.reference(telling.case(telling.patient("Rests"))): NotYet("rests", timedelta(minutes=10)),
        telling.reference(telling.case(telling.patient("Lost"))): Ambiguous("lost", timedelta(seconds=75)),
    }
    other = telling.reference(telling.case(telling.patient("Other")))

    class Waiting(Watching):
        def add_todo(self, todo: Todo, attempt: Try) -> Remote:
            if todo.reference in errors:
                raise errors[todo.reference]
            return super().add_todo(todo, attempt)

    def make(destination: Destination) -> Connector:
        return Waiting(telling.connectors(destination), [])

    telling.dispatcher(make).turn(telling.destination)
    assert list(telling.crm.todos()) == [other]
    assert telling.turn() == 0
    assert telling.health()["down_since"] is None
    telling.clock.forward(minutes=11)
    telling.turn()
    assert telling.crm.todos().keys() == {*errors, other}


def replay(telling: Telling) -> None:
    """Somebody of the support has all dead letters tried again."""
    admin = telling.ward.admin
    admin.execute(
        "INSERT INTO account (login, display_name, role) VALUES ('support', 'Support', 'support')"
        " ON CONFLICT DO NOTHING"
    )
    with admin.transaction():
        admin.execute(
            "SELECT set_config('pulsepost.account_id', account_id::text, true) FROM account WHERE login = 'support'"
        )
        admin.execute("SELECT crm_replay(%s, NULL, 'put right', %s)", (telling.destination_id, telling.clock()))


def test_a_dead_letter_that_is_tried_again_undoes_nothing_that_was_told_after_it(telling: Telling) -> None:
    """The todo keeps the deadline of the escalation, and one that was completed stays so."""
    case_id = telling.case()
    telling.crm.poison.add(telling.reference(case_id))
    telling.turn()
    telling.ward.admin.execute("UPDATE crm_outbox SET state = 'dead', ended_at = next_at")
    telling.crm.poison.clear()
    telling.happens(case_id, "escalate", "escalated")
    telling.turn()
    told = len(telling.crm.taken)
    replay(telling)
    telling.turn()
    assert telling.states() == [("case.opened", "done"), ("case.escalated", "done")]
    assert len(telling.crm.taken) == told
    telling.happens(case_id, "worsen", "raised")
    telling.crm.faults.append(Fault.REFUSED)
    telling.crm.faults.append(Fault.REFUSED)
    telling.happens(case_id, "resolve", "resolved")
    telling.turn()
    assert telling.states()[2:] == [("case.worsened", "dead"), ("case.resolved", "done")]
    replay(telling)
    telling.turn()
    assert {state for _, state in telling.states()} == {"done"}
    assert telling.crm.todos() == {telling.reference(case_id): "done"}


def test_of_what_a_stopped_crm_knows_the_end_is_told_when_it_is_started_again(telling: Telling) -> None:
    case_id = telling.case()
    telling.turn()
    telling.ward.admin.execute("UPDATE crm_destination SET active = false")
    telling.happens(case_id, "resolve", "resolved")
    telling.case(telling.patient("New"))
    assert telling.states() == [("case.opened", "done"), ("case.resolved", "waiting")]
    telling.ward.admin.execute("UPDATE crm_destination SET active = true")
    telling.turn()
    assert telling.crm.todos() == {telling.reference(case_id): "done"}


def test_nobody_hears_of_a_patient_because_they_leave(telling: Telling) -> None:
    known, unknown = telling.patient("Known"), telling.patient("Unknown")
    telling.ward.admin.execute("UPDATE crm_destination SET active = false")
    for patient_id in (known, unknown):
        telling.ward.admin.execute(
            "INSERT INTO participation (patient_id, begun_at, activated_at) VALUES (%(id)s, %(now)s, %(now)s)",
            {"id": patient_id, "now": telling.clock()},
        )
    telling.ward.admin.execute("UPDATE crm_destination SET active = true")
    telling.case(known)
    telling.ward.admin.execute(
        "UPDATE participation SET ended_at = %s, ended_by = %s, end_reason = 'moved', end_note = ''",
        (telling.clock(), telling.ward.nurse_id),
    )
    telling.turn()
    assert telling.states() == [("case.opened", "done"), ("patient.withdrawn", "done")]
    assert {one.subject for one in telling.crm.taken} == {telling.reference(known)}


def test_what_asks_nothing_says_nothing_of_how_the_crm_stands(telling: Telling) -> None:
    """The end of a todo that never was: while the CRM is down it does not look as if it were up."""
    case_id = telling.case()
    telling.crm.down = True
    telling.turn()
    telling.happens(case_id, "resolve", "resolved")
    telling.ward.admin.execute(
        "INSERT INTO crm_remote SELECT destination_id, 'contact', subject, patient_id, patient_id, 'c', at"
        " FROM crm_outbox LIMIT 1"
    )
    for _ in range(3):
        telling.clock.forward(minutes=1)
        telling.turn()
    assert telling.health()["down_since"] is not None
    telling.ward.admin.execute("UPDATE crm_outbox SET state = 'dead', ended_at = next_at WHERE type LIKE '%opened%'")
    telling.clock.forward(minutes=8)
    assert telling.turn() == 1
    assert telling.states() == [("case.opened", "dead"), ("case.resolved", "done")]
    assert telling.health()["down_since"] is not None


def test_a_hint_that_breaks_a_connector_holds_up_no_other(telling: Telling, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("Bad", "Good"):
        telling.case(telling.patient(name))
    telling.turn()
    telling.ward.admin.execute(
        "SELECT crm_hear(destination_id, remote_id, 'todo_completed', remote_id, NULL, NULL, NULL, made_at)"
        " FROM crm_remote WHERE kind = 'todo'"
    )
    [(bad,), (good,)] = telling.ward.rows("SELECT event_id FROM crm_inbox ORDER BY next_at, event_id")

    class Asked(Watching):
        def is_completed(self, todo_remote_id: str, attempt: Try) -> bool:
            del attempt
            if todo_remote_id == bad:
                raise KeyError(todo_remote_id)
            return True

    def make(destination: Destination) -> Connector:
        return Asked(telling.connectors(destination), [])

    assert hints.settle(telling.connect, make, telling.destination, telling.clock) == 2
    assert dict(telling.ward.rows("SELECT event_id, outcome FROM crm_inbox")) == {bad: None, good: "noted"}
    assert "cannot be settled (KeyError at " in caplog.text
    telling.clock.forward(hours=25)
    hints.settle(telling.connect, make, telling.destination, telling.clock)
    assert dict(telling.ward.rows("SELECT event_id, outcome FROM crm_inbox")) == {bad: "unknown", good: "noted"}
