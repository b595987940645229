"""All SQL about our own processes, as the console asks it."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

Connection = AsyncConnection[Any]


async def last_seen(conn: Connection) -> dict[str, datetime]:
    """When a process of each kind that has ever run was last there."""
    cursor = await conn.execute("SELECT kind, max(seen_at) FROM component GROUP BY kind")
    return {kind: seen_at async for kind, seen_at in cursor}
