"""Our own processes in the database: each says at intervals that it is there, and says goodbye when it ends in order.

A process that was killed leaves its row, which grows old: that is how it is missed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from cloud.db.connect import Connection

Kind = Literal["ingest", "console", "jobs", "enrolment"]

_BEAT: Final = (
    "INSERT INTO component (name, kind, seen_at, detail) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, seen_at = excluded.seen_at, detail = excluded.detail"
)
_GONE: Final = "DELETE FROM component WHERE name = %s"


def beat(connection: Connection, name: str, kind: Kind, at: datetime, detail: Mapping[str, object]) -> None:
    """Say that the process ``name`` is there. ``detail``: ids and states as JSON, never the message of an error."""
    connection.execute(_BEAT, (name, kind, at, Jsonb(dict(detail))))


def gone(connection: Connection, name: str) -> None:
    """Say goodbye: nobody is to miss this process."""
    connection.execute(_GONE, (name,))


def forget_dead(connection: Connection, dead_since: datetime, alive_since: datetime) -> None:
    """Forget processes that were last there before ``dead_since``, where another of their kind lives: they moved."""
    connection.execute(
        "DELETE FROM component WHERE seen_at < %s AND kind IN (SELECT kind FROM component WHERE seen_at >= %s)",
        (dead_since, alive_since),
    )


async def beat_async(
    connection: AsyncConnection[Any], name: str, kind: Kind, at: datetime, detail: Mapping[str, object]
) -> None:
    """``beat`` for those who wait for the database on an event loop."""
    await connection.execute(_BEAT, (name, kind, at, Jsonb(dict(detail))))


async def gone_async(connection: AsyncConnection[Any], name: str) -> None:
    """``gone`` for those who wait for the database on an event loop."""
    await connection.execute(_GONE, (name,))
