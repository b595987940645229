"""All SQL of the way in but for its facts: who is on it, what was entered. The callers have checked who asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from cloud.admission.models import Entry, Patient
from cloud.auth.care_team import IN_CARE_TEAM
from cloud.db.connect import one

Connection = AsyncConnection[Any]

MOST_LISTED: Final = 200


_PATIENT: Final = SQL(
    """SELECT p.patient_id, p.display_name, p.birth_date, p.time_zone, p.language, p.mrn, g.programme_id,
              g.display_name AS programme, m.heightened_until
       FROM patient p
       LEFT JOIN patient_programme m ON m.patient_id = p.patient_id AND m.valid @> %(now)s::timestamptz
       JOIN programme g ON g.programme_id = coalesce(m.programme_id, 'standard')
       LEFT JOIN participation x ON x.patient_id = p.patient_id AND x.is_newest
       WHERE {in_care_team} AND """
).format(in_care_team=IN_CARE_TEAM)

# Open cases, devices of the stock that have not come back, messages of the patient that wait for an answer.
_LEFT: Final = """
SELECT patient_id, 'open_cases', count(*) FROM alert_case
WHERE patient_id = ANY(%(patients)s) AND state NOT IN ('resolved', 'expired') GROUP BY patient_id
UNION ALL
SELECT patient_id, 'devices_out', count(*) FROM stock_holding
WHERE patient_id = ANY(%(patients)s) AND until IS NULL GROUP BY patient_id
UNION ALL
SELECT patient_id, 'messages_waiting', count(*) FROM patient_message
WHERE patient_id = ANY(%(patients)s) AND from_patient AND settled_at IS NULL GROUP BY patient_id
UNION ALL
SELECT patient_id, 'appointments', count(*) FROM appointment
WHERE patient_id = ANY(%(patients)s) AND state = 'booked' GROUP BY patient_id
"""

_ONE: Final = _PATIENT + SQL("p.patient_id = %(patient_id)s")
_ON_THE_WAY: Final = _PATIENT + SQL(
    "x.activated_at IS NULL AND x.ended_at IS NULL AND x.begun_at IS NOT NULL ORDER BY x.begun_at, p.patient_id"
)
_LEAVING: Final = _PATIENT + SQL("x.ended_at IS NOT NULL AND x.closed_at IS NULL ORDER BY x.ended_at, p.patient_id")
_TAKING_PART: Final = _PATIENT + SQL(
    """x.ended_at IS NULL AND (x.begun_at IS NULL OR x.activated_at IS NOT NULL)
       AND (%(sought)s = '' OR p.mrn = %(sought)s OR strpos(lower(p.display_name), lower(%(sought)s)) > 0)
       ORDER BY lower(p.display_name), p.patient_id LIMIT %(most)s"""
)

_HISTORY: Final = """
SELECT e.entry_id, e.patient_id, e.participation_id, e.step, e.item, e.outcome, e.detail, e.note,
       a.display_name AS entered_by, e.entered_at
FROM admission_entry e JOIN account a ON a.account_id = e.entered_by
WHERE e.patient_id = %s ORDER BY e.entry_id DESC LIMIT %s
"""

_ASKED: Final = """
SELECT a.account_id, a.display_name, a.role FROM account a
WHERE a.role IN ('nurse', 'lead_nurse', 'doctor', 'coordinator') AND a.disabled_at IS NULL
  AND NOT EXISTS (SELECT FROM care_team t WHERE t.patient_id = %s AND t.account_id = a.account_id
                    AND (t.until IS NULL OR t.until > now()))
ORDER BY a.role, lower(a.display_name), a.account_id
"""


async def patient(conn: Connection, account_id: UUID, patient_id: UUID, now: datetime) -> Patient | None:
    """The patient, if in the account's care."""
    asked = {"account_id": account_id, "patient_id": patient_id, "now": now}
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_ONE, asked)
        return await cursor.fetchone()


async def on_the_way(conn: Connection, account_id: UUID, now: datetime) -> list[Patient]:
    """Whoever of the account's patients is not active yet, the oldest first."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_ON_THE_WAY, {"account_id": account_id, "now": now})
        return await cursor.fetchall()


async def leaving(conn: Connection, account_id: UUID, now: datetime) -> list[Patient]:
    """Whose participation has ended and is not closed, the oldest first."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_LEAVING, {"account_id": account_id, "now": now})
        return await cursor.fetchall()


async def taking_part(conn: Connection, account_id: UUID, sought: str, now: datetime) -> list[Patient]:
    """Who is active, by name; ``sought``: a part of the name, or the number at the clinic. At most MOST_LISTED."""
    asked = {"account_id": account_id, "now": now, "sought": sought, "most": MOST_LISTED}
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_TAKING_PART, asked)
        return await cursor.fetchall()


async def history(conn: Connection, patient_id: UUID, most: int) -> list[Entry]:
    """All that was ever entered, the newest first."""
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(_HISTORY, (patient_id, most))
        return await cursor.fetchall()


async def may_be_asked(conn: Connection, patient_id: UUID) -> list[tuple[UUID, str, str]]:
    """Who is not in the care team and could be: account, name, role."""
    return await (await conn.execute(_ASKED, (patient_id,))).fetchall()


async def site_zone(conn: Connection) -> str:
    """The clinic's time zone: most of its patients live there."""
    row = await (await conn.execute("SELECT time_zone FROM duty_site")).fetchone()
    return row[0] if row else "UTC"


async def left(conn: Connection, patient_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """What is left to do for each of these patients, and how much of it: by the code of what is missing (texts)."""
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    async for patient_id, code, number in await conn.execute(_LEFT, {"patients": list(patient_ids)}):
        found[patient_id][code] = number
    return found


async def add(
    conn: Connection,
    *,
    participation_id: UUID,
    patient_id: UUID,
    step: str,
    item: str,
    outcome: str,
    detail: Mapping[str, object],
    note: str,
    by: UUID,
    at: datetime,
) -> int:
    """Write an entry down; gives its id."""
    cursor = await conn.execute(
        """INSERT INTO admission_entry (participation_id, patient_id, step, item, outcome, detail, note, entered_by,
                                        entered_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING entry_id""",
        (participation_id, patient_id, step, item, outcome, Jsonb(dict(detail)), note, by, at),
    )
    entry_id: int = one(await cursor.fetchone())[0]
    return entry_id


async def join_team(conn: Connection, patient_id: UUID, account_id: UUID) -> bool:
    """False: not somebody who could be asked."""
    if account_id not in {member for member, _, _ in await may_be_asked(conn, patient_id)}:
        return False
    await conn.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, account_id))
    return True


async def leave_team(conn: Connection, patient_id: UUID, account_id: UUID) -> bool:
    """False: not in the care team."""
    cursor = await conn.execute(
        "UPDATE care_team SET until = now() WHERE patient_id = %s AND account_id = %s"
        " AND (until IS NULL OR until > now())",
        (patient_id, account_id),
    )
    return cursor.rowcount > 0
