"""The rule sets that can be replayed: today's limits on single readings, and the rules of a programme.

Both call the rules as the cloud does; the replay brings no rules of its own.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np

from alerting import assess
from alerting.adherence import Schedule, silence
from alerting.assess import Assessment, Finding
from alerting.comparators import from_column
from alerting.evaluate import violations
from alerting.histories import SAMPLES, History
from alerting.limits import DEFAULT_LIMITS, AlarmLimit, Measure, Priority, Relation
from alerting.reasons import Answer, SilenceStep
from alerting.regimes import Figure, Regime, RegimeLimit
from alerting.remeasure import Answering, Remeasure
from alerting.replay import Raised
from alerting.sessions import MeasurementSession, sessions
from alerting.tiers import TIER_OF, Tier, in_time
from alerting.vigilance import watch
from alerting.windows import Column, Times, aware
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, Reading, ReportedTime, Sample

SILENT = "no_measurement"
_AN_INSTANT = timedelta(microseconds=1)
_NEVER: Times = np.array([], dtype="datetime64[us]")
_DEVICE = DeviceIdentity(manufacturer="Synthetic", model="Year", serial_number="0")
_MDC = {
    Measure.SYSTOLIC: Mdc.PRESS_BLD_NONINV_SYS,
    Measure.DIASTOLIC: Mdc.PRESS_BLD_NONINV_DIA,
    Measure.PULSE: Mdc.PULS_RATE_NON_INV,
    Measure.GLUCOSE: Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleReadings:
    """Each reading on its own against a set of limits (``alerting.evaluate``); nothing closes by itself."""

    name: str = "today's limits on single readings"
    limits: tuple[AlarmLimit, ...] = DEFAULT_LIMITS

    def raised(self, history: History) -> list[Raised]:
        """An alert for each violated limit of each reading, in the order in which readings came."""
        found = []
        for reading, about, at in _readings(history):
            if reading.sample is not Sample.PATIENT:
                continue
            for violation in violations(reading, self.limits):
                tier = in_time(TIER_OF[violation.priority], age=at - about, late_after=assess.LATE_AFTER)
                found.append(Raised(condition=violation.condition, tier=tier, at=at, about=about))
        return sorted(found, key=lambda one: one.at)


def every_reading_above_target(regime: Regime) -> SingleReadings:
    """Each reading against the limits of home averages, each sitting a case of its own: no averages, no rests."""
    targets = tuple(
        replace(limit, condition="above_home_limit", priority=Priority.MEDIUM)
        for limit in regime.limits
        if limit.figure is Figure.HOME_AVERAGE
    )
    return SingleReadings(name=f"every reading against the home limit of {regime.name}", limits=targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme's rules: sessions, measuring again, averages, silence; with what may close by itself.

    ``review_every`` is how often averages, trends and rhythm are looked at.
    """

    name: str
    limits: tuple[RegimeLimit, ...]
    review_every: timedelta = timedelta(days=7)

    def raised(self, history: History) -> list[Raised]:
        """Everything that comes up, in order."""
        parts = (
            _of_readings(history, self.limits),
            _of_sessions(history, self.limits),
            _of_repetition(history, self.limits),
            _of_reviews(history, self.limits, self.review_every),
            _of_silence(history),
        )
        return sorted((one for part in parts for one in part), key=lambda one: one.at)


def programme(regime: Regime) -> Programme:
    """The regime's limits without any patient's own."""
    return Programme(name=f"programme {regime.name}", limits=regime.limits)


# What comes up ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """A figure of one measure with both times."""

    figure: Quantity
    at: datetime
    received_at: datetime


def _of_readings(history: History, limits: Sequence[RegimeLimit]) -> Iterator[Raised]:
    readings = _figures(history)
    single = _series(readings)
    for figures, at, received_at in readings:
        assessed = assess.on_reading(figures, limits, at, received_at)
        yield from _followed(history, assessed, received_at, single)


