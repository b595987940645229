"""The clock of the chaos run."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """UTC, aware."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that only go forward."""
    return time.monotonic()
