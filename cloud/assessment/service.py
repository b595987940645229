"""Assess whoever's turn it is: each patient in a transaction of their own, which takes their rows away and files what
was found. Whatever ends it in the middle leaves the rows as they were, and the next turn does all of it again."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import psycopg

from cloud.alerts import due
from cloud.alerts.due import Due, What
from cloud.alerts.models import PatientFinding
from cloud.alerts.service import file_findings
from cloud.alerts.store import StoredEvent, cases_of, tell
from cloud.assessment import rules as pure
from cloud.assessment import store
from cloud.assessment.models import Pressures, Strips, Timer
from cloud.assessment.rules import Answered, Found, Started
from cloud.db.connect import Connection
from cloud.faults import placed
from cloud.plans.models import PatientRules
from cloud.plans.store import NOT_WATCHED, held_for
from cloud.zones.store import zones_of
from device_drivers.wall_clocks import Zones

log = logging.getLogger(__name__)

AT_A_TIME = 50
# So long before its end a session may have begun, for which a timer runs (a sitting of an hour is none any more).
SESSION_LOOK_BACK = timedelta(hours=1)
# A patient whose assessment fails (a defect of ours) holds nobody else up, and is tried again.
TRIED_AGAIN_AFTER = timedelta(minutes=5)


class Connections(Protocol):
    """A pool: each connection is in a transaction that commits at the end of its block, or rolls back."""

    def connection(self) -> AbstractContextManager[Connection]:
        """For as long as the block lasts."""


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now."""


@dataclass(slots=True)
class Assessed:
    """What one turn did."""

    patients: int = 0
    events: int = 0
    failed: int = 0


def assess_all(pool: Connections, now: Clock, until: datetime) -> Assessed:
    """Everybody whose turn it is, until nobody is left or ``until`` is past.

    psycopg.OperationalError where the database is away: nothing of the patient at hand was done.
    """
    turn, seen = Assessed(), set[UUID]()
    while now() < until:
        with pool.connection() as connection:
            patients = store.waiting(connection, now(), seen, AT_A_TIME)
        if not patients:
            break
        seen.update(patients)
        for patient_id in patients:
            if now() >= until:
                break
            _assess_one(pool, patient_id, now(), turn)
    return turn


def _assess_one(pool: Connections, patient_id: UUID, at: datetime, turn: Assessed) -> None:
    try:
        with pool.connection() as connection:
            events = assess(connection, patient_id, at)
    except psycopg.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 -- a defect that one patient's readings bring out must not stop the others
        # Never the message: it may quote a row.
        log.error("patient %s was not assessed (%s)", patient_id, placed(error))
        with pool.connection() as connection:
            store.put_off(connection, patient_id, at, at + TRIED_AGAIN_AFTER)
        turn.failed += 1
        return
    if events is not None:
        turn.patients += 1
        turn.events += len(events)


def assess(connection: Connection, patient_id: UUID, at: datetime) -> Sequence[StoredEvent] | None:
    """What is due of one patient; None where nothing is, or somebody else is at it. The caller commits."""
    taken = store.take(connection, patient_id, at)
    if not taken:
        return None
    held = held_for(connection, [patient_id], at)
    watched_from = held.watched_from.get(patient_id)
    if watched_from == NOT_WATCHED:
        store.done(connection, taken)
        return ()
    zones = zones_of(connection, [patient_id])[patient_id]
    look = _Look(connection, patient_id, held.rules[patient_id], zones, at, watched_from)
    for row in taken:
        look.at_row(row)
    look.at_timers()
    # In the order in which everybody takes these locks: what is due, timers, cases.
    store.done(connection, taken)
    if {What.PRESSURE, What.GLUCOSE, What.DAY} & {row.what for row in taken}:
        look.plan_review()
    look.ask_again()
    return look.file()


