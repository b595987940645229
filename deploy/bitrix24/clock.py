"""The clock of a portal that is run by hand; in tests the time is passed in."""

from datetime import UTC, datetime


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)
