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
from alerting.adherence import silence
from alerting.assess import Assessment, Finding
from alerting.comparators import from_column
from alerting.evaluate import violations
from alerting.limits import DEFAULT_LIMITS, AlarmLimit, Measure, Priority, Relation
from alerting.reasons import Answer, SilenceStep
from alerting.regimes import Figure, Regime, RegimeLimit
from alerting.remeasure import Answering, Remeasure
from alerting.replay import Raised
from alerting.sessions import MeasurementSession, sessions
from alerting.synthetic import SAMPLES, PatientYear
from alerting.tiers import TIER_OF, Tier, in_time
from alerting.vigilance import HEIGHTENED_FOR, watch
from alerting.windows import GlucoseWindow, Times, aware
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, Reading, ReportedTime, Sample

SILENT = "no_measurement"
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

    def raised(self, year: PatientYear) -> list[Raised]:
        """An alert for each violated limit of each reading, in the order in which readings came."""
        found = []
        for reading, about, at in _readings(year):
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

    def raised(self, year: PatientYear) -> list[Raised]:
        """Everything that comes up, in order."""
        parts = (
            [*_of_pressure(year, self.limits), *_of_pressure_reviews(year, self.limits, self.review_every)]
            if year.has_pressure
            else [*_of_glucose(year, self.limits), *_of_glucose_reviews(year, self.limits, self.review_every)]
        )
        return sorted([*parts, *_of_silence(year)], key=lambda one: one.at)


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


def _of_pressure(year: PatientYear, limits: Sequence[RegimeLimit]) -> Iterator[Raised]:
    readings = list(_figures(year))
    single = _series(readings)
    for figures, at, received_at in readings:
        assessed = assess.on_reading(figures, limits, at, received_at)
        yield from _followed(year, assessed, received_at, single)
    sat = list(_sessions(year))
    means = _series([(session.figures, session.last_at, received_at) for session, received_at in sat])
    before: MeasurementSession | None = None
    for session, received_at in sat:
        assessed = assess.on_session(session, before, limits, received_at)
        yield from _followed(year, assessed, max(received_at, session.closes_at), means)
        before = session


def _of_glucose(year: PatientYear, limits: Sequence[RegimeLimit]) -> Iterator[Raised]:
    window = _own_samples(year)
    readings = list(_figures(year))
    single = _series(readings)
    repeats = [limit for limit in limits if limit.measure is Measure.GLUCOSE and limit.times > 1]
    for n, (figures, at, received_at) in enumerate(readings):
        assessed = assess.on_reading(figures, limits, at, received_at)
        yield from _followed(year, assessed, received_at, single)
        if any(_beyond(float(window.values[n]), limit, window.unit) for limit in repeats):
            for finding in assess.on_glucose(window.rows(slice(max(0, n - 60), n + 1)), repeats, at):
                yield _raised(finding, received_at)


def _followed(
    year: PatientYear, assessed: Assessment, at: datetime, series: dict[Measure, list[_Timed]]
) -> Iterator[Raised]:
    """The findings now, and what becomes of the timers."""
    for finding in assessed.findings:
        yield _raised(finding, at)
    for timer in assessed.timers:
        yield from _answered(year, timer, at, series.get(timer.limit.measure, []))


def _answered(year: PatientYear, timer: Remeasure, at: datetime, series: list[_Timed]) -> Iterator[Raised]:
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
                yield _cleared(year, timer, moment)
            return


def _cleared(year: PatientYear, timer: Remeasure, at: datetime) -> Raised:
    """Closed by itself where that is allowed; in the heightened period a nurse looks at it as routine."""
    condition = timer.limit.condition
    if watch(year.schedule.since + HEIGHTENED_FOR, at).may_close_automatically:
        return Raised(
            condition=condition, tier=None, at=at, about=timer.first_at, closed_as=f"{condition}, not confirmed"
        )
    return Raised(condition=condition, tier=Tier.ROUTINE, at=at, about=timer.first_at)


def _of_pressure_reviews(year: PatientYear, limits: Sequence[RegimeLimit], every: timedelta) -> Iterator[Raised]:
    for review in _reviews(year, every):
        window = year.pressure.between(review - max(assess.PRESSURE_LOOK_BACK, assess.RHYTHM_LOOK_BACK), review)
        yesterday = review.astimezone(year.schedule.zone).date() - timedelta(days=1)
        for finding in assess.daily_pressure(window, limits, yesterday, review):
            yield _raised(finding, review)


