"""The only place in the gateway where a clock is read; everywhere else the time is a parameter."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The wall clock: aware, UTC. It may jump when NTP sets it."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that never jumps, for deadlines; its zero means nothing."""
    return time.monotonic()
