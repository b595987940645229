"""How fast we ask one portal, so that in the steady state it never has to refuse us.

The portal counts by source address, so what we keep is per portal and process, and forgotten with the process: a
refusal of theirs corrects it. Pure but for a lock: the time is passed in.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

# The vendor's limits: a counter that drains, and a level above which it refuses (limits.md).
PLANS: Final[Mapping[str, tuple[float, float]]] = {"standard": (2.0, 50.0), "enterprise": (5.0, 250.0)}
# Ours stays below theirs, for their clock and for whatever else asks from our address. What has begun may go on for
# longer than anything may begin: else the search would take what the writing after it needs, for ever.
BEGINS_BELOW: Final = 0.6
GOES_ON_BELOW: Final = 0.96
# Where they do not say when a method's work no longer counts: one of their buckets.
A_BUCKET: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Pace:
    """Of one portal. ``plan``: of PLANS."""

    plan: str = "standard"
    _level: float = 0.0
    _seen: datetime | None = None
    _resets: dict[str, datetime] = field(default_factory=dict)
    _closed: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def rests(self, method: str, now: datetime) -> timedelta | None:
        """How long the method still rests; others do not."""
        with self._lock:
            until = self._closed.get(method)
            return until - now if until is not None and now < until else None

    def take(self, now: datetime, *, goes_on: bool = False) -> timedelta | None:
        """None where they may be asked now: then it counts. Else how long to wait.

        ``goes_on``: it is not the first request of its verb.
        """
        drains, blocks_above = PLANS[self.plan]
        with self._lock:
            self._drain(now, drains)
            if self._level + 1 > (GOES_ON_BELOW if goes_on else BEGINS_BELOW) * blocks_above:
                return self._wait(drains, blocks_above)
            self._level += 1
            return None

    def refused(self, now: datetime) -> timedelta:
        """They say that it was too fast: somebody else asks, too. How long to wait."""
        drains, blocks_above = PLANS[self.plan]
        with self._lock:
            self._drain(now, drains)
            self._level = max(self._level, blocks_above)
            return self._wait(drains, blocks_above)

    def worked(self, method: str, resets_at: datetime) -> None:
        """When the oldest of the method's work no longer counts, as a success says."""
        with self._lock:
            self._resets[method] = resets_at

    def worked_too_long(self, method: str, now: datetime) -> timedelta:
        """They say that the method has worked for too long: it rests until its reset. How long to wait."""
        with self._lock:
            until = self._resets.pop(method, now)
            if until <= now:
                until = now + A_BUCKET
            self._closed[method] = until
            return until - now

    def _wait(self, drains: float, blocks_above: float) -> timedelta:
        """Until something may begin again."""
        return timedelta(seconds=(self._level + 1 - BEGINS_BELOW * blocks_above) / drains)

    def _drain(self, now: datetime, drains: float) -> None:
        if self._seen is not None:
            self._level = max(0.0, self._level - max(0.0, (now - self._seen).total_seconds()) * drains)
        self._seen = now


_paces: dict[tuple[str, str], Pace] = {}
_lock = threading.Lock()


def pace_of(portal: str, plan: str) -> Pace:
    """The pace of that portal (host and port) in this process, whoever asks it."""
    with _lock:
        return _paces.setdefault((portal, plan), Pace(plan))