def _of_glucose_reviews(year: PatientYear, limits: Sequence[RegimeLimit], every: timedelta) -> Iterator[Raised]:
    own = _own_samples(year)
    for review in _reviews(year, every):
        window = own.between(review - assess.GLUCOSE_LOOK_BACK, review)
        for finding in assess.daily_glucose(window, limits, review):
            yield _raised(finding, review)


def _of_silence(year: PatientYear) -> Iterator[Raised]:
    """The nurse's step of each silence: the same shift in the heightened period, routine after it."""
    times = np.sort(year.received)  # silence is what we have not heard
    end = year.schedule.since + timedelta(days=year.days)
    heard = [year.schedule.since, *(aware(time) for time in times), end]
    for last, following in pairwise(heard):
        if following - last > timedelta(hours=24):
            yield from _silent(year, times, last, min(following, end))


def _silent(year: PatientYear, times: Times, last: datetime, until: datetime) -> Iterator[Raised]:
    at = last
    while at < until:
        watched = watch(year.schedule.since + HEIGHTENED_FOR, at)
        found = silence(year.schedule, times, watched, at, timedelta(days=3))
        if found.reason is not None and found.reason.step is SilenceStep.CALL_PATIENT:
            tier = Tier.SAME_SHIFT if found.reason.heightened else Tier.ROUTINE
            yield Raised(condition=SILENT, tier=tier, at=at, about=found.reason.missed_since)
            return
        if found.next_at is None:
            return
        at = found.next_at


def _reviews(year: PatientYear, every: timedelta) -> Iterator[datetime]:
    """At six in the morning of the patient's zone, as near as an interval allows."""
    at = year.schedule.since + timedelta(hours=6) + every
    while at <= year.schedule.since + timedelta(days=year.days):
        yield at
        at += every


def _raised(finding: Finding, at: datetime) -> Raised:
    return Raised(condition=finding.condition, tier=finding.tier, at=at, about=finding.at)


# The year as the rules take it ----------------------------------------------------------------------------------------


def _readings(year: PatientYear) -> Iterator[tuple[Reading, datetime, datetime]]:
    """Whole readings, with control solution and test strips."""
    samples = [SAMPLES[n] for n in year.samples]
    for (figures, at, received_at), sample in zip(_all_figures(year), samples, strict=True):
        local = at.replace(tzinfo=None)
        reading = Reading(
            device=_DEVICE,
            kind=Kind.BLOOD_PRESSURE if year.has_pressure else Kind.GLUCOSE,
            components=tuple(Component(_MDC[measure], quantity) for measure, quantity in figures.items()),
            reported_time=ReportedTime(text="", local=local),
            profile="synthetic",
            raw=b"",
            sample=sample,
        )
        yield reading, at, received_at


_Figured = tuple[dict[Measure, Quantity], datetime, datetime]


def _figures(year: PatientYear) -> Iterator[_Figured]:
    """The figures of the patient's own samples, in order of measurement."""
    return (row for row, sample in zip(_all_figures(year), year.samples, strict=True) if sample == 0)


def _all_figures(year: PatientYear) -> Iterator[_Figured]:
    columns = (
        {
            Measure.SYSTOLIC: (year.pressure.systolic, year.pressure.unit),
            Measure.DIASTOLIC: (year.pressure.diastolic, year.pressure.unit),
            Measure.PULSE: (year.pressure.pulse, Unit.PER_MIN),
        }
        if year.has_pressure
        else {Measure.GLUCOSE: (year.glucose.values, year.glucose.unit)}
    )
    times = year.pressure.times if year.has_pressure else year.glucose.times
    shown = {measure: [_shown(value, unit) for value in column.tolist()] for measure, (column, unit) in columns.items()}
    for n in range(len(times)):
        yield {measure: of[n] for measure, of in shown.items()}, aware(times[n]), aware(year.received[n])


def _shown(value: float, unit: Unit) -> Quantity:
    if value.is_integer():
        return Quantity(Decimal(int(value)), unit)
    found = from_column(value, unit)
    if found is None:
        raise ValueError("a synthetic reading has all its figures")
    return found


def _own_samples(year: PatientYear) -> GlucoseWindow:
    return year.glucose.rows(year.samples == 0)


def _sessions(year: PatientYear) -> Iterator[tuple[MeasurementSession, datetime]]:
    """Each session with the time when its last reading reached us."""
    received_by = dict(zip(year.pressure.times.tolist(), year.received, strict=True))
    for session, rows in sessions(year.pressure):
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
