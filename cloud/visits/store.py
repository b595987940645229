"""All SQL of invitations; the caller has checked who asks. When one will be stands in the appointment booked for it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
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
                   FROM appointment w LEFT JOIN account s ON s.account_id = w.booked_by
                   WHERE w.visit_id = v.visit_id AND w.state IN ('booked', 'took_place')
                   ORDER BY w.booked_at DESC LIMIT 1) t ON true
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


async def ask(conn: Connection, patient_id: UUID, visit: Asked, by: UUID, at: datetime) -> UUID | None:
    """None: the very same invitation is open already; the button was pressed twice."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('visit:' || %s, 0))", (str(patient_id),))
    cursor = await conn.execute(
        """INSERT INTO visit (patient_id, way, by_day, why, asked_by, asked_at)
           SELECT %(patient)s, %(way)s, %(by_day)s, %(why)s, %(by)s, %(at)s
           WHERE NOT EXISTS (SELECT FROM visit v WHERE v.patient_id = %(patient)s AND v.outcome IS NULL
                             AND (v.way, v.by_day, v.why, v.asked_by) = (%(way)s, %(by_day)s, %(why)s, %(by)s))
           RETURNING visit_id""",
        {
            "patient": patient_id, "way": visit.way, "by_day": visit.by_day, "why": visit.why, "by": by, "at": at,
        },
    )  # fmt: skip
    row = await cursor.fetchone()
    return row[0] if row else None


async def end(conn: Connection, patient_id: UUID, visit_id: UUID, outcome: Outcome, by: UUID, at: datetime) -> bool:
    """What became of it. False: no such visit, or it has ended."""
    cursor = await conn.execute(
        """UPDATE visit SET outcome = %s, ended_by = %s, ended_at = %s
           WHERE visit_id = %s AND patient_id = %s AND outcome IS NULL""",
        (outcome, by, at, visit_id, patient_id),
    )
    return cursor.rowcount == 1
