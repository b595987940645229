"""What a rule set is replayed over: one patient's readings of a span of time, with the times when they reached us.

A synthetic year has one, and so has a patient of the panel: the same figures as the rules' windows, one series per
unit, loaded from wherever they are stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from alerting.adherence import Schedule
from alerting.windows import GlucoseWindow, PressureWindow, Times
from device_drivers.readings import Sample

# The numbers of ``GlucoseSeries.samples``.
SAMPLES = (Sample.PATIENT, Sample.CONTROL_SOLUTION, Sample.TEST)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PressureSeries:
    """Blood-pressure readings in one unit; ``received`` beside each."""

    window: PressureWindow
    received: Times


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GlucoseSeries:
    """Strips in one unit, with control solution and test strips: ``samples`` has a place of SAMPLES for each."""

    window: GlucoseWindow
    received: Times
    samples: NDArray[np.int8]

    @property
    def own(self) -> GlucoseWindow:
        """The patient's own samples: the window that rules look at."""
        return self.window.rows(self.samples == SAMPLES.index(Sample.PATIENT))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """One patient from ``start`` on for so many days."""

    start: datetime
    days: int
    pressure: tuple[PressureSeries, ...]
    glucose: tuple[GlucoseSeries, ...]
    schedules: tuple[Schedule, ...]
    heightened_until: datetime | None

    @property
    def end(self) -> datetime:
        """The end of the span."""
        return self.start + timedelta(days=self.days)

    @property
    def series(self) -> tuple[PressureSeries | GlucoseSeries, ...]:
        """All series, of whatever kind and unit."""
        return (*self.pressure, *self.glucose)

    @property
    def readings(self) -> int:
        """All of them, with control solution and test strips."""
        return sum(len(series.window) for series in self.series)
