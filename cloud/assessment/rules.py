"""What the rules say of one patient's readings: pure. Each gives what is to be filed, and when to look again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import numpy as np

from alerting import pipeline
from alerting.closing import NOT_CONFIRMED, SAID_AGAIN_AFTER
from alerting.comparators import from_column, violates
from alerting.limits import Measure
from alerting.pipeline import Finding
from alerting.reasons import Answer, LimitReason
from alerting.regimes import Figure, RegimeLimit
from alerting.remeasure import Answering, Remeasure
from alerting.tiers import Tier
from alerting.vigilance import watch
from alerting.windows import aware, instant
from cloud.assessment.models import Pressures, Sitting, Strips, Timer
from cloud.plans.models import PatientRules
from device_drivers.readings import Quantity
from device_drivers.wall_clocks import Zones

# How far a look at new sessions goes back: to the session before the oldest of them.
SESSION_LOOK_BACK = timedelta(days=7)
GLUCOSE_LOOK_BACK = pipeline.GLUCOSE_LOOK_BACK
DAY_LOOK_BACK = max(pipeline.PRESSURE_LOOK_BACK, pipeline.RHYTHM_LOOK_BACK)
# The patient's day that began yesterday at 04:00 is over, and late risers have measured (proposal).
DAY_IS_REVIEWED = time(6)
_AN_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding to be filed. ``closes_as``: the class as which it may close by itself; ``again_after`` as there."""

    finding: Finding
    reading_id: UUID | None = None
    closes_as: str | None = None
    again_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A timer to be set."""

    remeasure: Remeasure
    reading_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A timer that has run; ``found`` is what follows, if anything."""

    timer: Timer
    answer: Answer
    found: Found | None


@dataclass(slots=True, kw_only=True)
class OfSessions:
    """What the closed sessions say; ``open`` are those that a reading may still join."""

    found: list[Found] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    open: list[Sitting] = field(default_factory=list)


def of_sessions(
    readings: Iterable[Pressures], rules: PatientRules, since: datetime, heard_since: datetime, now: datetime
) -> OfSessions:
    """Each session that holds something new: measured from ``since`` on, and here from ``heard_since`` on."""
    said = OfSessions()
    for of_unit in readings:
        before: Sitting | None = None
        for sitting in of_unit.sittings():
            if sitting.session.last_at >= since and sitting.received_at >= heard_since:
                if sitting.session.closes_at > now:
                    said.open.append(sitting)
                else:
                    _say(said, sitting, before, rules)
            before = sitting
    return said


def of_repetition(
    strips: Iterable[Strips], rules: PatientRules, since: datetime, heard_since: datetime
) -> Iterator[Found]:
    """What repeats within a limit's time, told of each reading that completes it."""
    repeats = [x for x in rules.limits if x.measure is Measure.GLUCOSE and x.figure is Figure.READING and x.times > 1]
    for of_unit in strips:
        times = of_unit.window.times
        for place in range(int(np.searchsorted(times, instant(since), "left")), len(times)):
            for limit in repeats:
                if limit.within is not None and _is_beyond(of_unit, place, limit):
                    yield from _repeated(of_unit, place, limit, limit.within, heard_since, rules)


def of_timers(
    timers: Iterable[Timer],
    pressures: Sequence[Pressures],
    strips: Sequence[Strips],
    rules: PatientRules,
    now: datetime,
) -> tuple[list[Answered], datetime | None]:
    """Those that have run by now, and when to look at the others."""
    answered: list[Answered] = []
    looks: list[datetime] = []
    confirmed: dict[str, datetime] = {}  # of each condition, until when answers to a confirmed timer came
    for timer in timers:
        running = timer.remeasure
        if running is None:
            continue
        if running.first_at <= confirmed.get(running.limit.condition, running.first_at - _AN_INSTANT):
            # It was started by the reading that confirmed: somebody has the case, and nobody is asked once more.
            answered.append(Answered(timer=timer, answer=Answer.CONFIRMED, found=None))
            continue
        later, open_until = _later(running, pressures, strips, now)
        answer, finding = pipeline.on_timer(running, later, now)
        if answer is Answer.WAITING or (open_until is not None and answer is not Answer.CONFIRMED):
            looks.append(open_until or running.due)
            continue
        if answer is Answer.CONFIRMED:
            confirmed[running.limit.condition] = running.due
        found = Found(finding=finding, reading_id=timer.reading_id) if finding else None
        if answer is Answer.CLEARED:
            found = _cleared(timer, running, later, rules, now)
        answered.append(Answered(timer=timer, answer=answer, found=found))
    return answered, min(looks, default=None)


def rebuilt(timer: Timer, readings: Iterable[Pressures | Strips], rules: PatientRules) -> Timer:
    """The timer with its first figure as it is stored, and the limit of its condition that holds now.

    As it was, where no such limit asks for a second measurement any more, or the figure is gone.
    """
    for limit in rules.limits:
        if limit.condition == timer.condition and limit.confirm is not None:
            for series in readings:
                figure = _first_figure(timer, series, limit)
                if figure is not None:
                    first = LimitReason(figure=figure, limit=limit)
                    running = Remeasure(first=first, first_at=timer.first_at, earliest=timer.earliest, due=timer.due)
                    return replace(timer, remeasure=running)
    return timer


