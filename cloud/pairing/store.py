"""All SQL of pairings; the commands themselves are ``cloud.commands``'."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.db.connect import one
from cloud.pairing.models import Pairing

Connection = AsyncConnection[Any]

_SELECT: Final = """
SELECT x.command_id, c.gateway_id, x.patient_id, x.item_id, x.profile, x.name, x.begun_at, x.settled_at, x.settled
FROM pairing x JOIN gateway_command c USING (command_id)
WHERE x.patient_id = %(patient_id)s
"""


async def pairing(conn: Connection, patient_id: UUID, command_id: UUID) -> Pairing | None:
    """One of this patient's; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Pairing)) as cursor:
        await cursor.execute(
            _SELECT + " AND x.command_id = %(command_id)s", {"patient_id": patient_id, "command_id": command_id}
        )
        return await cursor.fetchone()


async def pairings(conn: Connection, patient_id: UUID, most: int) -> list[Pairing]:
    """The newest of this patient."""
    async with conn.cursor(row_factory=class_row(Pairing)) as cursor:
        await cursor.execute(
            _SELECT + " ORDER BY x.begun_at DESC LIMIT %(most)s", {"patient_id": patient_id, "most": most}
        )
        return await cursor.fetchall()


async def begin(
    conn: Connection,
    command_id: UUID,
    patient_id: UUID,
    item_id: UUID | None,
    profile: str,
    name: str,
    account_id: UUID,
    now: datetime,
) -> None:
    """Remember for whom it is."""
    await conn.execute(
        "INSERT INTO pairing (command_id, patient_id, item_id, profile, name, begun_at, begun_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (command_id, patient_id, item_id, profile, name, now, account_id),
    )


async def settle(conn: Connection, command_id: UUID, how: str, item_id: UUID | None, now: datetime) -> bool:
    """Its outcome is in the stock now. False: somebody was faster."""
    cursor = await conn.execute(
        "UPDATE pairing SET settled_at = %s, settled = %s, item_id = coalesce(%s, item_id)"
        " WHERE command_id = %s AND settled_at IS NULL",
        (now, how, item_id, command_id),
    )
    return cursor.rowcount == 1


async def note_taken(conn: Connection, command_id: UUID, item_id: UUID) -> None:
    """What nobody knew is in the stock now, and the patient's."""
    await conn.execute(
        "UPDATE pairing SET settled = 'taken', item_id = %s WHERE command_id = %s", (item_id, command_id)
    )


async def gateway_state(conn: Connection, gateway_id: str) -> str | None:
    """``online``, ``offline`` or ``never_seen``; None: there is none of that name, or it was locked out."""
    cursor = await conn.execute("SELECT state FROM gateway WHERE gateway_id = %s AND revoked_at IS NULL", (gateway_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def is_anothers(conn: Connection, gateway_id: str, patient_id: UUID) -> bool:
    """Whether it reads others' devices and none of this patient's."""
    cursor = await conn.execute("SELECT gateway_is_anothers(%s, %s)", (gateway_id, patient_id))
    answer: bool = one(await cursor.fetchone())[0]
    return answer


async def gateways_of(conn: Connection, patient_id: UUID) -> list[str]:
    """Those known to read devices which the patient has, and those where one was paired for them last."""
    cursor = await conn.execute(
        """SELECT gateway_id FROM (
               SELECT g.gateway_id, g.told_at AS at FROM known_home h JOIN device_assignment a USING (assignment_id)
               JOIN gateway_device g ON g.gateway_id = h.gateway_id AND g.name = h.name
               WHERE a.patient_id = %(patient_id)s AND a.valid @> now()
               UNION ALL
               SELECT c.gateway_id, x.begun_at FROM pairing x JOIN gateway_command c USING (command_id)
               WHERE x.patient_id = %(patient_id)s) found
           GROUP BY gateway_id ORDER BY max(at) DESC LIMIT 10""",
        {"patient_id": patient_id},
    )
    return [row[0] for row in await cursor.fetchall()]


async def name_at(conn: Connection, gateway_id: str, device_id: str | None, profile: str) -> str | None:
    """What the gateway calls a device that it knows already over Bluetooth; None: it does not."""
    cursor = await conn.execute(
        """SELECT name FROM gateway_device
           WHERE gateway_id = %s AND device_id = %s AND profile = %s AND transport = 'ble'""",
        (gateway_id, device_id, profile),
    )
    row = await cursor.fetchone()
    return row[0] if row else None
