"""When a device is visited again: at its interval, and ever more rarely while it fails. Pure."""

import math

from gateway.config import Intervals


def pause_s(intervals: Intervals, failures: int) -> float:
    """How long a serial device is left alone: its interval, doubled with each failure after the first."""
    ceiling = max(intervals.backoff_max_s, intervals.serial_visit_s)
    return min(doubled(intervals.serial_visit_s, failures - 1), ceiling)


def doubled(seconds: float, times: int) -> float:
    """``seconds`` doubled so many times; beyond 20 times every ceiling has been reached."""
    return math.ldexp(seconds, min(max(0, times), 20))


class RadioSchedule:
    """When an advertisement of a device is answered: not during its cool-down, longer after failures."""

    def __init__(self, intervals: Intervals) -> None:
        self._intervals = intervals
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    def is_due(self, name: str, heard_at_s: float) -> bool:
        """Whether an advertisement heard then (monotonic seconds) is answered."""
        return heard_at_s >= self._not_before.get(name, heard_at_s)

    def visited(self, name: str, monotonic_s: float, *, complete: bool) -> None:
        """Note how a visit that ended now went."""
        self._failures[name] = 0 if complete else self._failures.get(name, 0) + 1
        # A cuff advertises for half a minute after a measurement: the first failures are tried again at once.
        first = self._intervals.ble_cooldown_s if complete else min(1.0, self._intervals.ble_cooldown_s)
        self._not_before[name] = monotonic_s + min(
            doubled(first, self._failures[name] - 2), self._intervals.backoff_max_s
        )