def _first_figure(timer: Timer, series: Pressures | Strips, limit: RegimeLimit) -> Quantity | None:
    if limit.figure is not Figure.SESSION_MEAN:
        return series.figure(timer.reading_id, limit.measure)
    sittings = series.sittings() if isinstance(series, Pressures) else ()
    began = (sitting.session for sitting in sittings if sitting.first_reading == timer.reading_id)
    return next((session.figures.get(limit.measure) for session in began), None)


def of_day(
    pressures: Iterable[Pressures], strips: Iterable[Strips], rules: PatientRules, day: date, at: datetime
) -> Iterator[Found]:
    """Averages, trends and rhythm up to and with the patient's ``day``, which is over at ``at``."""
    until = at + _AN_INSTANT
    for of_unit in pressures:
        window = of_unit.window.between(at - DAY_LOOK_BACK, until)
        yield from map(_goes_on, pipeline.daily_pressure(window, rules.limits, day, at))
    for strip in strips:
        values = strip.window.between(at - GLUCOSE_LOOK_BACK, until)
        yield from map(_goes_on, pipeline.daily_glucose(values, rules.limits, at))


def _goes_on(finding: Finding) -> Found:
    return Found(finding=finding, again_after=SAID_AGAIN_AFTER)


def last_review(zones: Zones, now: datetime) -> datetime:
    """The latest review of a day that is past, or now."""
    local = now + zones.offset(now)
    reviewed = _review(zones, local.date())
    return reviewed if reviewed <= now else _review(zones, local.date() - timedelta(days=1))


def next_review(zones: Zones, now: datetime) -> datetime:
    """The next one that is to come."""
    local = now + zones.offset(now)
    today = _review(zones, local.date())
    return today if today > now else _review(zones, local.date() + timedelta(days=1))


def day_before(zones: Zones, review: datetime) -> date:
    """The patient's day that this review is about."""
    return (review + zones.offset(review)).date() - timedelta(days=1)


def _review(zones: Zones, on: date) -> datetime:
    """When the patient's clock shows the hour of the review on that date; in UTC where it never does."""
    return next(iter(zones.instants(datetime.combine(on, DAY_IS_REVIEWED))), datetime.combine(on, DAY_IS_REVIEWED, UTC))


def _say(said: OfSessions, sitting: Sitting, before: Sitting | None, rules: PatientRules) -> None:
    assessed = pipeline.on_session(
        sitting.session,
        before.session if before else None,
        rules.limits,
        sitting.received_at,
        rules.programme.late_after,
    )
    said.found += [Found(finding=finding) for finding in assessed.findings]
    said.started += [Started(remeasure=timer, reading_id=sitting.first_reading) for timer in assessed.timers]


def _is_beyond(strips: Strips, place: int, limit: RegimeLimit) -> bool:
    figure = from_column(float(strips.window.values[place]), strips.window.unit)
    return figure is not None and violates(figure, limit)


def _repeated(
    strips: Strips, place: int, limit: RegimeLimit, within: timedelta, heard_since: datetime, rules: PatientRules
) -> Iterator[Found]:
    times = strips.window.times
    at = aware(times[place])
    first = int(np.searchsorted(times, instant(at - within), "right"))
    received_at = aware(strips.received[first : place + 1].max())
    if received_at < heard_since:
        return
    for finding in pipeline.on_glucose(strips.window.rows(slice(first, place + 1)), [limit], at):
        told = pipeline.timely(finding, received_at, rules.programme.late_after)
        yield Found(finding=told, reading_id=strips.reading_ids[place])


def _later(
    running: Remeasure, pressures: Sequence[Pressures], strips: Sequence[Strips], now: datetime
) -> tuple[list[Answering], datetime | None]:
    """What was measured after the first figure; of a session's limit, sessions, and when an open one of them closes."""
    measure, first_at = running.limit.measure, running.first_at
    if running.limit.figure is not Figure.SESSION_MEAN:
        series: Sequence[Pressures | Strips] = (*pressures, *strips)
        return [answer for of_unit in series for answer in of_unit.answers(measure, first_at)], None
    sittings = [s.session for of_unit in pressures for s in of_unit.sittings() if s.session.started_at > first_at]
    later = [
        Answering(figure=session.figures[measure], at=session.last_at)
        for session in sittings
        if measure in session.figures and session.closes_at <= now
    ]
    open_until = [s.closes_at for s in sittings if s.closes_at > now and s.started_at <= running.due]
    return sorted(later, key=lambda answer: answer.at), min(open_until, default=None)


def _cleared(
    timer: Timer, running: Remeasure, later: Iterable[Answering], rules: PatientRules, now: datetime
) -> Found | None:
    """Closed by itself where that is allowed; else a nurse looks at it as routine. Nothing where she has the case."""
    reason = pipeline.cleared(running, later, now)
    if reason is None or (running.limit.confirm is not None and running.limit.confirm.at_once):
        return None
    may_close = (
        NOT_CONFIRMED in rules.programme.automatic_closing
        and watch(rules.heightened_until, now).may_close_automatically
    )
    finding = Finding(condition=running.limit.condition, tier=Tier.ROUTINE, reason=reason, at=running.first_at)
    return Found(finding=finding, reading_id=timer.reading_id, closes_as=NOT_CONFIRMED if may_close else None)
