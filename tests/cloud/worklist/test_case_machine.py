"""Readings, people and the escalation's job at the same cases, in any order, with the real services and database."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from psycopg import AsyncConnection

from alerting.lifecycle import Event
from alerting.pipeline import Finding
from alerting.reasons import RedFlag
from alerting.tiers import PRIORITY_OF, TERMS, Tier
from cloud.alerts.models import PatientFinding
from cloud.alerts.service import file_findings
from cloud.auth.models import Role, Session
from cloud.db.acting import act_for
from cloud.db.connect import Connection, open_connection
from cloud.escalation import service as escalation
from cloud.jobs.escalating import TELLING
from cloud.worklist import service
from tests.cloud.made import NOW, Ward, new_patient
from tests.cloud.worklist.made import reason_of

CONDITIONS = ("severe_hypertension_systolic", "hypotension_systolic")
TEAM = ("nora", "ben", "ada")
OWNER = "its owner"
people = strategies.sampled_from([*TEAM, OWNER, OWNER])
cases = strategies.sampled_from([0, 0, 0, 1])
OPEN = ("raised", "acknowledged", "in_progress", "escalated")

Act = Callable[[AsyncConnection[Any], Session, UUID], Awaitable[service.Outcome]]


@dataclass
class Stage:
    """A database with a care team, a roster with a hole in it, and a connection for each process."""

    ward: Ward
    accounts: dict[str, UUID]
    jobs: Connection
    console: AsyncConnection[Any]
    runner: asyncio.Runner
    patients: int = field(default=0)

    def session(self, login: str) -> Session:
        return Session(
            token_hash=b"",
            csrf_token="",
            last_seen_at=NOW,
            account_id=self.accounts[login],
            login=login,
            display_name=login,
            role=Role.DOCTOR if login == "ada" else Role.NURSE,
            patient_id=None,
        )

    def new_patient(self) -> UUID:
        self.patients += 1
        patient_id = new_patient(self.ward.admin, f"Patient {self.patients}")
        for login in TEAM:
            self.ward.admin.execute(
                "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, self.accounts[login])
            )
        return patient_id

    def do(self, act: Act, login: str, case_id: UUID) -> service.Outcome:
        """One request: one transaction."""

        async def request() -> service.Outcome:
            async with self.console.transaction():
                await act_for(self.console, self.accounts[login])
                return await act(self.console, self.session(login), case_id)

        return self.runner.run(request())


@pytest.fixture
def stage(ward: Ward, people: dict[str, UUID]) -> Iterator[Stage]:
    """Nurses are on duty from midnight to noon, a doctor always; nobody is lead nurse."""
    for login, role, ends in (("nora", "nurse", "12:00"), ("ben", "nurse", "12:00"), ("ada", "doctor", "00:00")):
        for weekday in range(7):
            ward.admin.execute(
                """INSERT INTO duty_shift (role, account_id, weekday, starts, ends, first_day, set_at)
                   VALUES (%s, %s, %s, '00:00', %s, '2026-01-01', %s)""",
                (role, people[login], weekday, ends, NOW),
            )
    with (
        asyncio.Runner() as runner,
        open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs,
    ):
        console = runner.run(AsyncConnection.connect(ward.database.console_url, autocommit=True))
        try:
            yield Stage(ward, people, jobs, console, runner)
        finally:
            runner.run(console.close())


class Cases(RuleBasedStateMachine):
    """All that happens to one patient's cases."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.now: datetime = NOW
        self.patient_id = stage.new_patient()

    @initialize(tier=strategies.sampled_from([Tier.EMERGENCY, Tier.URGENT, Tier.SAME_SHIFT]))
    def it_begins(self, tier: Tier) -> None:
        self.something_is_found(CONDITIONS[0], tier)

    @rule(condition=strategies.sampled_from(CONDITIONS), tier=strategies.sampled_from(list(Tier)))
    def something_is_found(self, condition: str, tier: Tier) -> None:
        finding = Finding(condition=condition, tier=tier, reason=reason_of(), at=self.now)
        found = PatientFinding(patient_id=self.patient_id, finding=finding, terms=TERMS)
        with self.stage.ward.ingest.transaction():
            file_findings(self.stage.ward.ingest, [found], self.now)

    @rule(minutes=strategies.sampled_from([0, 1, 4, 10, 15, 59, 60, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_jobs_look(self) -> None:
        for case_id, *_ in self.cases("next_at <= %s", self.now):
            with self.stage.jobs.transaction():
                decided = escalation.look(self.stage.jobs, case_id, self.now, TELLING)
            assert decided is not None
            assert decided.next_at is not None
            assert decided.next_at > self.now

    @rule(login=people, which=cases)
    def somebody_acknowledges(self, login: str, which: int) -> None:
        self.act(login, which, lambda conn, who, case: service.acknowledge(conn, who, case, self.now))

    @rule(login=people, which=cases)
    def somebody_starts(self, login: str, which: int) -> None:
        self.act(login, which, lambda conn, who, case: service.start(conn, who, case, self.now))

    @rule(login=people, to=strategies.sampled_from(TEAM), which=cases)
    def somebody_hands_over(self, login: str, to: str, which: int) -> None:
        account_id = self.stage.accounts[to]
        self.act(login, which, lambda conn, who, case: service.hand_over(conn, who, case, account_id, self.now))

    @rule(login=people, which=cases)
    def somebody_takes_the_offer_back(self, login: str, which: int) -> None:
        self.act(login, which, lambda conn, who, case: service.withdraw(conn, who, case, self.now))

    @rule(login=people, which=cases)
    def somebody_speaks_with_the_patient(self, login: str, which: int) -> None:
        self.act(login, which, lambda conn, who, case: service.contact(conn, who, case, self.now))

    @rule(
        login=people,
        which=cases,
        to=strategies.sampled_from(service.ESCALATES_TO),
    )
    def somebody_escalates(self, login: str, which: int, to: str) -> None:
        self.act(login, which, lambda conn, who, case: service.escalate(conn, who, case, to, "worse", self.now))

    @rule(login=people, which=cases, minutes=strategies.integers(0, 90))
    def somebody_silences(self, login: str, which: int, minutes: int) -> None:
        length = timedelta(minutes=minutes)
        self.act(login, which, lambda conn, who, case: service.silence(conn, who, case, length, "waits", self.now))

    @rule(login=people, which=cases)
    def somebody_ends_the_silence(self, login: str, which: int) -> None:
        self.act(login, which, lambda conn, who, case: service.end_silence(conn, who, case, self.now))

    @rule(
        login=people,
        which=cases,
        yes=strategies.sampled_from([(), (RedFlag.CHEST_PAIN,), (RedFlag.CHEST_PAIN, RedFlag.FAINTING)]),
    )
    def somebody_asks_for_symptoms(self, login: str, which: int, yes: tuple[RedFlag, ...]) -> None:
        self.act(login, which, lambda conn, who, case: service.answer(conn, who, case, yes, not yes, self.now))

    @rule(login=people, which=cases)
    def somebody_resolves(self, login: str, which: int) -> None:
        self.act(login, which, lambda conn, who, case: service.resolve(conn, who, case, "advice_given", "", self.now))

    @invariant()
    def at_most_one_case_is_open_of_a_condition(self) -> None:
        conditions = [condition for _, condition, *_ in self.cases("state = ANY(%s)", list(OPEN))]
        assert len(conditions) == len(set(conditions))

    @invariant()
    def the_columns_fit_each_other(self) -> None:
        for case_id, _, state, tier, priority, owner, lease, offered, silenced, next_at, resolved_at in self.cases():
            owned, is_open = state in ("acknowledged", "in_progress"), state in OPEN
            assert (next_at is not None) == is_open == (resolved_at is None), case_id
            assert (lease is not None) == owned, case_id
            assert (owner is not None) == (owned or not is_open), case_id
            assert offered is None or owned, case_id
            assert silenced is None or (is_open and tier != "emergency"), case_id
            assert priority == PRIORITY_OF[Tier(tier)], case_id

    @invariant()
    def every_change_has_an_event_and_every_act_of_a_person_is_audited(self) -> None:
        for case_id, _, state, *_ in self.cases():
            events = self.stage.ward.admin.execute(
                "SELECT from_state, to_state FROM case_event WHERE case_id = %s ORDER BY event_id", (case_id,)
            ).fetchall()
            assert [was for was, _ in events] == [None, *(to for _, to in events[:-1])], "each goes on from the last"
            assert events[-1][1] == state
        [(acts, audited)] = self.stage.ward.admin.execute(
            """SELECT (SELECT count(*) FROM case_event JOIN alert_case USING (case_id)
                       WHERE patient_id = %(patient)s AND actor IS NOT NULL),
                      (SELECT count(*) FROM audit WHERE patient_id = %(patient)s AND action LIKE 'case.%%')""",
            {"patient": self.patient_id},
        )
        assert acts == audited

    @invariant()
    def a_critical_case_that_nobody_has_is_told_of_or_a_look_is_due(self) -> None:
        for case_id, *_ in self.cases(
            """state IN ('raised', 'escalated') AND tier IN ('emergency', 'urgent') AND next_at > %s
               AND silenced_until IS NULL""",
            self.now,
        ):
            [(told, gaps)] = self.stage.ward.admin.execute(
                """SELECT (SELECT count(*) FROM case_page p JOIN alert_case c USING (case_id, round)
                           WHERE case_id = %(case)s),
                          (SELECT count(*) FROM duty_gap_case WHERE case_id = %(case)s)""",
                {"case": case_id},
            )
            assert told or gaps, case_id

    def cases(self, condition: str = "true", *parameters: object) -> list[tuple[Any, ...]]:
        query = f"""SELECT case_id, condition, state, tier, priority, owner, lease_until, offered_to, silenced_until,
                           next_at, resolved_at
                    FROM alert_case WHERE patient_id = %s AND {condition} ORDER BY opened_at DESC, case_id"""  # noqa: S608
        return self.stage.ward.admin.execute(query, (self.patient_id, *parameters)).fetchall()

    def act(self, login: str, which: int, act: Act) -> None:
        """With one of the patient's latest cases; nothing where there is none."""
        cases = self.cases()
        if which >= len(cases):
            return
        case_id, owner = cases[which][0], cases[which][5]
        if login == OWNER:
            login = next((login for login in TEAM if self.stage.accounts[login] == owner), "nora")
        assert self.stage.do(act, login, case_id) is not None


def test_whatever_happens_the_cases_of_a_patient_stay_consistent(stage: Stage) -> None:
    class OfThisStage(Cases):
        def __init__(self) -> None:
            super().__init__(stage)

    # The same courses each time: what must have happened in them is asked below.
    run_state_machine_as_test(
        OfThisStage,
        settings=settings(max_examples=60, stateful_step_count=40, deadline=None, database=None, derandomize=True),
    )
    happened = {event for (event,) in stage.ward.rows("SELECT DISTINCT event FROM case_event")}
    assert happened >= {Event.JOIN, Event.WORSEN, Event.ACKNOWLEDGE, Event.CONTACT, Event.ESCALATE, Event.SILENCE}
