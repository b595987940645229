"""Moments that gateways name and nobody computes a reading's time from: kept within what all of us can read back."""

from datetime import UTC, datetime
from typing import Final

# PostgreSQL keeps years that Python cannot load, and one such row would stop whoever reads the table. A clock that was
# never set stands at the first of these.
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def within_reach(at: datetime) -> datetime:
    """The moment itself, or the nearest that can be kept."""
    return min(max(at, EARLIEST), LATEST)


def within_reach_if_any(at: datetime | None) -> datetime | None:
    """The same of a moment that may be missing."""
    return None if at is None else within_reach(at)
