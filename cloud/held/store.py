"""All SQL of the questions."""

import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.held.models import Answer, Cuff, HeldReading, Person

Connection = AsyncConnection[Any]
SHOWN: Final = 200
# What was answered stays on the patient's page: the newest of it.
ANSWERED_SHOWN: Final = 30

_HELD: Final = SQL(
    """SELECT h.reading_id, h.patient_id, p.display_name AS patient_name, p.time_zone, h.device_id,
              d.manufacturer || ' ' || d.model AS device, h.user_index, h.effective_time, h.reported_time,
              h.received_at, h.unit, h.systolic, h.diastolic, h.pulse, h.reason, h.asked_at, h.answer, h.answered_at,
              coalesce(who.role = 'patient', false) AS by_patient,
              CASE WHEN who.role <> 'patient' THEN who.display_name END AS answered_by, h.answered_why,
              h.other_patient_id,
              EXISTS (SELECT FROM account o WHERE o.patient_id = h.patient_id AND o.disabled_at IS NULL) AS has_account
       FROM held_reading h
       JOIN patient p USING (patient_id)
       JOIN device d USING (device_id)
       LEFT JOIN account who ON who.account_id = h.answered_by
       WHERE """
)
_OPEN: Final = SQL("(h.answer IS NULL OR h.answer = 'other' AND h.other_patient_id IS NULL)")
_OPEN_OF: Final = (
    _HELD + SQL("h.patient_id = %(patient_id)s AND ") + _OPEN
    + SQL(" ORDER BY h.effective_time DESC, h.reading_id LIMIT %(most)s")
)  # fmt: skip
_ANSWERED_OF: Final = (
    _HELD + SQL("h.patient_id = %(patient_id)s AND NOT ") + _OPEN
    + SQL(" ORDER BY h.effective_time DESC, h.reading_id LIMIT %(most)s")
)  # fmt: skip
_OPEN_IN_CARE: Final = (
    _HELD + _OPEN + SQL(" AND ") + IN_CARE_TEAM + SQL(" ORDER BY h.asked_at, h.reading_id LIMIT %(most)s")
)

_PEOPLE: Final = SQL(
    """SELECT p.patient_id, p.display_name,
              EXISTS (SELECT FROM device_assignment a JOIN held_reading h USING (device_id)
                      WHERE h.patient_id = %(patient_id)s AND a.patient_id = p.patient_id
                        AND a.valid @> h.effective_time) AS has_device
       FROM patient p
       WHERE p.patient_id <> %(patient_id)s AND {in_care_team}
         AND p.training = (SELECT o.training FROM patient o WHERE o.patient_id = %(patient_id)s)
       ORDER BY has_device DESC, p.display_name, p.patient_id"""
).format(in_care_team=IN_CARE_TEAM)

_CUFFS: Final = """SELECT a.assignment_id, d.manufacturer || ' ' || d.model AS name, d.serial_number, a.user_index,
              a.shared,
              (SELECT count(DISTINCT o.patient_id) FROM device_assignment o
               WHERE o.device_id = a.device_id AND o.patient_id <> a.patient_id AND o.valid @> %(now)s) AS others
       FROM device_assignment a JOIN device d USING (device_id)
       WHERE a.patient_id = %(patient_id)s AND a.valid @> %(now)s
         AND EXISTS (SELECT FROM blood_pressure b WHERE b.patient_id = a.patient_id AND b.device_id = a.device_id
                       AND b.effective_time > %(now)s - interval '60 days')
       ORDER BY name, a.device_id, a.user_index NULLS FIRST"""

# Decided is decided: what was released cannot be taken back here. A patient answers once; the staff may settle what the
# patient left open, or said was somebody else's.
_ANSWER: Final = """UPDATE held_reading h
       SET answer = %(answer)s, answered_at = %(now)s, answered_by = %(account_id)s, answered_why = %(why)s,
           other_patient_id = %(other)s
       WHERE h.reading_id = %(reading_id)s AND h.patient_id = %(patient_id)s
         AND (h.answer IS NULL
              OR %(staff)s AND h.answer <> 'yes' AND h.other_patient_id IS NULL)"""

