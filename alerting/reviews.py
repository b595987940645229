"""What a doctor compares between two visits: weeks, mornings and evenings, hours of the day, before and after a change.

Everything here is shown and never alerted on. Each figure is one of ``averages``, ``glycaemia`` and ``rhythm``, with
its sufficiency; here it is only asked for several spans, or counted.

What each function needs: the patient's readings of the span that it is asked about, in one unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from alerting.averages import SEVEN_TWO_TWO, HomeAverage, home_average, is_evening, is_morning
from alerting.comparators import rounded
from alerting.glycaemia import PointsInRange, low_episodes, points_in_range
from alerting.limits import Measure
from alerting.rhythm import session_is_irregular
from alerting.sessions import session_places
from alerting.windows import Column, Flags, GlucoseWindow, PressureWindow, Times, finite
from device_drivers.nomenclature import Unit

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days of the patient, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many; at least one."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a 722 average was made of, by the time of day. What lies between noon and 17:00 is in neither."""

    mornings: int
    evenings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IrregularPulse:
    """How often the cuff said so: of ``readings``, ``irregular`` without moving, and ``moved`` (they do not count)."""

    readings: int
    irregular: int
    moved: int
    sessions: int
    irregular_sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Middle:
    """Of the figures of one hour: how many, the middle one, the least, the most."""

    readings: int
    median: Decimal
    least: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LowWeek:
    """Low glucose in seven days. ``low`` and ``very_low`` are occurrences; readings within 30 minutes are one."""

    span: Span
    points: PointsInRange
    low: int  # below 70 mg/dL or 3.9 mmol/L
    very_low: int  # below 54 mg/dL or 3.0 mmol/L; they are among the low ones


def weeks_before(last_day: date, many: int) -> tuple[Span, ...]:
    """So many weeks, the oldest first; the newest ends with ``last_day``."""
    ends = [last_day - n * _WEEK for n in reversed(range(many))]
    return tuple(Span(first=end - timedelta(days=6), last=end) for end in ends)


def either_side(changed_on: date, again_from: date, days: int, today: date) -> tuple[Span, Span] | None:
    """Equal spans before a change and from ``again_from`` on, each of at most ``days``; None where nothing lies after.

    The day of the change belongs to neither side's past: the first span ends on the day before it. A span that is not
    over yet shortens both. ValueError where ``again_from`` is before the change.
    """
    if again_from < changed_on:
        raise ValueError("the time after a change does not begin before it")
    long = min(days, (today - again_from).days + 1)
    if long < 1:
        return None
    before = changed_on - timedelta(days=1)
    return (
        Span(first=before - timedelta(days=long - 1), last=before),
        Span(first=again_from, last=again_from + timedelta(days=long - 1)),
    )


def average_of(window: PressureWindow, span: Span) -> HomeAverage:
    """The home average over a span of any length by the rules of 722: its first day is left out."""
    return home_average(window, span.last, replace(SEVEN_TWO_TWO, days=span.days))


def counted(window: PressureWindow, average: HomeAverage, days: int = SEVEN_TWO_TWO.days) -> Counted:
    """The mornings' and evenings' readings among those of this average."""
    first = average.last_day - timedelta(days=days - 1)
    if average.left_out_day is not None:
        first = average.left_out_day + timedelta(days=1)
    rows = window.of_days(first, average.last_day)
    given = np.isfinite(rows.systolic) & np.isfinite(rows.diastolic)
    return Counted(
        mornings=int((given & is_morning(rows.local)).sum()), evenings=int((given & is_evening(rows.local)).sum())
    )


def difference(one: HomeAverage, other: HomeAverage, measure: Measure) -> Decimal | None:
    """``one`` minus ``other``; None where either says nothing of it."""
    left, right = one.figures.get(measure), other.figures.get(measure)
    return None if left is None or right is None or one.unit is not other.unit else left - right


def irregular_pulse_count(window: PressureWindow) -> IrregularPulse:
    """How often an irregular pulse was flagged, by reading and by session."""
    of = [window.rows(places) for places in session_places(window)]
    return IrregularPulse(
        readings=len(window),
        irregular=int((window.irregular & ~window.moved).sum()),
        moved=int(window.moved.sum()),
        sessions=len(of),
        irregular_sessions=sum(1 for session in of if session_is_irregular(session)),
    )


def by_hour(local: Times, values: Column, unit: Unit) -> dict[int, Middle]:
    """The figures of each hour of the patient's wall clock that has any; HI and LO are left out."""
    given: Flags = np.isfinite(values)
    hours = _hours(local[given])
    return {int(hour): _middle(values[given][hours == hour], unit) for hour in np.unique(hours)}


def low_weeks(window: GlucoseWindow, weeks: Sequence[Span]) -> tuple[LowWeek, ...]:
    """Low glucose in each of these weeks."""
    found = []
    for span in weeks:
        rows = window.of_days(span.first, span.last)
        low, very_low = low_episodes(rows)
        found.append(LowWeek(span=span, points=points_in_range(rows), low=low, very_low=very_low))
    return tuple(found)


def _hours(local: Times) -> NDArray[np.int64]:
    hours: NDArray[np.int64] = (local.astype("datetime64[h]") - local.astype("datetime64[D]")).astype(np.int64)
    return hours


def _middle(values: Column, unit: Unit) -> Middle:
    figures = finite(values)
    return Middle(
        readings=len(figures),
        median=rounded(float(np.median(figures)), unit),
        least=rounded(float(figures.min()), unit),
        most=rounded(float(figures.max()), unit),
    )
