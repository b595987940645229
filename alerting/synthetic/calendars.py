"""The span of a synthetic year, and its wall clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from alerting.windows import Column, Times

_DAY = np.timedelta64(1, "D")
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The span of the year and the zone's offset in each of its hours."""

    start: date
    days: int
    zone: tzinfo
    offsets: NDArray[np.int64]  # µs to add to UTC, by hours since two days before the start

    @property
    def first_hour(self) -> np.datetime64:
        """The hour of the first offset."""
        return np.datetime64(self.start, "us") - 2 * _DAY

    def local(self, times: Times) -> Times:
        """The patient's wall clock."""
        hours = ((times - self.first_hour) // np.timedelta64(1, "h")).astype(np.int64)
        shown: Times = times + self.offsets[hours].astype("timedelta64[us]")
        return shown

    def utc(self, day: NDArray[np.int64], minute: Column) -> Times:
        """The time at which the wall clock of this day shows this minute, by the offset of the day's noon."""
        noon = (day + 2) * 24 + 12
        local = np.datetime64(self.start, "us") + day.astype("timedelta64[D]")
        times: Times = (
            local
            + (minute * _MINUTE_US).astype(np.int64).astype("timedelta64[us]")
            - self.offsets[noon].astype("timedelta64[us]")
        )
        return times


def calendar(start: date, days: int, zone: tzinfo) -> Calendar:
    """The zone's offsets, worked out once for all patients."""
    first = datetime.combine(start, time(), tzinfo=UTC) - timedelta(days=2)
    hours = (first + timedelta(hours=n) for n in range((days + 8) * 24))
    offsets = [(hour.astimezone(zone).utcoffset() or timedelta()) // timedelta(microseconds=1) for hour in hours]
    return Calendar(start=start, days=days, zone=zone, offsets=np.array(offsets, dtype=np.int64))
