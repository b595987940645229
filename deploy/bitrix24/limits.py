"""The two limits of the vendor's cloud (its documentation, limits.md): requests a second, and seconds of work.

Pure: the time is passed in, in seconds of any clock that only goes forward.
"""

from dataclasses import dataclass, field
from typing import Final

# All plans but Enterprise: the counter drains by 2 a second, and what would raise it beyond 50 is refused.
BLOCKS_ABOVE: Final = 50.0
DRAINS_PER_S: Final = 2.0
# Of one method, in ten buckets of a minute; the figure is the vendor's help desk's, its documentation names none.
OPERATING_LIMIT_S: Final = 480.0
BUCKET_S: Final = 60.0
WINDOW_S: Final = 600.0


@dataclass(slots=True)
class LeakyBucket:
    """Counts requests, and forgets ``drains_per_s`` of them a second. A refused request is not counted."""

    blocks_above: float = BLOCKS_ABOVE
    drains_per_s: float = DRAINS_PER_S
    level: float = 0.0
    _seen_s: float | None = None

    def takes(self, now_s: float) -> bool:
        """Count a request, or say that it is one too many."""
        if self._seen_s is not None:
            self.level = max(0.0, self.level - (now_s - self._seen_s) * self.drains_per_s)
        self._seen_s = now_s
        if self.level + 1 > self.blocks_above:
            return False
        self.level += 1
        return True


@dataclass(slots=True)
class OperatingTime:
    """How long one method has worked. It is asked before a call: the call that goes beyond the limit still ends."""

    limit_s: float = OPERATING_LIMIT_S
    _buckets: list[tuple[float, float]] = field(default_factory=list)  # since when, how much

    def spent(self, now_s: float) -> float:
        """Seconds of work that still count."""
        self._buckets = [(since, spent) for since, spent in self._buckets if now_s - since < WINDOW_S]
        return sum(spent for _, spent in self._buckets)

    def is_over(self, now_s: float) -> bool:
        """Whether the next call is refused."""
        return self.spent(now_s) > self.limit_s

    def add(self, now_s: float, worked_s: float) -> None:
        """A call has ended."""
        if self._buckets and now_s - self._buckets[-1][0] < BUCKET_S:
            since, spent = self._buckets[-1]
            self._buckets[-1] = (since, spent + worked_s)
        else:
            self._buckets.append((now_s, worked_s))

    def reset_at(self, now_s: float) -> float | None:
        """When the oldest bucket no longer counts; None where nothing counts."""
        self.spent(now_s)
        return self._buckets[0][0] + WINDOW_S if self._buckets else None