def _of_sessions(history: History, limits: Sequence[RegimeLimit]) -> Iterator[Raised]:
    sat = sorted(_sessions(history), key=lambda one: one[0].started_at)
    means = _series([(session.figures, session.last_at, received_at) for session, received_at in sat])
    before: MeasurementSession | None = None
    for session, received_at in sat:
        assessed = assess.on_session(session, before, limits, received_at)
        yield from _followed(history, assessed, max(received_at, session.closes_at), means)
        before = session


def _of_repetition(history: History, limits: Sequence[RegimeLimit]) -> Iterator[Raised]:
    """Asked only where a reading is beyond such a limit: any other repeats nothing."""
    repeats = [limit for limit in limits if limit.measure is Measure.GLUCOSE and limit.times > 1]
    for series in history.glucose:
        own, received = series.own, series.received[series.samples == 0]
        for n, value in enumerate(own.values.tolist()):
            if any(_beyond(value, limit, own.unit) for limit in repeats):
                at = aware(own.times[n])
                window = own.rows(slice(None, n + 1)).between(at - assess.GLUCOSE_LOOK_BACK, at + _AN_INSTANT)
                for finding in assess.on_glucose(window, repeats, at):
                    yield _raised(finding, aware(received[n]))


def _followed(
    history: History, assessed: Assessment, at: datetime, series: dict[Measure, list[_Timed]]
) -> Iterator[Raised]:
    """The findings now, and what becomes of the timers."""
    for finding in assessed.findings:
        yield _raised(finding, at)
    for timer in assessed.timers:
        yield from _answered(history, timer, at, series.get(timer.limit.measure, []))


def _answered(history: History, timer: Remeasure, at: datetime, series: list[_Timed]) -> Iterator[Raised]:
    """The timer is looked at whenever an answer arrives, and when it is due."""
    first = bisect_right(series, timer.first_at, key=lambda one: one.at)
    later = [one for one in series[first : first + 12] if one.at <= timer.due]
    moments = sorted({max(at, one.received_at) for one in later if one.received_at <= timer.due} | {max(at, timer.due)})
    for moment in moments:
        known = [Answering(figure=one.figure, at=one.at) for one in later if one.received_at <= moment]
        answer, finding = assess.on_timer(timer, known, moment)
        if finding is not None:
            yield _raised(finding, moment)
            return
        if answer is Answer.CLEARED:
            if timer.limit.confirm is not None and not timer.limit.confirm.at_once:  # else a nurse has the case
                yield _cleared(history, timer, moment)
            return


def _cleared(history: History, timer: Remeasure, at: datetime) -> Raised:
    """Closed by itself where that is allowed; in the heightened period a nurse looks at it as routine."""
    condition = timer.limit.condition
    if watch(history.heightened_until, at).may_close_automatically:
        return Raised(
            condition=condition, tier=None, at=at, about=timer.first_at, closed_as=f"{condition}, not confirmed"
        )
    return Raised(condition=condition, tier=Tier.ROUTINE, at=at, about=timer.first_at)


def _of_reviews(history: History, limits: Sequence[RegimeLimit], every: timedelta) -> Iterator[Raised]:
    """Each at six hours after the patient's midnight, as near as whole intervals allow."""
    at = history.start + timedelta(hours=6) + every
    while at <= history.end:
        for pressure in history.pressure:
            window = pressure.window.between(at - max(assess.PRESSURE_LOOK_BACK, assess.RHYTHM_LOOK_BACK), at)
            yesterday = (at.astimezone(history.start.tzinfo) - timedelta(days=1)).date()
            for finding in assess.daily_pressure(window, limits, yesterday, at):
                yield _raised(finding, at)
        for strips in history.glucose:
            for finding in assess.daily_glucose(strips.own.between(at - assess.GLUCOSE_LOOK_BACK, at), limits, at):
                yield _raised(finding, at)
        at += every


def _of_silence(history: History) -> Iterator[Raised]:
    """The nurse's step of each silence: the same shift in the heightened period, routine after it."""
    for schedule in history.schedules:
        series = history.pressure if schedule.kind is Kind.BLOOD_PRESSURE else history.glucose
        # Silence is what we have not heard.
        times = np.sort(np.concatenate([one.received for one in series])) if series else _NEVER
        heard = [schedule.since, *(aware(time) for time in times), history.end]
        for last, following in pairwise(heard):
            if following - last > timedelta(hours=24):
                yield from _silent(history, schedule, times, (last, min(following, history.end)))


