"""All SQL of gaps as people see them; who opens and closes them is the escalation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.duty.models import DutyGap

AsyncConn = AsyncConnection[Any]


async def open_gaps(conn: AsyncConn) -> list[DutyGap]:
    """The oldest first, each with how many cases wait that ran into it."""
    async with conn.cursor(row_factory=class_row(DutyGap)) as cursor:
        await cursor.execute(
            """SELECT g.gap_id, g.role, g.why, g.opened_at, g.acknowledged_at, a.display_name AS acknowledged_by_name,
                      (SELECT count(*) FROM duty_gap_case x JOIN alert_case c USING (case_id)
                       WHERE x.gap_id = g.gap_id AND c.state IN ('raised', 'escalated')) AS cases,
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
    return cursor.rowcount == 1
