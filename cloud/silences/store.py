"""All SQL that reads what is known of one patient's devices, as the judgement of the fleet reads it of all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from alerting.technical.fleet import Gateway, RosterEntry, Use
from cloud.db.connect import as_rows
from cloud.fleet.evidence import USES, chosen, use_of
from cloud.fleet.schedules import LAST_CLOSED, LAST_MEASURED, LOOK_BACK, SCHEDULES, Heard, Overdue, Row

Connection = AsyncConnection[Any]

_ROSTER: Final = """
SELECT d.gateway_id, d.name, d.profile, d.told_at, d.device_id, d.visited_at, d.outcome, d.reason, d.identity,
       d.complete_at, d.heard_at, d.battery_low, d.repairs
FROM gateway_device d JOIN gateway g USING (gateway_id)
WHERE d.device_id = ANY(%s) AND g.revoked_at IS NULL
"""

_GATEWAYS: Final = """
SELECT g.gateway_id, g.state, g.state_at, g.last_seen_at, g.outbox_depth, g.oldest_unsent_s, g.clock_synchronised,
       g.clock_offset_s, g.disk_free_octets, g.storage_error, g.certificate_until,
       (SELECT max(resolved_at) FROM technical_alarm t
        WHERE t.gateway_id = g.gateway_id AND t.condition = 'gateway_away') AS back_at
FROM gateway g WHERE g.gateway_id = ANY(%s)
"""


async def schedules(conn: Connection, patient_id: UUID, now: datetime) -> list[Row]:
    """When the patient measures what."""
    cursor = await conn.execute(SCHEDULES, {"patient_id": patient_id, "now": now})
    return [Row(*row) for row in await cursor.fetchall()]


async def heard(conn: Connection, row: Row, now: datetime) -> Heard:
    """When the patient last measured this kind, and a nurse last closed the case of a silence."""
    asked = {"patients": [row.patient_id], "floor": now - LOOK_BACK, "now": now}
    [(_, measured_at)] = await (await conn.execute(LAST_MEASURED[row.kind], asked)).fetchall()
    closed = await (await conn.execute(LAST_CLOSED, asked)).fetchone()
    return Heard(measured_at, closed[1] if closed else None)


async def uses(conn: Connection, late: Overdue, now: datetime) -> Sequence[Use]:
    """The patient's devices with which such a measurement is made."""
    asked = as_rows([{"patient_id": late.patient_id, "kind": late.kind}])
    cursor = await conn.execute(USES, {"asked": asked, "now": now})
    return chosen([(is_known, use_of(late, *use)) for _, _, *use, is_known in await cursor.fetchall()])


async def roster(conn: Connection, device_ids: list[str]) -> list[RosterEntry]:
    """What gateways told of these devices."""
    async with conn.cursor(row_factory=class_row(RosterEntry)) as cursor:
        await cursor.execute(_ROSTER, (device_ids,))
        return await cursor.fetchall()


async def gateways(conn: Connection, gateway_ids: list[str]) -> list[Gateway]:
    async with conn.cursor(row_factory=class_row(Gateway)) as cursor:
        await cursor.execute(_GATEWAYS, (gateway_ids,))
        return await cursor.fetchall()
