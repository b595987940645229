"""All SQL of visits; the caller has checked who asks."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.db.connect import one
from cloud.visits.models import Asked, Outcome, Visit

Connection = AsyncConnection[Any]

SHOWN: Final = 200

_VISITS: Final = SQL("""
SELECT v.visit_id, v.patient_id, p.display_name AS patient_name, p.time_zone, v.way, v.by_day, v.why,
       a.display_name AS asked_by, v.asked_at, t.starts_at, t.set_by, v.outcome, e.display_name AS ended_by, v.ended_at
FROM visit v
JOIN patient p USING (patient_id)
JOIN account a ON a.account_id = v.asked_by
LEFT JOIN account e ON e.account_id = v.ended_by
LEFT JOIN LATERAL (SELECT w.starts_at, s.display_name AS set_by
                   FROM visit_time w JOIN account s ON s.account_id = w.set_by
                   WHERE w.visit_id = v.visit_id ORDER BY w.visit_time_id DESC LIMIT 1) t ON true
""")
_OF_PATIENT: Final = SQL("{visits} WHERE v.patient_id = %s ORDER BY v.asked_at DESC, v.visit_id").format(visits=_VISITS)
_TO_COME: Final = SQL(
    """{visits} WHERE v.outcome IS NULL AND {in_care_team}
       ORDER BY t.starts_at IS NOT NULL, coalesce(t.starts_at, v.by_day), v.visit_id LIMIT %(most)s"""
).format(visits=_VISITS, in_care_team=IN_CARE_TEAM)


async def of_patient(conn: Connection, patient_id: UUID) -> list[Visit]:
    """All that there ever were, the newest first."""
    async with conn.cursor(row_factory=class_row(Visit)) as cursor:
        await cursor.execute(_OF_PATIENT, (patient_id,))
        return await cursor.fetchall()


async def to_come(conn: Connection, account_id: UUID) -> list[Visit]:
    """Of the patients in the account's care: those without a time first, the most pressing first; at most SHOWN."""
    async with conn.cursor(row_factory=class_row(Visit)) as cursor:
        await cursor.execute(_TO_COME, {"account_id": account_id, "most": SHOWN})
        return await cursor.fetchall()


async def ask(conn: Connection, patient_id: UUID, visit: Asked, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO visit (patient_id, way, by_day, why, asked_by, asked_at)
           VALUES (%s, %s, %s, %s, %s, %s) RETURNING visit_id""",
        (patient_id, visit.way, visit.by_day, visit.why, by, at),
    )
    visit_id: UUID = one(await cursor.fetchone())[0]
    return visit_id


async def arrange(
    conn: Connection, patient_id: UUID, visit_id: UUID, starts_at: datetime, by: UUID, at: datetime
) -> bool:
    """One more time for it, which holds from now on. False: no such visit, or it has ended."""
    cursor = await conn.execute(
        """INSERT INTO visit_time (visit_id, patient_id, starts_at, set_by, set_at)
           SELECT v.visit_id, v.patient_id, %s, %s, %s FROM visit v
           WHERE v.visit_id = %s AND v.patient_id = %s AND v.outcome IS NULL""",
        (starts_at, by, at, visit_id, patient_id),
    )
    return cursor.rowcount == 1


async def end(conn: Connection, patient_id: UUID, visit_id: UUID, outcome: Outcome, by: UUID, at: datetime) -> bool:
    """What became of it. False: no such visit, or it has ended."""
    cursor = await conn.execute(
        """UPDATE visit SET outcome = %s, ended_by = %s, ended_at = %s
           WHERE visit_id = %s AND patient_id = %s AND outcome IS NULL""",
        (outcome, by, at, visit_id, patient_id),
    )
    return cursor.rowcount == 1
