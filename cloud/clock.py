"""The one place in the cloud where a clock is read; everything else is given the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)