_SHARE: Final = SQL(
    """UPDATE device_assignment a SET shared = %(shared)s FROM patient p
       WHERE p.patient_id = a.patient_id AND a.patient_id = %(patient_id)s AND a.assignment_id = %(assignment_id)s
         AND a.valid @> %(now)s AND {in_care_team}"""
).format(in_care_team=IN_CARE_TEAM)


async def open_of(conn: Connection, patient_id: UUID) -> list[HeldReading]:
    """What still waits, newest first; the caller has checked who asks."""
    return await _held(conn, _OPEN_OF, {"patient_id": patient_id, "most": SHOWN})


async def answered_of(conn: Connection, patient_id: UUID) -> list[HeldReading]:
    """What was said of the newest; the caller has checked who asks."""
    return await _held(conn, _ANSWERED_OF, {"patient_id": patient_id, "most": ANSWERED_SHOWN})


async def open_in_care(conn: Connection, account_id: UUID) -> list[HeldReading]:
    """What waits of all patients in the account's care, the oldest question first."""
    return await _held(conn, _OPEN_IN_CARE, {"account_id": account_id, "most": SHOWN})


async def _held(conn: Connection, query: Any, parameters: dict[str, object]) -> list[HeldReading]:
    async with conn.cursor(row_factory=class_row(HeldReading)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()


async def people(conn: Connection, account_id: UUID, patient_id: UUID) -> list[Person]:
    """Whose it may be instead: others in the account's care, those who have the device first.

    What is real is no training patient's, and the other way round.
    """
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(_PEOPLE, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchall()


async def cuffs(conn: Connection, patient_id: UUID, now: datetime) -> list[Cuff]:
    """The monitors that the patient has now and has measured with; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Cuff)) as cursor:
        await cursor.execute(_CUFFS, {"patient_id": patient_id, "now": now})
        return await cursor.fetchall()


async def answer(
    conn: Connection,
    *,
    reading_id: UUID,
    patient_id: UUID,
    account_id: UUID,
    staff: bool,
    said: Answer,
    why: str,
    other: UUID | None,
    now: datetime,
) -> bool:
    """Write the answer down; False where there is no such question, or it is decided."""
    cursor = await conn.execute(
        _ANSWER,
        {
            "reading_id": reading_id,
            "patient_id": patient_id,
            "account_id": account_id,
            "staff": staff,
            "answer": said.value,
            "why": why,
            "other": other,
            "now": now,
        },
    )
    return cursor.rowcount == 1


async def release(
    conn: Connection, *, reading_id: UUID, patient_id: UUID, account_id: UUID, why: str, now: datetime
) -> None:
    """Ask the ingest to let it through as this patient's."""
    await conn.execute(
        "INSERT INTO reading_release (reading_id, origin, patient_id, why, said_by, said_at)"
        " VALUES (%s, 'held', %s, %s, %s, %s)",
        (reading_id, patient_id, why, account_id, now),
    )


async def share(
    conn: Connection, *, account_id: UUID, patient_id: UUID, assignment_id: UUID, shared: bool, now: datetime
) -> bool:
    """Say whether others use the device, too; False where the patient has no such device, or is not in this care."""
    cursor = await conn.execute(
        _SHARE,
        {
            "account_id": account_id,
            "patient_id": patient_id,
            "assignment_id": assignment_id,
            "shared": shared,
            "now": now,
        },
    )
    return cursor.rowcount == 1


async def tell(conn: Connection, patient_id: UUID) -> None:
    """Open pages of this patient look again once this commits: ids only."""
    await conn.execute("SELECT pg_notify('live', %s)", (json.dumps({"type": "held", "patient_id": str(patient_id)}),))
