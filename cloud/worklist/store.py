"""All SQL of the worklist."""

import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from alerting.lifecycle import Event, State
from cloud.auth.care_team import IN_CARE_TEAM
from cloud.worklist.models import Case

Connection = AsyncConnection[Any]

_CASES: Final = SQL(
    """SELECT c.case_id, c.patient_id, p.display_name AS patient_name, p.time_zone, c.condition, c.priority, c.state,
              c.owner, o.display_name AS owner_name, c.sentence, c.opened_at, c.deadline, c.changed_at,
              latest.measured_at, latest.readings
       FROM alert_case c
       JOIN patient p USING (patient_id)
       LEFT JOIN account o ON o.account_id = c.owner
       CROSS JOIN LATERAL (SELECT max(a.effective_time) AS measured_at, count(DISTINCT a.reading_id) AS readings
                           FROM alert a WHERE a.case_id = c.case_id) latest
       WHERE {in_care_team}"""
).format(in_care_team=IN_CARE_TEAM)
_ORDERED: Final = SQL(" ORDER BY array_position(ARRAY['high', 'medium', 'low'], c.priority), c.deadline, c.case_id")
_OPEN: Final = _CASES + SQL(" AND c.state NOT IN ('resolved', 'expired')")
_OPEN_CASES: Final = _OPEN + _ORDERED
_OPEN_CASES_OF_PATIENT: Final = _OPEN + SQL(" AND c.patient_id = %(patient_id)s") + _ORDERED
_ONE: Final = _CASES + SQL(" AND c.case_id = %(case_id)s")


async def open_cases(conn: Connection, account_id: UUID) -> list[Case]:
    """Open cases of the account's patients, in the order of the worklist."""
    async with conn.cursor(row_factory=class_row(Case)) as cursor:
        await cursor.execute(_OPEN_CASES, {"account_id": account_id})
        return await cursor.fetchall()


async def open_cases_of(conn: Connection, account_id: UUID, patient_id: UUID) -> list[Case]:
    async with conn.cursor(row_factory=class_row(Case)) as cursor:
        await cursor.execute(_OPEN_CASES_OF_PATIENT, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchall()


async def case(conn: Connection, account_id: UUID, case_id: UUID) -> Case | None:
    """The case, open or not, if its patient is one of the account's."""
    async with conn.cursor(row_factory=class_row(Case)) as cursor:
        await cursor.execute(_ONE, {"account_id": account_id, "case_id": case_id})
        return await cursor.fetchone()


async def locked_case(conn: Connection, account_id: UUID, case_id: UUID) -> Case | None:
    """The same, and nobody else changes it until this transaction ends."""
    # Read afterwards: a statement that waits for a lock sees the new owner's id, and not yet their name.
    await conn.execute("SELECT FROM alert_case WHERE case_id = %s FOR UPDATE", (case_id,))
    return await case(conn, account_id, case_id)


async def latest_event(conn: Connection) -> int:
    """The id of the newest case event, 0 before the first."""
    cursor = await conn.execute("SELECT coalesce(max(event_id), 0) FROM case_event")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def change(conn: Connection, case: Case, event: Event, to: State, owner: UUID, at: datetime) -> None:
    """Write the new state, its event, and tell whoever listens once this commits."""
    await conn.execute(
        "UPDATE alert_case SET state = %s, owner = %s, changed_at = %s WHERE case_id = %s",
        (to, owner, at, case.case_id),
    )
    cursor = await conn.execute(
        """INSERT INTO case_event (case_id, at, actor, event, from_state, to_state)
           VALUES (%s, %s, %s, %s, %s, %s) RETURNING event_id""",
        (case.case_id, at, owner, event, case.state, to),
    )
    row = await cursor.fetchone()
    notice = {
        "type": "case",
        "case_id": str(case.case_id),
        "patient_id": str(case.patient_id),
        "event_id": row[0] if row else 0,
    }
    await conn.execute("SELECT pg_notify('live', %s)", (json.dumps(notice),))
