"""Windows and limits as the rules' tests need them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

import numpy as np

from alerting.regimes import REGIMES, Regime, RegimeLimit
from alerting.windows import GlucoseWindow, PressureWindow
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity, QuantityState

# A Monday, 08:00 in UTC: a morning.
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

HI, LO = float("inf"), float("-inf")


def limit(regime: Regime | str, condition: str) -> RegimeLimit:
    """The regime's limit for this condition."""
    chosen = REGIMES[regime] if isinstance(regime, str) else regime
    return next(limit for limit in chosen.limits if limit.condition == condition)


def quantity(value: str, unit: Unit) -> Quantity:
    """A figure, or HI and LO by these words."""
    states = {"HI": QuantityState.ABOVE_RANGE, "LO": QuantityState.BELOW_RANGE}
    return Quantity(None, unit, states[value]) if value in states else Quantity(Decimal(value), unit)


def pressures(
    rows: Sequence[tuple[datetime, float, float]],
    *,
    unit: Unit = Unit.MM_HG,
    zone: tzinfo = UTC,
    pulse: float = 70,
    devices: Sequence[int] | None = None,
    irregular: Sequence[bool] | None = None,
    moved: Sequence[bool] | None = None,
) -> PressureWindow:
    """A window of (time, systolic, diastolic), oldest first."""
    times = [time for time, _, _ in rows]
    return PressureWindow(
        unit=unit,
        times=_times(times, UTC),
        local=_times(times, zone),
        devices=np.array(devices if devices is not None else [0] * len(rows), dtype=np.int64),
        systolic=np.array([systolic for _, systolic, _ in rows], dtype=np.float64),
        diastolic=np.array([diastolic for _, _, diastolic in rows], dtype=np.float64),
        pulse=np.full(len(rows), pulse),
        irregular=np.array(irregular if irregular is not None else [False] * len(rows), dtype=np.bool_),
        moved=np.array(moved if moved is not None else [False] * len(rows), dtype=np.bool_),
    )


def glucoses(
    rows: Sequence[tuple[datetime, float]],
    *,
    unit: Unit = Unit.MG_DL,
    zone: tzinfo = UTC,
    fasting: Sequence[bool] | None = None,
) -> GlucoseWindow:
    """A window of (time, glucose), oldest first."""
    times = [time for time, _ in rows]
    return GlucoseWindow(
        unit=unit,
        times=_times(times, UTC),
        local=_times(times, zone),
        values=np.array([value for _, value in rows], dtype=np.float64),
        fasting=np.array(fasting if fasting is not None else [False] * len(rows), dtype=np.bool_),
    )


def protocol_week(
    systolic: float,
    diastolic: float,
    *,
    start: datetime = START,
    days: int = 7,
    evening: tuple[float, float] | None = None,
) -> list[tuple[datetime, float, float]]:
    """722: two readings each morning and, 12 hours later, each evening."""
    late = evening or (systolic, diastolic)
    return [
        (start + timedelta(days=day, hours=hours, minutes=minute), *figures)
        for day in range(days)
        for hours, figures in ((0, (systolic, diastolic)), (12, late))
        for minute in (0, 1)
    ]


def _times(times: Sequence[datetime], zone: tzinfo) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return np.array([time.astimezone(zone).replace(tzinfo=None) for time in times], dtype="datetime64[us]")
