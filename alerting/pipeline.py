"""The order of the rules for one patient: on a reading, when a session closes, when a timer is due, once a day.

Pure: no clock, no database. Each entry point takes exactly the state that the caller has to load for it:

``on_reading``  the reading's own figures, nothing else
``on_session``  the closed session's readings, and the session before it
``on_doubted``  a reading that is perhaps not the patient's, and what they usually have
``on_timer``    the running timer and the later figures of its measure (``alerting.remeasure``)
``on_glucose``  the finger-sticks of the last day (what repeats within a day is not left to the daily review)
``daily``       the last three weeks of blood pressure, the last 30 days' flags, the last 14 days of finger-sticks

A control solution and a test reading never get here: windows leave them out and ``quantities`` is empty for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from alerting import averages, glycaemia, remeasure, rhythm
from alerting.comparators import beyond, violates
from alerting.limits import MEASURE_OF, Measure, Relation
from alerting.reasons import (
    Answer,
    DifferenceReason,
    LateReason,
    LimitReason,
    Reason,
    RemeasureReason,
    UnfamiliarReason,
)
from alerting.regimes import OURS, Figure, RegimeLimit
from alerting.remeasure import Answering, Remeasure
from alerting.sessions import MeasurementSession
from alerting.tiers import Tier, in_time
from alerting.windows import GlucoseWindow, PressureWindow
from device_drivers.readings import Quantity, Reading, Sample

LATE_AFTER = timedelta(hours=6)
PRESSURE_LOOK_BACK = timedelta(days=22)
RHYTHM_LOOK_BACK = rhythm.IRREGULAR_PULSE.within
GLUCOSE_LOOK_BACK = timedelta(days=14)
IRREGULAR_PULSE = "irregular_pulse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person must act on, by its tier. One open case per patient and condition takes it in."""

    condition: str
    tier: Tier
    reason: Reason
    at: datetime  # the effective time of what was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What follows: findings now, and timers to be set."""

    findings: tuple[Finding, ...] = ()
    timers: tuple[Remeasure, ...] = ()


def quantities(reading: Reading) -> Mapping[Measure, Quantity]:
    """The figures of a patient's sample; nothing of control solution and test readings."""
    if reading.sample is not Sample.PATIENT:
        return {}
    return {MEASURE_OF[c.code]: c.quantity for c in reading.components if c.code in MEASURE_OF}


def on_reading(
    figures: Mapping[Measure, Quantity],
    limits: Iterable[RegimeLimit],
    effective_time: datetime,
    received_at: datetime,
    late_after: timedelta = LATE_AFTER,
) -> Assessment:
    """One reading against the limits on single readings that need no repetition.

    A limit that wants confirming starts its timer at once. A late reading starts none: nobody can measure again, so it
    is a finding in retrospect.
    """
    single = [limit for limit in limits if limit.figure is Figure.READING and limit.times == 1]
    reasons = _gravest(LimitReason(figure=figures[x.measure], limit=x) for x in single if x.measure in figures)
    return _assessed(reasons, effective_time, received_at, late_after)


def on_session(
    session: MeasurementSession,
    before: MeasurementSession | None,
    limits: Iterable[RegimeLimit],
    received_at: datetime,
    late_after: timedelta = LATE_AFTER,
) -> Assessment:
    """A closed session's means against the limits on sessions, and against the session before it."""
    limits = tuple(limits)
    means = [limit for limit in limits if limit.figure is Figure.SESSION_MEAN]
    reasons: list[LimitReason | DifferenceReason] = list(
        _gravest(
            LimitReason(figure=session.figures[limit.measure], limit=limit, readings=session.used)
            for limit in means
            if limit.measure in session.figures
        )
    )
    if before is not None:
        rises = (_rise(session, before, limit) for limit in limits if limit.figure is Figure.SESSION_RISE)
        reasons += [rise for rise in rises if rise is not None]
    return _assessed(reasons, session.last_at, received_at, late_after)


