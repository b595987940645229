"""The clock of the benchmark."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """UTC, aware."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that only go forward; the same for all processes of the machine."""
    return time.monotonic()


def computed() -> float:
    """Seconds that this process has computed for, on all its threads."""
    return time.process_time()
