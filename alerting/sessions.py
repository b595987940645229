"""Measurement sessions: the readings of one sitting at one cuff, and the figure that stands for them.

Readings at most 10 minutes apart on one device form a session (proposal of this project). With three or more readings
the first is left out of the mean, as in the protocol of a US family-medicine guideline (first of each triplicate).
A session is closed when nothing can join it any more (``closes_at``): its mean is final then, and not before. A crisis
value does not wait for that (``alerting.remeasure``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from alerting.comparators import from_column, rounded
from alerting.limits import Measure
from alerting.windows import Column, PressureWindow, aware
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity, QuantityState

SESSION_GAP = timedelta(minutes=10)
DISCARD_FIRST_FROM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementSession:
    """One sitting. ``figures`` are the means over ``used`` readings; a measure that no reading gave is missing.

    HI or LO among the used readings speaks for the session: there is no mean then, only the state. HI beside LO says
    nothing.
    """

    started_at: datetime
    last_at: datetime
    device: int
    readings: int
    used: int
    figures: dict[Measure, Quantity]

    @property
    def closes_at(self) -> datetime:
        """From then on no reading can join."""
        return self.last_at + SESSION_GAP


def sessions(window: PressureWindow) -> Iterator[tuple[MeasurementSession, PressureWindow]]:
    """The sessions in the order in which they began, each with its readings."""
    for places in session_places(window):
        rows = window.rows(places)
        yield session_of(rows), rows


def session_places(window: PressureWindow) -> list[NDArray[np.intp]]:
    """The places of each session's readings in the window, by the session's first reading."""
    if not len(window):
        return []
    by_device = np.lexsort((window.times, window.devices))
    times, devices = window.times[by_device], window.devices[by_device]
    begins = (np.diff(devices) != 0) | (np.diff(times) > np.timedelta64(SESSION_GAP))
    groups: list[NDArray[np.intp]] = np.split(by_device, np.flatnonzero(begins) + 1)
    return sorted(groups, key=lambda places: int(places[0]))


def session_of(rows: PressureWindow) -> MeasurementSession:
    """The session that these readings form; at least one."""
    used = slice(1, None) if len(rows) >= DISCARD_FIRST_FROM else slice(None)
    columns: tuple[tuple[Measure, Column, Unit], ...] = (
        (Measure.SYSTOLIC, rows.systolic, rows.unit),
        (Measure.DIASTOLIC, rows.diastolic, rows.unit),
        (Measure.PULSE, rows.pulse, Unit.PER_MIN),
    )
    figures = {measure: figure for measure, column, unit in columns if (figure := mean(column[used], unit))}
    return MeasurementSession(
        started_at=aware(rows.times[0]),
        last_at=aware(rows.times[-1]),
        device=int(rows.devices[0]),
        readings=len(rows),
        used=len(rows.times[used]),
        figures=figures,
    )


def mean(column: Column, unit: Unit) -> Quantity | None:
    """The mean of what the device gave; HI or LO where one is among it; None where there is nothing, or both."""
    given = column[~np.isnan(column)]
    if not len(given):
        return None
    # A sum with HI in it is HI, with LO it is LO, and with both it is no number.
    with np.errstate(invalid="ignore"):
        total = float(given.sum())
    if np.isfinite(total):
        return Quantity(rounded(total / len(given), unit), unit, QuantityState.MEASURED)
    return from_column(total, unit)
