"""Finger-stick glucose over time: risk indices, mean and spread, points in range, repeated values beyond a limit.

Finger-sticks are no samples at even distances, so the shares are called points in range, never time in range, and no
GMI is computed: both are defined for continuous sensors. LBGI and HBGI: Kovatchev; the function of mmol/L is his, not a
conversion. HI and LO count as points out of range; a mean and an index leave them out, and say so.

What each function needs: the readings of the window that it is asked about (14 days; 7 or 1 for repetition), by unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from alerting.comparators import beyond, from_column, rounded
from alerting.limits import Relation
from alerting.reasons import IndexReason, LimitReason, RepeatedReason
from alerting.regimes import RegimeLimit, glucose
from alerting.sufficiency import Sufficiency
from alerting.windows import Column, Flags, GlucoseWindow, Times, days, instant
from device_drivers.nomenclature import Unit

NEEDED_READINGS = 14
NEEDED_DAYS = 7
_NEEDED_BY = "a proposal of this project"
# A fasting mean over 3 days: one reading on each.
FASTING_DAYS = 3

# Readings closer together are one occurrence: who is low measures again, and that is no second episode (proposal).
EPISODE_GAP = timedelta(minutes=30)

# CGM consensus: these bounds of ranges in each unit; here they sort finger-sticks.
_BOUNDS: Mapping[str, Mapping[Unit, Decimal]] = {
    "54": glucose("54", "3.0"),
    "70": glucose("70", "3.9"),
    "180": glucose("180", "10.0"),
    "250": glucose("250", "13.9"),
}

# Upper ends of LBGI's bands: minimal, low, moderate; above the last it is high. The same for HBGI's low and moderate.
_LBGI_BANDS = ((Decimal("1.1"), "minimal"), (Decimal("2.5"), "low"), (Decimal("5"), "moderate"))
_HBGI_BANDS = ((Decimal("4.5"), "low"), (Decimal("9"), "moderate"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsInRange:
    """How many of the points lie where; together they are all of them. HI and LO are counted."""

    below_54: int
    from_54_to_70: int
    in_range: int  # 70 to 180, both included
    above_180_to_250: int
    above_250: int

    @property
    def points(self) -> int:
        """All of them."""
        return self.below_54 + self.from_54_to_70 + self.in_range + self.above_180_to_250 + self.above_250

    @property
    def percent_in_range(self) -> Decimal:
        """0 where there are no points."""
        if not self.points:
            return Decimal(0)
        return (Decimal(100 * self.in_range) / self.points).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Mean, standard deviation (n − 1), coefficient of variation in percent (its target of 36 % is of sensors)."""

    mean: Decimal
    standard_deviation: Decimal
    coefficient_of_variation: Decimal
    low_index: Decimal
    low_band: str
    high_index: Decimal
    high_band: str
    points: PointsInRange


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseSummary:
    """``figures`` is None where ``sufficiency`` says that there is too little."""

    unit: Unit
    sufficiency: Sufficiency
    figures: Figures | None


def risk(values: Column, unit: Unit) -> Column:
    """Kovatchev's f: 0 at 112.5 mg/dL, negative below, positive above."""
    match unit:
        case Unit.MG_DL:
            f: Column = 1.509 * (np.log(values) ** 1.084 - 5.381)
        case Unit.MMOL_L:
            # Below 1 mmol/L the logarithm is negative and has no such power; meters show LO there.
            f = 1.794 * (np.maximum(np.log(values), 0.0) ** 1.026 - 1.861)
        case _:
            raise ValueError(f"glucose is not measured in {unit}")
    return f


def low_risk(values: Column, unit: Unit) -> Column:
    """rl = 10·f² where f < 0, else 0."""
    f = risk(values, unit)
    return np.where(f < 0, 10 * f**2, 0.0)


def high_risk(values: Column, unit: Unit) -> Column:
    """rh = 10·f² where f > 0, else 0."""
    f = risk(values, unit)
    return np.where(f > 0, 10 * f**2, 0.0)


def low_band(index: Decimal) -> str:
    """Minimal up to 1.1, low up to 2.5, moderate up to 5, else high."""
    return _band(index, _LBGI_BANDS)


def high_band(index: Decimal) -> str:
    """Low up to 4.5, moderate up to 9, else high."""
    return _band(index, _HBGI_BANDS)


def points_in_range(window: GlucoseWindow) -> PointsInRange:
    """Every point of the window, HI and LO too, by the bounds published for its unit."""
    values = window.values[~np.isnan(window.values)]
    bound = {name: float(of[window.unit]) for name, of in _BOUNDS.items()}
    below_54, below_70 = int((values < bound["54"]).sum()), int((values < bound["70"]).sum())
    above_180, above_250 = int((values > bound["180"]).sum()), int((values > bound["250"]).sum())
    return PointsInRange(
        below_54=below_54,
        from_54_to_70=below_70 - below_54,
        in_range=len(values) - below_70 - above_180,
        above_180_to_250=above_180 - above_250,
        above_250=above_250,
    )


