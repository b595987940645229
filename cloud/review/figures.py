"""From a patient's readings to the figures of a review. Pure: the rules are ``alerting``'s, here they are asked."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

import numpy as np

from alerting.adherence import Adherence, Schedule, adherence
from alerting.averages import (
    EVENING,
    MORNING,
    HomeAverage,
    evening_average,
    home_average,
    is_morning,
    morning_average,
)
from alerting.glycaemia import points_in_range, summary
from alerting.histories import GlucoseSeries, PressureSeries
from alerting.limits import Measure
from alerting.regimes import Category, Regime, controlled, home_category
from alerting.reviews import (
    Span,
    average_of,
    counted,
    either_side,
    irregular_pulse_count,
    low_weeks,
    weeks_before,
)
from alerting.rhythm import IRREGULAR_PULSE, irregular_pulse
from alerting.sessions import sessions
from alerting.variability import day_to_day
from alerting.windows import DAY_STARTS, GlucoseWindow, PressureWindow, Times
from cloud.review.models import Change, Compared, Figures, GlucoseFigures, PressureFigures, Stored
from device_drivers.readings import Kind

# The trend of weeks.
WEEKS: Final = 13
# The rules ask for glucose over this span; low glucose is counted by week.
GLUCOSE_DAYS: Final = 14
LOW_WEEKS: Final = 4
# Adherence, of which a KPI is by the week.
ADHERENCE_DAYS: Final = 28
SESSIONS_SHOWN: Final = 30


def day_of(at: datetime, zone: tzinfo) -> date:
    """The patient's day: it begins at 04:00."""
    return (at.astimezone(zone) - DAY_STARTS).date()


def figures_of(stored: Stored, regime: Regime, at: datetime) -> tuple[Figures, ...]:
    """Of each kind and unit with a reading; the unit with the newest reading first of its kind."""
    today = day_of(at, stored.zone)
    pressure = [
        _pressure(one.window, stored, regime, today, at)
        for one in sorted(stored.pressure, key=lambda one: one.window.times[-1], reverse=True)
        if len(one.window)
    ]
    glucose = [
        _glucose(window, stored, today, at)
        for window in sorted(
            (one.own for one in stored.glucose if len(one.own)), key=lambda window: window.times[-1], reverse=True
        )
    ]
    return (*pressure, *glucose)


def compared(stored: Stored, regime: Regime, change: Change, at: datetime) -> Compared | None:
    """The same figures for equal spans on both sides; None where the time after has not begun."""
    spans = either_side(change.changed_on, change.again_from, change.days, day_of(at, stored.zone))
    if spans is None:
        return None
    before, after = spans
    pressure = [
        (_pressure_in(one.window, before, regime), _pressure_in(one.window, after, regime)) for one in stored.pressure
    ]
    glucose = [(_glucose_in(one.own, before), _glucose_in(one.own, after)) for one in stored.glucose]
    pairs: list[tuple[Figures, Figures]] = [*pressure, *glucose]
    return Compared(
        change=change,
        before=before,
        after=after,
        figures=tuple(pair for pair in pairs if len(pair[0].window) or len(pair[1].window)),
    )


def _pressure(window: PressureWindow, stored: Stored, regime: Regime, today: date, at: datetime) -> PressureFigures:
    average = home_average(window, today)
    week = window.of_days(today - timedelta(days=6), today)
    month = window.between(at - IRREGULAR_PULSE.within, at)
    return PressureFigures(
        window=window,
        average=average,
        counted=counted(window, average),
        morning=morning_average(window, today),
        evening=evening_average(window, today),
        weeks=tuple(home_average(window, span.last) for span in weeks_before(today, WEEKS)),
        variability=day_to_day(week.rows(is_morning(week.local))),
        irregular=irregular_pulse_count(month),
        rhythm=irregular_pulse(window, at),
        category=_category(regime, average),
        controlled=_controlled(regime, average),
        adherence=_adherence(stored.schedules, Kind.BLOOD_PRESSURE, _taken(stored.pressure), at),
        sessions=tuple(session for session, _ in sessions(window))[: -SESSIONS_SHOWN - 1 : -1],
    )


def _pressure_in(window: PressureWindow, span: Span, regime: Regime) -> PressureFigures:
    """The figures of one span alone: no trend, no adherence, no session."""
    rows = window.of_days(span.first, span.last)
    average = average_of(rows, span)
    return PressureFigures(
        window=rows,
        average=average,
        counted=counted(rows, average, span.days),
        morning=morning_average(rows, span.last, replace(MORNING, days=span.days)),
        evening=evening_average(rows, span.last, replace(EVENING, days=span.days)),
        weeks=(),
        variability=day_to_day(rows.rows(is_morning(rows.local))),
        irregular=irregular_pulse_count(rows),
        rhythm=None,
        category=_category(regime, average),
        controlled=_controlled(regime, average),
        adherence=None,
        sessions=(),
    )


def _glucose(window: GlucoseWindow, stored: Stored, today: date, at: datetime) -> GlucoseFigures:
    recent = window.of_days(today - timedelta(days=GLUCOSE_DAYS - 1), today)
    return GlucoseFigures(
        window=window,
        recent=recent,
        summary=summary(recent),
        points=points_in_range(recent),
        weeks=low_weeks(window, weeks_before(today, LOW_WEEKS)),
        adherence=_adherence(stored.schedules, Kind.GLUCOSE, _taken(stored.glucose), at),
    )


def _glucose_in(window: GlucoseWindow, span: Span) -> GlucoseFigures:
    rows = window.of_days(span.first, span.last)
    return GlucoseFigures(
        window=rows,
        recent=rows,
        summary=summary(rows),
        points=points_in_range(rows),
        weeks=low_weeks(rows, [span]),
        adherence=None,
    )


def _category(regime: Regime, average: HomeAverage) -> Category | None:
    systolic, diastolic = average.figures.get(Measure.SYSTOLIC), average.figures.get(Measure.DIASTOLIC)
    if systolic is None or diastolic is None:
        return None
    return home_category(regime, systolic, diastolic, average.unit)


def _controlled(regime: Regime, average: HomeAverage) -> bool | None:
    systolic, diastolic = average.figures.get(Measure.SYSTOLIC), average.figures.get(Measure.DIASTOLIC)
    if systolic is None or diastolic is None:
        return None
    return controlled(regime, systolic, diastolic, average.unit)


def _taken(series: Sequence[PressureSeries] | Sequence[GlucoseSeries]) -> Times:
    """When the patient measured, in whatever unit: who changed the device has measured all the same."""
    found = [one.own.times if isinstance(one, GlucoseSeries) else one.window.times for one in series]
    taken: Times = np.sort(np.concatenate(found))
    return taken


def _adherence(schedules: Iterable[Schedule], kind: Kind, taken: Times, at: datetime) -> Adherence | None:
    """Of all schedules of this kind that held in the time; None without any, or where nothing was due."""
    found = [adherence(one, taken, at - timedelta(days=ADHERENCE_DAYS), at) for one in schedules if one.kind is kind]
    return _summed(found) if any(one.due for one in found) else None


def _summed(found: Sequence[Adherence]) -> Adherence:
    # Each counts all readings of the time: only what was due is of one schedule.
    return Adherence(
        due=sum(one.due for one in found),
        made=sum(one.made for one in found),
        readings=found[0].readings,
        needed_readings=found[0].needed_readings,
    )
