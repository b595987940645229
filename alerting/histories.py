"""What a rule set is replayed over: one patient's readings of a span of time, with the times when they reached us.

A synthetic year has one, and so has a patient of the panel: the same figures as the rules' windows, one series per
unit, loaded from wherever they are stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from alerting.adherence import Schedule
from alerting.windows import GlucoseWindow, PressureWindow, Times, instant
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
    """Strips in one unit, with control solution and test strips: ``samples`` has a place of SAMPLES for each.

    Ketone strips have the same columns, and a place of their own in the history.
    """

    window: GlucoseWindow
    received: Times
    samples: NDArray[np.int8]

    @property
    def own(self) -> GlucoseWindow:
        """The patient's own samples: the window that rules look at."""
        return self.window.rows(self.samples == SAMPLES.index(Sample.PATIENT))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """One patient from ``start`` on for so many days.

    The first ``run_in`` days only fill the windows and open the cases that stand when counting begins: without them
    every pressure above target would open its case anew in the first week of a short span.
    """

    start: datetime
    days: int
    pressure: tuple[PressureSeries, ...]
    glucose: tuple[GlucoseSeries, ...]
    schedules: tuple[Schedule, ...]
    heightened_until: datetime | None
    ketone: tuple[GlucoseSeries, ...] = ()
    run_in: int = 0
    watched_from: datetime | None = None  # nothing of before is in it; None: watched all along

    @property
    def counted_from(self) -> datetime:
        """What happens from here on counts: after the run-in, and while somebody watches."""
        begin = self.start + timedelta(days=self.run_in)
        if self.watched_from is None:
            return begin
        return min(max(begin, self.watched_from.astimezone(self.start.tzinfo)), self.end)

    @property
    def days_counted(self) -> int:
        """The days that count, to the nearest whole one."""
        return round((self.end - self.counted_from) / timedelta(days=1))

    @property
    def end(self) -> datetime:
        """The end of the span."""
        return self.start + timedelta(days=self.days)

    @property
    def series(self) -> tuple[PressureSeries | GlucoseSeries, ...]:
        """All series, of whatever kind and unit."""
        return (*self.pressure, *self.glucose, *self.ketone)

    @property
    def readings(self) -> int:
        """All that count, with control solution and test strips."""
        since = instant(self.counted_from)
        return sum(int((series.window.times >= since).sum()) for series in self.series)
