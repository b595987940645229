"""The one place of the support commands that reads a clock."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Aware, UTC."""
    return datetime.now(UTC)