class _Look:
    """One look at one patient: what was found, and when to look again. Nothing from before ``watched_from`` is read."""

    def __init__(
        self,
        connection: Connection,
        patient_id: UUID,
        rules: PatientRules,
        zones: Zones,
        at: datetime,
        watched_from: datetime | None,
    ) -> None:
        self._connection = connection
        self._patient_id = patient_id
        self._rules = rules
        self._zones = zones
        self._at = at
        self._watched_from = watched_from
        self._found: list[Found] = []
        self._started: list[Started] = []
        self._answered: list[Answered] = []
        self._again: list[Due] = []
        self._reviewed_nothing = False

    def at_row(self, row: Due) -> None:
        """What this row asks for."""
        match row.what:
            case What.PRESSURE:
                self._sessions(row)
            case What.GLUCOSE:
                strips = self._glucose(row.since - pure.GLUCOSE_LOOK_BACK)
                self._found += pure.of_repetition(strips, self._rules, row.since, row.heard_since)
            case What.DAY:
                self._day()
            case What.REMEASURE:
                pass  # the timers are looked at whatever is due

    def at_timers(self) -> None:
        """What has become of the timers that run."""
        timers = store.running(self._connection, self._patient_id)
        if not timers:
            return
        # A session's first reading may lie before the session's end, from which its timer runs.
        since = min(timer.first_at for timer in timers) - SESSION_LOOK_BACK
        pressures = self._pressures(since)
        strips = [*self._glucose(since), *self._ketones(since)]
        timers = [self._readable(timer, [*pressures, *strips]) for timer in timers]
        self._answered, again = pure.of_timers(timers, pressures, strips, self._rules, self._at)
        if again is not None:
            self._look_again(What.REMEASURE, again, again, again)

    def _readable(self, timer: Timer, readings: Sequence[Pressures | Strips]) -> Timer:
        """A crisis is not forgotten because another version of ours wrote it down."""
        if timer.remeasure is not None:
            return timer
        found = pure.rebuilt(timer, readings, self._rules)
        log.error(
            "timer %s was written by another version and %s",
            timer.remeasure_id,
            "cannot be judged" if found.remeasure is None else "is judged by the limit that holds now",
        )
        return found

    def plan_review(self) -> None:
        """The next look at the patient's day; none where the last one found no reading at all."""
        if not self._reviewed_nothing:
            store.review_daily(self._connection, self._patient_id, pure.next_review(self._zones, self._at))

    def ask_again(self) -> None:
        """Set new timers, and have everything looked at again that is not over."""
        timers = [
            due.Timer(patient_id=self._patient_id, reading_id=str(one.reading_id), remeasure=one.remeasure)
            for one in self._started
        ]
        due.start(self._connection, timers)
        starting = {self._patient_id} if timers else set[UUID]()
        asked = [one for one in self._again if one.what is not What.REMEASURE or not starting]
        due.ask(self._connection, asked, starting, (), self._at)

    def file(self) -> Sequence[StoredEvent]:
        """Put what was found into cases, and say of each timer what became of it."""
        answered = [one.found for one in self._answered if one.found is not None]
        findings = [self._of_patient(found) for found in (*self._found, *answered)]
        events = file_findings(self._connection, findings, self._at)
        tell(self._connection, events)
        cases = cases_of(self._connection, self._patient_id, [str(found.reading_id) for found in answered])
        for one in self._answered:
            condition = one.found.finding.condition if one.found else None
            case_id = cases.get((one.timer.reading_id, condition)) if condition else None
            store.answered(self._connection, one.timer.remeasure_id, one.answer, self._at, case_id)
        return events

    def _sessions(self, row: Due) -> None:
        readings = self._pressures(row.since - pure.SESSION_LOOK_BACK)
        said = pure.of_sessions(readings, self._rules, row.since, row.heard_since, self._at)
        self._found += said.found
        self._started += said.started
        if said.open:
            sessions = [sitting.session for sitting in said.open]
            closes_at = min(session.closes_at for session in sessions)
            self._look_again(What.PRESSURE, closes_at, min(session.started_at for session in sessions), row.heard_since)

    def _day(self) -> None:
        review = pure.last_review(self._zones, self._at)
        pressures = self._pressures(review - pure.DAY_LOOK_BACK)
        strips = self._glucose(review - pure.GLUCOSE_LOOK_BACK)
        self._reviewed_nothing = not pressures and not strips
        day = pure.day_before(self._zones, review)
        self._found += pure.of_day(pressures, strips, self._rules, day, review)

    def _pressures(self, since: datetime) -> list[Pressures]:
        return store.pressures(self._connection, self._patient_id, self._counting(since), self._zones)

    def _glucose(self, since: datetime) -> list[Strips]:
        return store.glucose(self._connection, self._patient_id, self._counting(since), self._zones)

    def _ketones(self, since: datetime) -> list[Strips]:
        return store.ketones(self._connection, self._patient_id, self._counting(since), self._zones)

    def _counting(self, since: datetime) -> datetime:
        return since if self._watched_from is None else max(since, self._watched_from)

    def _look_again(self, what: What, at: datetime, since: datetime, heard_since: datetime) -> None:
        self._again.append(Due(patient_id=self._patient_id, what=what, due_at=at, since=since, heard_since=heard_since))

    def _of_patient(self, found: Found) -> PatientFinding:
        return PatientFinding(
            patient_id=self._patient_id,
            finding=found.finding,
            terms=self._rules.programme.terms,
            reading_id=found.reading_id.hex if found.reading_id else None,
            closes_as=found.closes_as,
            again_after=found.again_after,
        )