def _silent(history: History, schedule: Schedule, times: Times, between: tuple[datetime, datetime]) -> Iterator[Raised]:
    at, until = between
    while at < until:
        found = silence(schedule, times, watch(history.heightened_until, at), at, timedelta(days=3))
        if found.reason is not None and found.reason.step is SilenceStep.CALL_PATIENT:
            tier = Tier.SAME_SHIFT if found.reason.heightened else Tier.ROUTINE
            yield Raised(condition=SILENT, tier=tier, at=at, about=found.reason.missed_since)
            return
        if found.next_at is None:
            return
        at = found.next_at


def _raised(finding: Finding, at: datetime) -> Raised:
    return Raised(condition=finding.condition, tier=finding.tier, at=at, about=finding.at)


# The history as the rules take it -------------------------------------------------------------------------------------


_Figured = tuple[dict[Measure, Quantity], datetime, datetime]


def _readings(history: History) -> Iterator[tuple[Reading, datetime, datetime]]:
    """Whole readings, with control solution and test strips."""
    for (figures, at, received_at), sample, kind in _all_figures(history):
        reading = Reading(
            device=_DEVICE,
            kind=kind,
            components=tuple(Component(_MDC[measure], quantity) for measure, quantity in figures.items()),
            reported_time=ReportedTime(text="", local=None),
            profile="replay",
            raw=b"",
            sample=sample,
        )
        yield reading, at, received_at


def _figures(history: History) -> list[_Figured]:
    """The figures of the patient's own samples, in order of measurement."""
    own = (row for row, sample, _ in _all_figures(history) if sample is Sample.PATIENT)
    return sorted(own, key=lambda row: row[1])


def _all_figures(history: History) -> Iterator[tuple[_Figured, Sample, Kind]]:
    for series in history.pressure:
        rows = series.window
        columns = {
            Measure.SYSTOLIC: (rows.systolic, rows.unit),
            Measure.DIASTOLIC: (rows.diastolic, rows.unit),
            Measure.PULSE: (rows.pulse, Unit.PER_MIN),
        }
        for row in _rows(columns, rows.times, series.received):
            yield row, Sample.PATIENT, Kind.BLOOD_PRESSURE
    for strips in history.glucose:
        values = {Measure.GLUCOSE: (strips.window.values, strips.window.unit)}
        rows_of = _rows(values, strips.window.times, strips.received)
        for row, sample in zip(rows_of, strips.samples.tolist(), strict=True):
            yield row, SAMPLES[sample], Kind.GLUCOSE


def _rows(columns: dict[Measure, tuple[Column, Unit]], times: Times, received: Times) -> Iterator[_Figured]:
    shown = {measure: [_shown(value, unit) for value in column.tolist()] for measure, (column, unit) in columns.items()}
    for n in range(len(times)):
        figures = {measure: figure for measure, of in shown.items() if (figure := of[n]) is not None}
        yield figures, aware(times[n]), aware(received[n])


def _shown(value: float, unit: Unit) -> Quantity | None:
    return Quantity(Decimal(int(value)), unit) if value.is_integer() else from_column(value, unit)


def _sessions(history: History) -> Iterator[tuple[MeasurementSession, datetime]]:
    """Each session with the time when its last reading reached us."""
    for series in history.pressure:
        received_by = dict(zip(series.window.times.tolist(), series.received, strict=True))
        for session, rows in sessions(series.window):
            yield session, max(aware(received_by[time]) for time in rows.times.tolist())


def _series(readings: Sequence[_Figured]) -> dict[Measure, list[_Timed]]:
    found: dict[Measure, list[_Timed]] = {}
    for figures, at, received_at in readings:
        for measure, figure in figures.items():
            found.setdefault(measure, []).append(_Timed(figure=figure, at=at, received_at=received_at))
    return found


def _beyond(value: float, limit: RegimeLimit, unit: Unit) -> bool:
    bound = limit.values.get(unit)
    if bound is None or limit.figure is not Figure.READING:
        return False
    return value < float(bound) if limit.relation is Relation.BELOW else value >= float(bound)
