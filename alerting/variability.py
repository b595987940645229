"""How much home blood pressure varies from day to day and from reading to reading. Shown, never alerted on.

Formulas: JMAJ 2025, table of variability measures; day-to-day variation of systolic morning pressure needs at least 3
days (Finn-Home). VIM is left out: it needs a population to be fitted to.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from alerting.comparators import rounded
from alerting.sufficiency import Sufficiency
from alerting.windows import Column, PressureWindow, days
from device_drivers.nomenclature import Unit

NEEDED_DAYS = 3
NEEDED_READINGS = 6
_SOURCE = "Finn-Home: at least 3 days of 2 readings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of the days' mean systolic pressures. ``average_real_variability`` is the mean of |x(k+1) − x(k)|."""

    standard_deviation: Decimal
    coefficient_of_variation: Decimal  # percent
    largest_difference: Decimal
    average_real_variability: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Variability:
    """``spread`` is None where ``sufficiency`` says that there is too little."""

    unit: Unit
    sufficiency: Sufficiency
    spread: Spread | None


def day_to_day(window: PressureWindow) -> Variability:
    """Systolic pressure from day to day; give it the morning's readings for the figure of the Finn-Home study."""
    given = np.isfinite(window.systolic)
    on, systolic = days(window.local[given]), window.systolic[given]
    _, places = np.unique(on, return_inverse=True)
    sums, counts = np.bincount(places, weights=systolic), np.bincount(places)
    sufficiency = Sufficiency(
        readings=len(systolic),
        days=len(counts),
        needed_readings=NEEDED_READINGS,
        needed_days=NEEDED_DAYS,
        source=_SOURCE,
        off_scale=int(np.isinf(window.systolic).sum()),
    )
    return Variability(
        unit=window.unit,
        sufficiency=sufficiency,
        spread=_spread(sums / counts, window.unit) if sufficiency.enough else None,
    )


def _spread(means: Column, unit: Unit) -> Spread:
    deviation = float(means.std(ddof=1))
    return Spread(
        standard_deviation=rounded(deviation, unit),
        coefficient_of_variation=rounded(deviation / float(means.mean()) * 100, Unit.MM_HG),
        largest_difference=rounded(float(means.max() - means.min()), unit),
        average_real_variability=rounded(float(np.abs(np.diff(means)).mean()), unit),
    )