def low_episodes(window: GlucoseWindow) -> tuple[int, int]:
    """How often it was below 70 mg/dL (3.9 mmol/L), and how often below 54 (3.0); readings within 30 min are one."""
    low, very_low = (window.values < float(_BOUNDS[name][window.unit]) for name in ("70", "54"))
    return _occurrences(window.times[low]), _occurrences(window.times[very_low])


def summary(window: GlucoseWindow) -> GlucoseSummary:
    """The figures of a window of readings, with at least 14 of them on 7 days."""
    sufficiency = _sufficiency(window, NEEDED_READINGS, NEEDED_DAYS)
    return GlucoseSummary(
        unit=window.unit,
        sufficiency=sufficiency,
        figures=_figures(window) if sufficiency.enough else None,
    )


def index_above(of: GlucoseSummary, limit: RegimeLimit) -> IndexReason | None:
    """Whether the low blood glucose index is beyond its limit."""
    bound = limit.values.get(of.unit)
    if of.figures is None or bound is None or not beyond(of.figures.low_index, limit.relation, bound):
        return None
    return IndexReason(
        value=of.figures.low_index, unit=of.unit, band=of.figures.low_band, limit=limit, sufficiency=of.sufficiency
    )


def repeated(window: GlucoseWindow, limit: RegimeLimit, at: datetime) -> RepeatedReason | None:
    """Whether the limit's number of occurrences lies within its time before ``at`` (``at`` included)."""
    bound = limit.values.get(window.unit)
    if bound is None or limit.within is None:
        return None
    since = instant(at) - np.timedelta64(limit.within)
    beyond_limit = _beyond(window.values, limit.relation, float(bound)) & (window.times > since)
    beyond_limit &= window.times <= instant(at)
    occurrences = _occurrences(window.times[beyond_limit])
    if occurrences < limit.times:
        return None
    values = window.values[beyond_limit]
    worst = from_column(float(values.min() if limit.relation is Relation.BELOW else values.max()), window.unit)
    if worst is None:
        return None
    return RepeatedReason(worst=worst, occurrences=occurrences, within=limit.within, limit=limit)


def fasting_mean_above(window: GlucoseWindow, limit: RegimeLimit, at: datetime) -> LimitReason | None:
    """Whether the mean of the readings marked as fasting is beyond the limit; a reading on each of 3 days is needed."""
    if limit.within is None:
        return None
    rows = window.rows((window.times > instant(at) - np.timedelta64(limit.within)) & (window.times <= instant(at)))
    fasting = rows.rows(rows.fasting)
    sufficiency = _sufficiency(fasting, FASTING_DAYS, FASTING_DAYS)
    bound = limit.values.get(window.unit)
    if not sufficiency.enough or bound is None:
        return None
    value = rounded(float(fasting.values[np.isfinite(fasting.values)].mean()), window.unit)
    if not beyond(value, limit.relation, bound):
        return None
    quantity = from_column(float(value), window.unit)
    return (
        LimitReason(figure=quantity, limit=limit, readings=sufficiency.readings, sufficiency=sufficiency)
        if quantity is not None
        else None
    )


def _sufficiency(window: GlucoseWindow, readings: int, on_days: int) -> Sufficiency:
    given = np.isfinite(window.values)
    return Sufficiency(
        readings=int(given.sum()),
        days=len(np.unique(days(window.local[given]))),
        needed_readings=readings,
        needed_days=on_days,
        source=_NEEDED_BY,
        off_scale=int(np.isinf(window.values).sum()),
    )


def _figures(window: GlucoseWindow) -> Figures:
    values = window.values[np.isfinite(window.values)]
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    low = _hundredths(float(low_risk(values, window.unit).mean()))
    high = _hundredths(float(high_risk(values, window.unit).mean()))
    return Figures(
        mean=rounded(mean, window.unit),
        standard_deviation=rounded(deviation, window.unit),
        coefficient_of_variation=_hundredths(deviation / mean * 100).quantize(Decimal("0.1")),
        low_index=low,
        low_band=low_band(low),
        high_index=high,
        high_band=high_band(high),
        points=points_in_range(window),
    )


def _hundredths(value: float) -> Decimal:
    return Decimal(repr(round(value, 9))).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")


def _band(index: Decimal, bands: tuple[tuple[Decimal, str], ...]) -> str:
    return next((name for upper, name in bands if index <= upper), "high")


def _beyond(values: Column, relation: Relation, bound: float) -> Flags:
    mask: Flags
    match relation:
        case Relation.BELOW:
            mask = values < bound
        case Relation.ABOVE:
            mask = values > bound
        case Relation.AT_OR_ABOVE:
            mask = values >= bound
    return mask


def _occurrences(times: Times) -> int:
    if not len(times):
        return 0
    return 1 + int((np.diff(times) > np.timedelta64(EPISODE_GAP)).sum())
