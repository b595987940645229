"""All SQL that reads what is known of one patient's devices, as the judgement of the fleet reads it of all."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from alerting.technical.fleet import Gateway, RosterEntry, Use

Connection = AsyncConnection[Any]

_USES: Final = """
SELECT assignment_id::text, device_id, label, every, since, measured_at, held_at
FROM expected_use WHERE patient_id = %(patient_id)s AND valid @> %(now)s
"""

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


async def uses(conn: Connection, patient_id: UUID, now: datetime) -> list[Use]:
    """The patient's devices of which a measurement is expected."""
    async with conn.cursor(row_factory=class_row(Use)) as cursor:
        await cursor.execute(_USES, {"patient_id": patient_id, "now": now})
        return await cursor.fetchall()


async def roster(conn: Connection, device_ids: list[str]) -> list[RosterEntry]:
    """What gateways told of these devices."""
    async with conn.cursor(row_factory=class_row(RosterEntry)) as cursor:
        await cursor.execute(_ROSTER, (device_ids,))
        return await cursor.fetchall()


async def gateways(conn: Connection, gateway_ids: list[str]) -> list[Gateway]:
    async with conn.cursor(row_factory=class_row(Gateway)) as cursor:
        await cursor.execute(_GATEWAYS, (gateway_ids,))
        return await cursor.fetchall()
