"""When our own side counts as down."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from cloud.components import store
from cloud.components.models import OwnSide

Connection = AsyncConnection[Any]
# Several times the interval at which each of them says that it is there: a restart is no fault.
INGEST_DOWN_AFTER: Final = timedelta(seconds=60)
JOBS_DOWN_AFTER: Final = timedelta(minutes=5)


async def own_side(conn: Connection, now: datetime) -> OwnSide:
    """How it is now."""
    return judged(await store.last_seen(conn), now)


def judged(last_seen: Mapping[str, datetime], now: datetime) -> OwnSide:
    """From when a process of each kind was last there. A kind that never ran is no fault: it is not installed yet."""
    return OwnSide(
        storing_stopped_at=_stopped(last_seen.get("ingest"), now - INGEST_DOWN_AFTER),
        watching_stopped_at=_stopped(last_seen.get("jobs"), now - JOBS_DOWN_AFTER),
    )


def _stopped(seen_at: datetime | None, before: datetime) -> datetime | None:
    return seen_at if seen_at is not None and seen_at < before else None
