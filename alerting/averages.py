"""Home averages of blood pressure by the 722 protocol: 7 days, 2 occasions a day, at least 2 readings each.

Source of the protocol: Taiwan consensus on home blood pressure, PMC7677637, table 1 (the first day is left out, the
rest is averaged; at least 3 days and 12 readings remain: AHA home measurement, CHEP 2017). Source of the morning
average: HOPE Asia Network 2022 (at least 5 days and 10 readings). The hours of "morning" and "evening" are a proposal:
nobody tells us when a patient wakes.

What each function needs: the readings of the patient's last 7 (a rise: 14) days in one unit, and the last of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from alerting.comparators import beyond, rounded, violates
from alerting.limits import Measure
from alerting.reasons import DifferenceReason, LimitReason, SustainedReason
from alerting.regimes import Figure, RegimeLimit
from alerting.sufficiency import Sufficiency
from alerting.windows import DAY_STARTS, Column, Flags, PressureWindow, Times, days
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """What an average asks for."""

    days: int
    needed_days: int
    needed_readings: int
    leave_out_first_day: bool
    source: str


SEVEN_TWO_TWO = Protocol(
    days=7, needed_days=3, needed_readings=12, leave_out_first_day=True,
    source="722 protocol, Taiwan consensus PMC7677637; at least 3 days and 12 readings, AHA",
)  # fmt: skip
MORNING = Protocol(
    days=7, needed_days=5, needed_readings=10, leave_out_first_day=False, source="HOPE Asia Network 2022"
)
# No source asks for more of the evening than of the morning.
EVENING = Protocol(
    days=7, needed_days=5, needed_readings=10, leave_out_first_day=False, source="as HOPE Asia's morning (proposal)"
)

# Wall clock of the patient (proposal): from the day's beginning at 04:00 until noon, and from 17:00 until the day ends.
MORNING_ENDS = timedelta(hours=12)
EVENING_BEGINS = timedelta(hours=17)

# The home average lies above its limit in so many weeks running: the doctor hears of it (proposal).
SUSTAINED_WEEKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAverage:
    """The average up to and with ``last_day``. There are no figures where ``sufficiency`` says that it is not enough.

    ``left_out_day`` is the first day with readings, where the protocol leaves it out.
    """

    unit: Unit
    last_day: date
    left_out_day: date | None
    sufficiency: Sufficiency
    figures: dict[Measure, Decimal]

    def quantity(self, measure: Measure) -> Quantity | None:
        """The average of this measure, or None."""
        value = self.figures.get(measure)
        return None if value is None else Quantity(value, Unit.PER_MIN if measure is Measure.PULSE else self.unit)


def home_average(window: PressureWindow, last_day: date, protocol: Protocol = SEVEN_TWO_TWO) -> HomeAverage:
    """The average of the protocol's days that end with ``last_day``."""
    return _average(window, last_day, protocol, None)


def morning_average(window: PressureWindow, last_day: date, protocol: Protocol = MORNING) -> HomeAverage:
    """The same over readings before noon."""
    return _average(window, last_day, protocol, is_morning(window.local))


def evening_average(window: PressureWindow, last_day: date, protocol: Protocol = EVENING) -> HomeAverage:
    """The same over readings from 17:00 until the patient's day ends."""
    return _average(window, last_day, protocol, is_evening(window.local))


def is_morning(local: Times) -> Flags:
    """Which wall-clock times are a morning."""
    return np.less(_since_day_began(local), np.timedelta64(MORNING_ENDS - DAY_STARTS))


def is_evening(local: Times) -> Flags:
    """Which wall-clock times are an evening."""
    return np.greater_equal(_since_day_began(local), np.timedelta64(EVENING_BEGINS - DAY_STARTS))


