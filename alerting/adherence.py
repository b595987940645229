"""Measurements that were due and did not come, by the patient's own schedule and wall clock.

A due time that the clock skips in spring is due when the clock has moved on; one that it shows twice in autumn is due
the first time. What each function needs: the schedule, and the effective times of the patient's readings of this kind
(UTC, ascending) since a week before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum

import numpy as np

from alerting.reasons import SilenceReason, SilenceStep
from alerting.tiers import Tier
from alerting.vigilance import Vigilance, Watch
from alerting.windows import Times, instant
from device_drivers.readings import Kind

EVERY_DAY = frozenset(range(7))

# HyperLink: at least 6 readings of blood pressure a week; 73 % of its patients reached that over 6 months.
READINGS_A_WEEK = 6

# The condition of the nurse's case: the patient is to be called.
MISSING_MEASUREMENT = "missing_measurement"

# Every weekday comes within this.
_LOOK_AHEAD = timedelta(days=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A measurement at a wall-clock time on some weekdays (Monday is 0), met from ``before`` to ``after`` around it.

    The two tolerances are proposals; a plan may set them. ``since`` and ``until``: from when on it is in the schedule,
    and when it was taken out of it; what was due meanwhile stays due.
    """

    at: time
    weekdays: frozenset[int] = EVERY_DAY
    before: timedelta = timedelta(hours=3)
    after: timedelta = timedelta(hours=2)
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is in the schedule then."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing is due from ``start`` on until ``end`` (None: until it is ended): in hospital, on holiday."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What the patient agreed to measure, in the patient's zone, from ``since`` on."""

    kind: Kind
    zone: tzinfo
    slots: tuple[Slot, ...]
    since: datetime
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One measurement that is due: at this time, met by a reading within these bounds (both included)."""

    at: datetime
    earliest: datetime
    latest: datetime


class Standing(StrEnum):
    """What is to be said of a due measurement now."""

    LATER = "later"
    OPEN = "open"
    DONE = "done"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A due measurement of a day, and how it stands. ``measured_at``: of the reading that met it."""

    kind: Kind
    due: Due
    standing: Standing
    measured_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing since ``reason.missed_since``. ``next_at`` is when to look again if nothing comes (None: never)."""

    reason: SilenceReason | None  # None: nothing is missing, or it is too early for the first step
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """How many of the due measurements of a span were made, and how many readings there were at all."""

    due: int
    made: int
    readings: int
    needed_readings: int

    @property
    def percent(self) -> Decimal | None:
        """Of the due ones; None where nothing was due."""
        if not self.due:
            return None
        return (Decimal(100 * self.made) / self.due).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")

    @property
    def enough(self) -> bool:
        """True from the needed readings on."""
        return self.readings >= self.needed_readings


def due_times(schedule: Schedule, start: datetime, end: datetime) -> tuple[Due, ...]:
    """What is due from ``start`` on and before ``end``, in order, without what a pause covers."""
    first = start.astimezone(schedule.zone).date() - timedelta(days=1)
    last = end.astimezone(schedule.zone).date() + timedelta(days=1)
    begin = max(start, schedule.since)
    found = [due for day in _days(first, last) for due in _of_day(schedule, day) if begin <= due.at < end]
    # By time: a date that a zone skips as a whole (Apia, 30 December 2011) falls on the next, and is due once.
    by_time = {due.at: due for due in found if not _paused(schedule, due.at)}
    return tuple(by_time[at] for at in sorted(by_time))


def today(schedule: Schedule, taken: Times, at: datetime) -> tuple[Task, ...]:
    """What is due on the patient's calendar day, in order, and what is still open of the day before."""
    begins = _midnight(at.astimezone(schedule.zone).date(), schedule.zone)
    ends = _midnight(at.astimezone(schedule.zone).date() + timedelta(days=1), schedule.zone)
    of_day = [_task(schedule.kind, due, taken, at) for due in due_times(schedule, begins, ends)]
    before = [_task(schedule.kind, due, taken, at) for due in due_times(schedule, begins - timedelta(days=1), begins)]
    return (*(task for task in before if task.standing is Standing.OPEN), *of_day)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _task(kind: Kind, due: Due, taken: Times, at: datetime) -> Task:
    met = taken[(taken >= instant(due.earliest)) & (taken <= instant(min(due.latest, at)))]
    if len(met):
        measured: datetime = met[0].astype("datetime64[us]").item()
        return Task(kind=kind, due=due, standing=Standing.DONE, measured_at=measured.replace(tzinfo=UTC))
    standing = Standing.LATER if at < due.earliest else Standing.OPEN if at <= due.latest else Standing.MISSED
    return Task(kind=kind, due=due, standing=standing, measured_at=None)