def on_doubted(
    figures: Mapping[Measure, Quantity],
    doubt: UnfamiliarReason,
    limits: Iterable[RegimeLimit],
    effective_time: datetime,
    received_at: datetime,
    late_after: timedelta = LATE_AFTER,
) -> tuple[Finding, ...]:
    """What a reading says that is perhaps not the patient's, by itself: no session is formed with it before somebody
    says whose it is, so it stands for one alone, and what is usual stands for the session before.

    Nobody may be told to measure again whose it perhaps was not, so no timer stands in front of a finding.
    """
    limits = tuple(limits)
    alone = MeasurementSession(
        started_at=effective_time, last_at=effective_time, device=0, readings=1, used=1, figures=dict(figures)
    )
    usual = replace(alone, figures={doubt.measure: Quantity(doubt.usual, doubt.figure.unit)})
    found: dict[str, Finding] = {}
    for said in (
        on_reading(figures, limits, effective_time, received_at, late_after),
        on_session(alone, usual, limits, received_at, late_after),
    ):
        timers = (
            Finding(condition=one.limit.condition, tier=one.limit.tier, reason=one.first, at=effective_time)
            for one in said.timers
        )
        for finding in (*said.findings, *timers):
            found.setdefault(finding.condition, finding)
    return tuple(found.values())


def on_timer(timer: Remeasure, later: Iterable[Answering], at: datetime) -> tuple[Answer, Finding | None]:
    """What has become of "measure again" by now: a finding where it is confirmed or unanswered."""
    judged = remeasure.judge(timer, later, at)
    if judged.tier is None:
        return judged.answer, None
    return judged.answer, Finding(
        condition=timer.limit.condition, tier=judged.tier, reason=judged.reason, at=timer.first_at
    )


def cleared(timer: Remeasure, later: Iterable[Answering], at: datetime) -> RemeasureReason | None:
    """Why this timer may be closed without anybody, or None: only where measuring again found nothing."""
    judged = remeasure.judge(timer, later, at)
    return judged.reason if judged.answer is Answer.CLEARED else None


def on_glucose(window: GlucoseWindow, limits: Iterable[RegimeLimit], at: datetime) -> tuple[Finding, ...]:
    """What repeats within the limits' own time, the newest reading of the window included."""
    found = []
    for limit in limits:
        if limit.measure is Measure.GLUCOSE and limit.figure is Figure.READING and limit.times > 1:
            reason = glycaemia.repeated(window, limit, at)
            if reason is not None:
                found.append(Finding(condition=limit.condition, tier=limit.tier, reason=reason, at=at))
    return tuple(found)


def daily_pressure(
    window: PressureWindow, limits: Sequence[RegimeLimit], day: date, at: datetime
) -> tuple[Finding, ...]:
    """Averages, morning, trend and rhythm up to and with the patient's ``day``, which is over."""
    week, before = (averages.home_average(window, day - timedelta(days=n)) for n in (0, 7))
    reasons: list[tuple[RegimeLimit, Reason]] = [
        (reason.limit, averages.sustained_above([before, week], reason.limit) or reason)
        for reason in averages.averages_above(week, limits, Figure.HOME_AVERAGE)
    ]
    reasons += [
        (limit, rise)
        for limit in limits
        if limit.figure is Figure.WEEK_RISE and (rise := averages.difference_above(week, before, limit))
    ]
    reasons += _of_mornings(window, limits, day)
    found = [Finding(condition=limit.condition, tier=limit.tier, reason=reason, at=at) for limit, reason in reasons]
    irregular = rhythm.irregular_pulse(window, at)
    if irregular is not None:
        found.append(Finding(condition=IRREGULAR_PULSE, tier=Tier.ROUTINE, reason=irregular, at=at))
    return tuple(found)


