"""All SQL of medication and treatment changes; the caller has checked who asks."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.db.connect import one
from cloud.treatment.models import ChangeEntry, Medication, MedicationEntry, TreatmentChange

Connection = AsyncConnection[Any]

_MEDICATION: Final = """
SELECT m.medication_id, m.drug, m.dose, m.since, m.until, a.display_name AS entered_by, m.entered_at,
       e.display_name AS ended_by, m.ended_at
FROM medication m JOIN account a ON a.account_id = m.entered_by LEFT JOIN account e ON e.account_id = m.ended_by
WHERE m.patient_id = %s ORDER BY m.since DESC NULLS LAST, m.drug, m.entered_at
"""

_CHANGES: Final = """
SELECT c.change_id, c.changed_on, c.what, c.why, a.display_name AS noted_by, c.noted_at,
       w.display_name AS withdrawn_by, c.withdrawn_at
FROM treatment_change c JOIN account a ON a.account_id = c.noted_by
LEFT JOIN account w ON w.account_id = c.withdrawn_by
WHERE c.patient_id = %s ORDER BY c.changed_on DESC, c.noted_at DESC, c.change_id
"""


async def medication(conn: Connection, patient_id: UUID) -> list[Medication]:
    """All of it, whether taken now or before, the newest first."""
    async with conn.cursor(row_factory=class_row(Medication)) as cursor:
        await cursor.execute(_MEDICATION, (patient_id,))
        return await cursor.fetchall()


async def changes(conn: Connection, patient_id: UUID) -> list[TreatmentChange]:
    """All changes, the withdrawn ones too, the newest first."""
    async with conn.cursor(row_factory=class_row(TreatmentChange)) as cursor:
        await cursor.execute(_CHANGES, (patient_id,))
        return await cursor.fetchall()


async def add_medication(conn: Connection, patient_id: UUID, entry: MedicationEntry, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO medication (patient_id, drug, dose, since, until, entered_by, entered_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING medication_id""",
        (patient_id, entry.drug, entry.dose, entry.since, entry.until, by, at),
    )
    medication_id: UUID = one(await cursor.fetchone())[0]
    return medication_id


async def end_medication(
    conn: Connection, patient_id: UUID, medication_id: UUID, until: date, by: UUID, at: datetime
) -> bool:
    """``until`` is the last day. False: no such medication, or it has ended."""
    cursor = await conn.execute(
        """UPDATE medication SET until = greatest(since, %s), ended_by = %s, ended_at = %s
           WHERE medication_id = %s AND patient_id = %s AND ended_at IS NULL AND (until IS NULL OR until > %s)""",
        (until, by, at, medication_id, patient_id, until),
    )
    return cursor.rowcount == 1


async def add_change(conn: Connection, patient_id: UUID, entry: ChangeEntry, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO treatment_change (patient_id, changed_on, what, why, noted_by, noted_at)
           VALUES (%s, %s, %s, %s, %s, %s) RETURNING change_id""",
        (patient_id, entry.changed_on, entry.what, entry.why, by, at),
    )
    change_id: UUID = one(await cursor.fetchone())[0]
    return change_id


async def withdraw_change(conn: Connection, patient_id: UUID, change_id: UUID, by: UUID, at: datetime) -> bool:
    """It was noted in error. False: no such change, or withdrawn already."""
    cursor = await conn.execute(
        """UPDATE treatment_change SET withdrawn_by = %s, withdrawn_at = %s
           WHERE change_id = %s AND patient_id = %s AND withdrawn_at IS NULL""",
        (by, at, change_id, patient_id),
    )
    return cursor.rowcount == 1
