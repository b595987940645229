"""All SQL of a patient's own page that no other room has. The patient's id is the session's, never a request's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from device_drivers.readings import Kind

Connection = AsyncConnection[Any]

_TAKEN: Final = SQL(
    "SELECT effective_time FROM {view} WHERE patient_id = %s AND sample = 'patient' AND effective_time >= %s"
    " AND effective_time <= %s ORDER BY effective_time"
)
_VIEWS: Final[Mapping[Kind, Identifier]] = {kind: Identifier(kind.value) for kind in Kind}

# Of the patient's own devices and the gateways that know them: what the fleet is judged to lack. What another alarm
# explains is left out, but for a device whose gateway is away: the patient is told of both ends.
_ALARMS: Final = """
SELECT DISTINCT ON (t.condition, d.device_id)
       t.condition, CASE WHEN t.device_id IS NOT NULL THEN d.manufacturer || ' ' || d.model END AS device, t.raised_at
FROM device_assignment a
JOIN device d USING (device_id)
LEFT JOIN gateway_device g USING (device_id)
JOIN technical_alarm t ON t.resolved_at IS NULL
    AND (t.device_id = a.device_id AND t.condition IN ('device_silent', 'device_battery')
         OR t.gateway_id = g.gateway_id AND t.condition = 'gateway_away')
WHERE a.patient_id = %s AND a.valid @> %s::timestamptz
ORDER BY t.condition, d.device_id, t.raised_at
"""

_LAST_SEEN: Final = """
SELECT max(w.last_seen_at) FROM device_assignment a
JOIN gateway_device g USING (device_id) JOIN gateway w USING (gateway_id)
WHERE a.patient_id = %s AND a.valid @> %s::timestamptz AND w.revoked_at IS NULL
"""


async def taken(conn: Connection, patient_id: UUID, kind: Kind, since: datetime, until: datetime) -> list[datetime]:
    """When the patient measured, the oldest first."""
    cursor = await conn.execute(_TAKEN.format(view=_VIEWS[kind]), (patient_id, since, until))
    return [at for (at,) in await cursor.fetchall()]


async def alarms(conn: Connection, patient_id: UUID, now: datetime) -> list[tuple[str, str | None, datetime]]:
    """What is technically wrong with the patient's devices and gateways: condition, device, since when."""
    cursor = await conn.execute(_ALARMS, (patient_id, now))
    return await cursor.fetchall()


async def gateway_seen_at(conn: Connection, patient_id: UUID, now: datetime) -> datetime | None:
    """When one of the patient's gateways was last heard."""
    row = await (await conn.execute(_LAST_SEEN, (patient_id, now))).fetchone()
    return row[0] if row else None