def daily_glucose(window: GlucoseWindow, limits: Iterable[RegimeLimit], at: datetime) -> tuple[Finding, ...]:
    """Fasting mean and risk index of the window (14 days)."""
    found: list[Finding] = []
    for limit in limits:
        reason: Reason | None = None
        if limit.figure is Figure.FASTING_MEAN:
            reason = glycaemia.fasting_mean_above(window, limit, at)
        elif limit.figure is Figure.LOW_GLUCOSE_INDEX:
            reason = glycaemia.index_above(glycaemia.summary(window), limit)
        if reason is not None:
            found.append(Finding(condition=limit.condition, tier=limit.tier, reason=reason, at=at))
    return tuple(found)


def timely(finding: Finding, received_at: datetime, late_after: timedelta = LATE_AFTER) -> Finding:
    """The finding as it stands; or in retrospect, where what completes it reached us too late for anybody to act on."""
    age = received_at - finding.at
    if in_time(finding.tier, age=age, late_after=late_after) is not Tier.RETROSPECTIVE:
        return finding
    reason = LateReason(
        finding=finding.reason,
        effective_time=finding.at,
        received_at=received_at,
        late_after=late_after,
        source=OURS,
    )
    return replace(finding, tier=Tier.RETROSPECTIVE, reason=reason)


def _of_mornings(window: PressureWindow, limits: Sequence[RegimeLimit], day: date) -> list[tuple[RegimeLimit, Reason]]:
    morning = averages.morning_average(window, day)
    if not morning.sufficiency.enough:
        return []
    found: list[tuple[RegimeLimit, Reason]] = [
        (reason.limit, reason) for reason in averages.averages_above(morning, limits, Figure.MORNING_AVERAGE)
    ]
    excess = next((limit for limit in limits if limit.figure is Figure.MORNING_EXCESS), None)
    high = next((x for x in limits if x.figure is Figure.HOME_AVERAGE and x.measure is Measure.SYSTOLIC), None)
    if excess is not None and high is not None:
        evening = averages.evening_average(window, day)
        dominant = averages.morning_dominant(morning, evening, excess, high)
        if dominant is not None:
            found.append((excess, dominant))
    return found


def _gravest(reasons: Iterable[LimitReason]) -> list[LimitReason]:
    """The violated ones, only the first (the gravest) of each measure and direction."""
    found: dict[tuple[Measure, bool], LimitReason] = {}
    for reason in reasons:
        if violates(reason.figure, reason.limit):
            found.setdefault((reason.limit.measure, reason.limit.relation is Relation.BELOW), reason)
    return list(found.values())


def _rise(session: MeasurementSession, before: MeasurementSession, limit: RegimeLimit) -> DifferenceReason | None:
    now, then = session.figures.get(limit.measure), before.figures.get(limit.measure)
    if now is None or then is None or now.value is None or then.value is None or now.unit is not then.unit:
        return None
    bound = limit.values.get(now.unit)
    difference = now.value - then.value
    if bound is None or not beyond(difference, limit.relation, bound):
        return None
    return DifferenceReason(now=now, before=then, difference=difference, unit=now.unit, limit=limit)


def _assessed(
    reasons: Iterable[LimitReason | DifferenceReason],
    effective_time: datetime,
    received_at: datetime,
    late_after: timedelta,
) -> Assessment:
    findings: list[Finding] = []
    timers: list[Remeasure] = []
    for reason in reasons:
        limit = reason.limit
        found = Finding(condition=limit.condition, tier=limit.tier, reason=reason, at=effective_time)
        told = timely(found, received_at, late_after)
        if told is not found:
            findings.append(told)
            continue
        timer = remeasure.started(reason, effective_time, received_at) if isinstance(reason, LimitReason) else None
        if timer is not None:
            timers.append(timer)
        if timer is None or (limit.confirm is not None and limit.confirm.at_once):
            findings.append(found)
    return Assessment(findings=tuple(findings), timers=tuple(timers))
