"""All SQL of the technical queue."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.technical.models import Alarm, Place

Connection = AsyncConnection[Any]
SHOWN: Final = 200
# Of what one alarm hides so many are listed; the others are counted.
HIDDEN_SHOWN: Final = 20
HIDDEN_SHOWN_IN_ALL: Final = 300

_ALARMS: Final = SQL(
    """SELECT t.alarm_id, t.condition, t.subject, t.gateway_id, t.device_name, t.device_id, t.priority, t.sentence,
              t.inhibited_by, t.raised_at, t.acknowledged_at, t.acknowledged_by,
              a.display_name AS acknowledged_by_name, t.resolved_at,
              coalesce(d.identity, t.reason->>'identity') AS identity, t.reason->'said' AS said
       FROM technical_alarm t
       LEFT JOIN account a ON a.account_id = t.acknowledged_by
       LEFT JOIN gateway_device d ON d.gateway_id = t.gateway_id AND d.name = t.device_name"""
)
_RANK: Final = SQL("array_position(ARRAY['high', 'medium', 'low'], t.priority)")
_MOST_URGENT_FIRST: Final = SQL(" ORDER BY {rank}, t.raised_at, t.alarm_id").format(rank=_RANK)

_WORK: Final = (
    _ALARMS
    + SQL(" WHERE t.resolved_at IS NULL AND t.inhibited_by IS NULL")
    + _MOST_URGENT_FIRST
    + SQL(" LIMIT %(most)s")
)
_HIDDEN: Final = _ALARMS + SQL(
    """ JOIN (SELECT alarm_id, raised_at, place
              FROM (SELECT alarm_id, raised_at, row_number() OVER (PARTITION BY inhibited_by, gateway_id
                                                                   ORDER BY raised_at, alarm_id) AS place
                    FROM technical_alarm WHERE resolved_at IS NULL AND inhibited_by IS NOT NULL) each
              WHERE place <= %(each)s ORDER BY place, raised_at, alarm_id LIMIT %(most)s) listed USING (alarm_id)
       ORDER BY listed.place, listed.raised_at, alarm_id"""
)
_RESOLVED: Final = _ALARMS + SQL(
    " WHERE t.resolved_at >= %(since)s ORDER BY t.resolved_at DESC, t.alarm_id LIMIT %(most)s"
)
_OF_GATEWAY: Final = (
    _ALARMS + SQL(" WHERE t.resolved_at IS NULL AND t.gateway_id = %(gateway_id)s") + _MOST_URGENT_FIRST
)
_ONE: Final = _ALARMS + SQL(" WHERE t.alarm_id = %(alarm_id)s")


async def work(conn: Connection) -> list[Alarm]:
    """Open alarms that nothing hides, the most urgent first, at most SHOWN."""
    return await _alarms(conn, _WORK, {"most": SHOWN})


async def hidden(conn: Connection) -> list[Alarm]:
    """Open alarms that a stronger one explains: some of each gateway and explanation, HIDDEN_SHOWN_IN_ALL at most."""
    return await _alarms(conn, _HIDDEN, {"each": HIDDEN_SHOWN, "most": HIDDEN_SHOWN_IN_ALL})


async def hidden_counts(conn: Connection) -> list[tuple[Place, int]]:
    """How many open alarms are hidden, by where to look for what hides them."""
    cursor = await conn.execute(
        """SELECT h.inhibited_by, h.gateway_id, s.subject, count(*)
           FROM technical_alarm h
           LEFT JOIN technical_alarm s ON s.condition = h.inhibited_by AND s.subject = h.subject
                AND s.resolved_at IS NULL
           WHERE h.resolved_at IS NULL AND h.inhibited_by IS NOT NULL
           GROUP BY h.inhibited_by, h.gateway_id, s.subject"""
    )
    return [(Place(*place), count) async for *place, count in cursor]


async def counts(conn: Connection) -> tuple[int, int]:
    """How many open alarms nothing hides, and how many of them nobody looks after."""
    cursor = await conn.execute(
        """SELECT count(*), count(*) FILTER (WHERE acknowledged_at IS NULL) FROM technical_alarm
           WHERE resolved_at IS NULL AND inhibited_by IS NULL"""
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else (0, 0)


async def resolved_since(conn: Connection, since: datetime) -> list[Alarm]:
    """Alarms whose condition has gone since then, the latest first, at most SHOWN."""
    return await _alarms(conn, _RESOLVED, {"since": since, "most": SHOWN})


async def open_alarms_of(conn: Connection, gateway_id: str) -> list[Alarm]:
    """All open alarms of one gateway and its devices, the hidden ones too."""
    return await _alarms(conn, _OF_GATEWAY, {"gateway_id": gateway_id})


async def alarm(conn: Connection, alarm_id: UUID) -> Alarm | None:
    found = await _alarms(conn, _ONE, {"alarm_id": alarm_id})
    return found[0] if found else None


async def acknowledge(conn: Connection, alarm_id: UUID, account_id: UUID, at: datetime) -> bool:
    """Say who looks after it, unless somebody does or it is gone; whether that was said now. Tells whoever listens."""
    cursor = await conn.execute(
        """UPDATE technical_alarm SET acknowledged_at = %s, acknowledged_by = %s
           WHERE alarm_id = %s AND acknowledged_at IS NULL AND resolved_at IS NULL""",
        (at, account_id, alarm_id),
    )
    if not cursor.rowcount:
        return False
    await conn.execute("""SELECT pg_notify('live', '{"type": "technical"}')""")
    return True


async def _alarms(conn: Connection, query: Any, parameters: dict[str, object]) -> list[Alarm]:
    async with conn.cursor(row_factory=class_row(Alarm)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()
