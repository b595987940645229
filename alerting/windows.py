"""What a rule looks back on: one patient's past readings as columns, oldest first.

The columns are what a store can load as they are (effective time, the figures, two flags). A window holds what a
patient's own sample gave, attributed and out of quarantine, in ONE unit: nothing is converted, so a patient with two
meters has two windows. HI is +inf and LO is -inf: they compare like figures, and a mean leaves them out (``finite``).
NaN is a figure that the device did not give.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from alerting.limits import MEASURE_OF, Measure
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, Quantity, QuantityState, Reading, Sample

Times = NDArray[np.datetime64]  # datetime64[us]
Column = NDArray[np.float64]
Flags = NDArray[np.bool_]

# A day of the patient begins here, not at midnight: who measures before bed at 00:30 has measured in that evening.
DAY_STARTS = timedelta(hours=4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PressureWindow:
    """Blood-pressure readings. ``times`` are UTC, ``local`` the patient's wall clock; both ascend with the readings.

    ``devices`` is any number that tells the patient's cuffs apart. ``irregular`` and ``moved`` are the cuff's own flags
    (``irregular_pulse``, ``body_movement``).
    """

    unit: Unit  # of the pressures; pulse is in /min
    times: Times
    local: Times
    devices: NDArray[np.int64]
    systolic: Column
    diastolic: Column
    pulse: Column
    irregular: Flags
    moved: Flags

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, index: slice | NDArray[np.intp] | Flags) -> "PressureWindow":
        """The readings of these places, in order; a slice copies nothing."""
        return PressureWindow(
            unit=self.unit,
            times=self.times[index],
            local=self.local[index],
            devices=self.devices[index],
            systolic=self.systolic[index],
            diastolic=self.diastolic[index],
            pulse=self.pulse[index],
            irregular=self.irregular[index],
            moved=self.moved[index],
        )

    def between(self, start: datetime, end: datetime) -> "PressureWindow":
        """The readings from ``start`` on and before ``end``."""
        return self.rows(span(self.times, instant(start), instant(end)))

    def of_days(self, first: date, last: date) -> "PressureWindow":
        """The readings of the patient's days ``first`` to ``last``, both included."""
        return self.rows(in_days(self.local, first, last))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GlucoseWindow:
    """Finger-stick glucose readings; ``fasting`` where the patient marked the reading so."""

    unit: Unit
    times: Times
    local: Times
    values: Column
    fasting: Flags

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, index: slice | NDArray[np.intp] | Flags) -> "GlucoseWindow":
        """The readings of these places, in order; a slice copies nothing."""
        return GlucoseWindow(
            unit=self.unit,
            times=self.times[index],
            local=self.local[index],
            values=self.values[index],
            fasting=self.fasting[index],
        )

    def between(self, start: datetime, end: datetime) -> "GlucoseWindow":
        """The readings from ``start`` on and before ``end``."""
        return self.rows(span(self.times, instant(start), instant(end)))

    def of_days(self, first: date, last: date) -> "GlucoseWindow":
        """The readings of the patient's days ``first`` to ``last``, both included."""
        return self.rows(in_days(self.local, first, last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A reading with the time when it was effectively made (an Observation's, as far as rules need it)."""

    reading: Reading
    effective_time: datetime


def pressure_windows(dated: Iterable[Dated], zone: tzinfo) -> Mapping[Unit, PressureWindow]:
    """One window per unit from readings in any order. Control solution and test readings are left out."""
    found = _by_unit(dated, Kind.BLOOD_PRESSURE, Mdc.PRESS_BLD_NONINV_SYS)
    device_ids = sorted({d.reading.device.device_id for rows in found.values() for d in rows})
    return {
        unit: PressureWindow(
            unit=unit,
            times=_utc(rows),
            local=_local(rows, zone),
            devices=np.array([device_ids.index(d.reading.device.device_id) for d in rows], dtype=np.int64),
            systolic=_column(rows, Measure.SYSTOLIC),
            diastolic=_column(rows, Measure.DIASTOLIC),
            pulse=_column(rows, Measure.PULSE),
            irregular=np.array(["irregular_pulse" in d.reading.annotations for d in rows], dtype=np.bool_),
            moved=np.array(["body_movement" in d.reading.annotations for d in rows], dtype=np.bool_),
        )
        for unit, rows in found.items()
    }


def glucose_windows(dated: Iterable[Dated], zone: tzinfo) -> Mapping[Unit, GlucoseWindow]:
    """One window per unit from readings in any order. Control solution and test readings are left out."""
    codes = tuple(code for code, measure in MEASURE_OF.items() if measure is Measure.GLUCOSE)
    found = _by_unit(dated, Kind.GLUCOSE, *codes)
    return {
        unit: GlucoseWindow(
            unit=unit,
            times=_utc(rows),
            local=_local(rows, zone),
            values=_column(rows, Measure.GLUCOSE),
            fasting=np.array([_is_fasting(d.reading) for d in rows], dtype=np.bool_),
        )
        for unit, rows in found.items()
    }


def instant(time: datetime) -> np.datetime64:
    """An aware time as UTC, a naive one as it stands; in microseconds."""
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time, "us")


def aware(time: np.datetime64) -> datetime:
    """A column's UTC time as a datetime."""
    found: datetime = time.astype("datetime64[us]").item()
    return found.replace(tzinfo=UTC)


def span(times: Times, start: np.datetime64, end: np.datetime64) -> slice:
    """The places of ascending times from ``start`` on and before ``end``."""
    return slice(int(np.searchsorted(times, start, "left")), int(np.searchsorted(times, end, "left")))


def days(local: Times) -> NDArray[np.datetime64]:
    """The patient's day of each reading, as datetime64[D]."""
    return (local - np.timedelta64(DAY_STARTS)).astype("datetime64[D]")


def in_days(local: Times, first: date, last: date) -> Flags:
    """Which readings lie on the patient's days ``first`` to ``last``. The wall clock may go back, so this is a mask."""
    start = np.datetime64(first, "us") + np.timedelta64(DAY_STARTS)
    end = np.datetime64(last + timedelta(days=1), "us") + np.timedelta64(DAY_STARTS)
    mask: Flags = (local >= start) & (local < end)
    return mask


def finite(column: Column) -> Column:
    """The figures: without HI, LO and what the device did not give."""
    figures: Column = column[np.isfinite(column)]
    return figures


def as_float(quantity: Quantity | None) -> float:
    """A quantity as a column holds it."""
    if quantity is None:
        return float("nan")
    if quantity.value is not None:
        return float(quantity.value)
    return {QuantityState.ABOVE_RANGE: float("inf"), QuantityState.BELOW_RANGE: float("-inf")}.get(
        quantity.state, float("nan")
    )


def _by_unit(dated: Iterable[Dated], kind: Kind, *codes: Mdc) -> Mapping[Unit, list[Dated]]:
    found: dict[Unit, list[Dated]] = defaultdict(list)
    for row in sorted(dated, key=lambda d: d.effective_time):
        quantity = row.reading.quantity(*codes)
        if row.reading.kind is kind and row.reading.sample is Sample.PATIENT and quantity is not None:
            found[quantity.unit].append(row)
    return found


def _utc(rows: list[Dated]) -> Times:
    return np.array([instant(d.effective_time) for d in rows], dtype="datetime64[us]")


def _local(rows: list[Dated], zone: tzinfo) -> Times:
    return np.array([d.effective_time.astimezone(zone).replace(tzinfo=None) for d in rows], dtype="datetime64[us]")


def _column(rows: list[Dated], measure: Measure) -> Column:
    codes = tuple(code for code, of in MEASURE_OF.items() if of is measure)
    return np.array([as_float(d.reading.quantity(*codes)) for d in rows], dtype=np.float64)


def _is_fasting(reading: Reading) -> bool:
    return reading.context.get("meal") == "fasting" or "fasting" in reading.annotations