def averages_above(average: HomeAverage, limits: Iterable[RegimeLimit], figure: Figure) -> tuple[LimitReason, ...]:
    """The limits of this figure that the average is beyond. An insufficient average is beyond nothing."""
    found = []
    for limit in limits:
        quantity = average.quantity(limit.measure)
        if limit.figure is figure and quantity is not None and violates(quantity, limit):
            found.append(
                LimitReason(
                    figure=quantity,
                    limit=limit,
                    readings=average.sufficiency.readings,
                    sufficiency=average.sufficiency,
                )
            )
    return tuple(found)


def difference_above(now: HomeAverage, before: HomeAverage, limit: RegimeLimit) -> DifferenceReason | None:
    """Whether ``now`` exceeds ``before`` by the limit: two weeks, or morning and evening. Both must be sufficient."""
    one, other = now.quantity(limit.measure), before.quantity(limit.measure)
    bound = limit.values.get(now.unit)
    if one is None or other is None or one.value is None or other.value is None or bound is None:
        return None
    if one.unit is not other.unit:
        return None
    difference = one.value - other.value
    if not beyond(difference, limit.relation, bound):
        return None
    return DifferenceReason(
        now=one, before=other, difference=difference, unit=now.unit, limit=limit, sufficiency=now.sufficiency
    )


def morning_dominant(
    morning: HomeAverage, evening: HomeAverage, excess: RegimeLimit, high: RegimeLimit
) -> DifferenceReason | None:
    """The morning exceeds the evening by ``excess``, and the mean of both is beyond ``high`` (a home average's)."""
    reason = difference_above(morning, evening, excess)
    if reason is None or reason.now.value is None or reason.before.value is None:
        return None
    bound = high.values.get(morning.unit)
    middle = (reason.now.value + reason.before.value) / 2
    return reason if bound is not None and beyond(middle, high.relation, bound) else None


def sustained_above(weeks: Sequence[HomeAverage], limit: RegimeLimit) -> SustainedReason | None:
    """Whether the newest weeks (oldest first, one after the other) are all beyond the limit."""
    newest = weeks[-SUSTAINED_WEEKS:]
    reasons = [reason for week in newest for reason in averages_above(week, [limit], limit.figure)]
    return SustainedReason(weeks=tuple(reasons)) if len(reasons) == SUSTAINED_WEEKS else None


def _average(window: PressureWindow, last_day: date, protocol: Protocol, only: Flags | None) -> HomeAverage:
    on = days(window.local)
    last = np.datetime64(last_day, "D")
    mask: Flags = (on > last - np.timedelta64(protocol.days, "D")) & (on <= last)
    if only is not None:
        mask &= only
    left_out = on[mask].min() if protocol.leave_out_first_day and mask.any() else None
    if left_out is not None:
        mask &= on > left_out
    figures_given = mask & np.isfinite(window.systolic) & np.isfinite(window.diastolic)
    off_scale = mask & (np.isinf(window.systolic) | np.isinf(window.diastolic))
    sufficiency = Sufficiency(
        readings=int(figures_given.sum()),
        days=len(np.unique(on[figures_given])),
        needed_readings=protocol.needed_readings,
        needed_days=protocol.needed_days,
        source=protocol.source,
        off_scale=int(off_scale.sum()),
    )
    return HomeAverage(
        unit=window.unit,
        last_day=last_day,
        left_out_day=left_out.item() if left_out is not None else None,
        sufficiency=sufficiency,
        figures=_figures(window, figures_given) if sufficiency.enough else {},
    )


def _figures(window: PressureWindow, mask: Flags) -> dict[Measure, Decimal]:
    columns: tuple[tuple[Measure, Column, Unit], ...] = (
        (Measure.SYSTOLIC, window.systolic[mask], window.unit),
        (Measure.DIASTOLIC, window.diastolic[mask], window.unit),
        (Measure.PULSE, window.pulse[mask & np.isfinite(window.pulse)], Unit.PER_MIN),
    )
    return {measure: rounded(float(column.mean()), unit) for measure, column, unit in columns if len(column)}


def _since_day_began(local: Times) -> NDArray[np.timedelta64]:
    elapsed: NDArray[np.timedelta64] = (local - np.timedelta64(DAY_STARTS)) - days(local)
    return elapsed