def missed(schedule: Schedule, taken: Times, start: datetime, at: datetime) -> tuple[Due, ...]:
    """What was due since ``start``, could still be met until before ``at``, and was not."""
    return tuple(due for due in due_times(schedule, start, at) if due.latest < at and not _met(due, taken))


def silence(schedule: Schedule, taken: Times, watch: Watch, at: datetime, look_back: timedelta) -> Silence:
    """The step that the silence since the last reading asks for by now, and when the next one is due.

    Silence begins at the first due measurement after the last reading that no reading met; a reading ends it, even one
    at an odd hour. ``look_back`` bounds the search where there is no reading at all.
    """
    until_now = taken[taken <= instant(at)]
    start = at - look_back
    if len(until_now):
        last: datetime = until_now[-1].astype("datetime64[us]").item()
        start = max(start, last.replace(tzinfo=UTC))
    waiting = [due for due in due_times(schedule, start, at) if not _met(due, until_now)]
    if not waiting:
        return Silence(reason=None, next_at=_first_look(schedule, until_now, watch, at))
    return _step(schedule, waiting, watch, at)


def tier_of(reason: SilenceReason) -> Tier:
    """How soon the patient is called: in the same shift while watched closely, in the routine after that (proposal)."""
    return Tier.SAME_SHIFT if reason.heightened else Tier.ROUTINE


def adherence(schedule: Schedule, taken: Times, start: datetime, end: datetime) -> Adherence:
    """What was due from ``start`` on and before ``end``, and made; needed are a week's readings, in proportion."""
    due = due_times(schedule, start, end)
    weeks = (end - start) / timedelta(days=7)
    return Adherence(
        due=len(due),
        made=sum(1 for one in due if _met(one, taken)),
        readings=int(np.searchsorted(taken, instant(end)) - np.searchsorted(taken, instant(start))),
        needed_readings=round(READINGS_A_WEEK * weeks),
    )


def _step(schedule: Schedule, waiting: list[Due], watch: Watch, at: datetime) -> Silence:
    since = waiting[0].at
    limits = watch.silence
    steps = (
        (SilenceStep.REMIND_PATIENT, limits.remind_patient),
        (SilenceStep.CHECK_TECHNICALLY, limits.check_technically),
        (SilenceStep.CALL_PATIENT, limits.call_patient),
    )
    reached = [(step, limit) for step, limit in steps if at - since >= limit]
    next_at = next((since + limit for _, limit in steps if at - since < limit), None)
    if not reached:
        return Silence(reason=None, next_at=next_at)
    step, limit = reached[-1]
    reason = SilenceReason(
        kind=schedule.kind,
        step=step,
        missed_since=since,
        missed=len(waiting),
        limit=limit,
        source=limits.source,
        heightened=watch.vigilance is Vigilance.HEIGHTENED,
    )
    return Silence(reason=reason, next_at=next_at)


def _first_look(schedule: Schedule, taken: Times, watch: Watch, at: datetime) -> datetime | None:
    """When the next measurement would be missed for as long as the first step asks."""
    coming = due_times(schedule, at, at + _LOOK_AHEAD)
    return next((due.at + watch.silence.remind_patient for due in coming if not _met(due, taken)), None)


def _of_day(schedule: Schedule, day: date) -> Iterator[Due]:
    for slot in schedule.slots:
        if day.weekday() in slot.weekdays:
            # fold=0: of two equal wall-clock times the first; a skipped one is read with the offset from before it.
            at = datetime.combine(day, slot.at, tzinfo=schedule.zone).astimezone(UTC)
            if slot.holds(at):
                yield Due(at=at, earliest=at - slot.before, latest=at + slot.after)


def _days(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def _met(due: Due, taken: Times) -> bool:
    place = int(np.searchsorted(taken, instant(due.earliest), "left"))
    return place < len(taken) and bool(taken[place] <= instant(due.latest))


def _paused(schedule: Schedule, at: datetime) -> bool:
    return any(pause.start <= at and (pause.end is None or at < pause.end) for pause in schedule.pauses)
