"""Commands as whoever has something done writes and reads them; inner code never commits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cloud.commands.models import Command

Connection = AsyncConnection[Any]

_INSERT: Final = """
INSERT INTO gateway_command (command_id, gateway_id, kind, body, created_at, created_by, expires_at, publish_at)
VALUES (%(command_id)s, %(gateway_id)s, %(kind)s, %(body)s, %(at)s, %(by)s, %(expires_at)s, %(at)s)
"""

_COLUMNS: Final = (
    "command_id, gateway_id, kind, stage, step, reason, detail, created_at, created_by, expires_at, published_at,"
    " answered_at"
)
_ONE: Final = f"SELECT {_COLUMNS} FROM gateway_command WHERE command_id = %s"  # noqa: S608 (ours)
_LAST: Final = (
    f"SELECT {_COLUMNS} FROM gateway_command WHERE gateway_id = %s AND kind = %s"  # noqa: S608 (ours)
    " ORDER BY created_at DESC, command_id LIMIT 1"
)

_CALL_OFF: Final = """
UPDATE gateway_command SET stage = 'expired', publish_at = NULL, reason = %(reason)s
WHERE gateway_id = %(gateway_id)s AND kind = %(kind)s AND stage IN ('waiting', 'published')
"""


async def send(
    conn: Connection,
    gateway_id: str,
    kind: str,
    body: Mapping[str, object],
    *,
    at: datetime,
    expires_at: datetime,
    by: UUID | None = None,
    secret: Mapping[str, object] | None = None,
) -> UUID:
    """Have a gateway do something; the id that tells what becomes of it.

    ``body`` says nothing about a patient. ``secret`` is added to it on its way, kept in no log, and forgotten when the
    command has ended. It leaves when the caller commits.
    """
    command_id = uuid4()
    await conn.execute(
        _INSERT,
        {
            "command_id": command_id,
            "gateway_id": gateway_id,
            "kind": kind,
            "body": Jsonb(dict(body)),
            "at": at,
            "by": by,
            "expires_at": expires_at,
        },
    )
    if secret is not None:
        await conn.execute(
            "INSERT INTO gateway_command_secret (command_id, secret) VALUES (%s, %s)",
            (command_id, Jsonb(dict(secret))),
        )
    return command_id


async def call_off(conn: Connection, gateway_id: str, kind: str, reason: str) -> None:
    """Publish those of this kind no more that the gateway has not begun; one that is on its way may still be done."""
    await conn.execute(_CALL_OFF, {"gateway_id": gateway_id, "kind": kind, "reason": reason})


async def command(conn: Connection, command_id: UUID) -> Command | None:
    """What is known of one."""
    async with conn.cursor(row_factory=class_row(Command)) as cursor:
        await cursor.execute(_ONE, (command_id,))
        return await cursor.fetchone()


async def last(conn: Connection, gateway_id: str, kind: str) -> Command | None:
    """The newest of a kind that a gateway was sent."""
    async with conn.cursor(row_factory=class_row(Command)) as cursor:
        await cursor.execute(_LAST, (gateway_id, kind))
        return await cursor.fetchone()
