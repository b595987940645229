"""All SQL of gaps as people see them; who opens and closes them is the escalation."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.duty.models import DutyGap

AsyncConn = AsyncConnection[Any]

# Pages of a gap that are still on their way are called off; %(gap_id)s. A page is named after its gap (page_name).
CALL_PAGES_OFF: Final = """
UPDATE notification n SET state = 'withdrawn', next_at = NULL
FROM duty_gap g
WHERE g.gap_id = %(gap_id)s AND n.gap IS NOT NULL AND n.next_at IS NOT NULL
  AND starts_with(n.gap, g.role || ':' || g.why || ':'
                         || to_char(g.opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z:"'))
"""


def page_name(role: str, why: str, opened_at: datetime, number: int) -> str:
    """``nurse:nobody_on_duty:2026-11-22T03:00:00Z:1``: which gap, and the how manieth time. Never a patient."""
    return f"{role}:{why}:{opened_at:%Y-%m-%dT%H:%M:%SZ}:{number}"


async def open_gaps(conn: AsyncConn) -> list[DutyGap]:
    """The oldest first, each with how many cases wait that ran into it."""
    async with conn.cursor(row_factory=class_row(DutyGap)) as cursor:
        await cursor.execute(
            """SELECT g.gap_id, g.role, g.why, g.opened_at, g.acknowledged_at, a.display_name AS acknowledged_by_name,
                      cases_in_gap(g.gap_id) AS cases,
                      (SELECT time_zone FROM duty_site) AS zone
               FROM duty_gap g LEFT JOIN account a ON a.account_id = g.acknowledged_by
               WHERE g.resolved_at IS NULL ORDER BY g.opened_at, g.gap_id"""
        )
        return await cursor.fetchall()


async def acknowledge(conn: AsyncConn, gap_id: UUID, by: UUID, at: datetime) -> bool:
    """Nobody is told of it any more. False: it is over, or somebody has."""
    cursor = await conn.execute(
        """UPDATE duty_gap SET acknowledged_at = %s, acknowledged_by = %s, next_at = NULL
           WHERE gap_id = %s AND resolved_at IS NULL AND acknowledged_at IS NULL""",
        (at, by, gap_id),
    )
    if cursor.rowcount != 1:
        return False
    await conn.execute(CALL_PAGES_OFF, {"gap_id": gap_id})
    return True
