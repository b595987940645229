"""All SQL of the quarantine pages."""

from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.quarantine.models import Item, ItemWithPayload

Connection = AsyncConnection[Any]
SHOWN: Final = 200


async def open_items(conn: Connection, gateway_id: str | None = None) -> list[Item]:
    """Unresolved items, newest first, at most SHOWN; of one gateway, or of all."""
    async with conn.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(
            """SELECT quarantine_id, received_at, gateway_id, device_id, reason_code, reason, seen, resolved_at,
                      octet_length(payload) AS payload_octets
               FROM quarantine
               WHERE resolved_at IS NULL AND (%(gateway_id)s::text IS NULL OR gateway_id = %(gateway_id)s)
               ORDER BY received_at DESC, quarantine_id LIMIT %(most)s""",
            {"gateway_id": gateway_id, "most": SHOWN},
        )
        return await cursor.fetchall()


async def count_open(conn: Connection, gateway_id: str | None = None) -> int:
    cursor = await conn.execute(
        """SELECT count(*) FROM quarantine
           WHERE resolved_at IS NULL AND (%(gateway_id)s::text IS NULL OR gateway_id = %(gateway_id)s)""",
        {"gateway_id": gateway_id},
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def item(conn: Connection, quarantine_id: UUID) -> ItemWithPayload | None:
    async with conn.cursor(row_factory=class_row(ItemWithPayload)) as cursor:
        await cursor.execute(
            """SELECT quarantine_id, received_at, gateway_id, device_id, reason_code, reason, seen, resolved_at,
                      octet_length(payload) AS payload_octets, payload, payload_sha256
               FROM quarantine WHERE quarantine_id = %s""",
            (quarantine_id,),
        )
        return await cursor.fetchone()
