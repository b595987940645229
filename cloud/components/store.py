"""All SQL about our own processes, as the console asks it."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from alerting.technical.fleet import Component

Connection = AsyncConnection[Any]


async def components(conn: Connection) -> list[Component]:
    """Every process that has said that it is there, and has not ended in order."""
    cursor = await conn.execute("SELECT name, kind, seen_at, detail FROM component")
    return [
        Component(
            name=name,
            kind=kind,
            seen_at=seen_at,
            broker=detail.get("broker"),
            since=_time(detail.get("since")),
            lag_s=float(detail.get("lag_s") or 0.0),
            judged_at=_time(detail.get("judged_at")),
        )
        async for name, kind, seen_at, detail in cursor
    ]


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
