"""All SQL that reads what is known of one patient's devices, as the judgement of the fleet reads it of all."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from alerting.technical.fleet import Gateway, RosterEntry, Use

Connection = AsyncConnection[Any]

# From when on a measurement is expected: a nurse who closed the case of a silence has dealt with what was before.
_USES: Final = """
SELECT a.assignment_id::text, a.device_id, d.manufacturer || ' ' || d.model AS label, a.expected_every AS every,
       greatest(lower(a.valid), d.first_seen_at, closed.at) AS since,
       CASE WHEN a.user_index IS NULL THEN d.last_measured_at ELSE used.at END AS measured_at, d.last_held_at AS held_at
FROM device_assignment a
JOIN device d USING (device_id)
LEFT JOIN LATERAL (
    SELECT b.effective_time AS at FROM blood_pressure b
    WHERE a.user_index IS NOT NULL AND b.patient_id = a.patient_id AND b.device_id = a.device_id
      AND b.user_index = a.user_index AND b.sample = 'patient'
    ORDER BY b.effective_time DESC LIMIT 1) used ON true
LEFT JOIN LATERAL (
    SELECT max(c.changed_at) AS at FROM alert_case c
    WHERE c.patient_id = a.patient_id AND c.condition = %(missing)s AND c.state IN ('resolved', 'expired')
) closed ON true
WHERE a.patient_id = %(patient_id)s AND a.expected_every IS NOT NULL AND a.valid @> %(now)s
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


async def uses(conn: Connection, patient_id: UUID, missing: str, now: datetime) -> list[Use]:
    """The patient's devices of which a measurement is expected; ``missing`` is the condition of the nurse's case."""
    async with conn.cursor(row_factory=class_row(Use)) as cursor:
        await cursor.execute(_USES, {"patient_id": patient_id, "missing": missing, "now": now})
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
