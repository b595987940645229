"""All SQL of consent: decisions are written, and never changed."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.consent.models import Decided, Entry, Outdated
from cloud.db.connect import one

Connection = AsyncConnection[Any]

_DECIDED: Final = """
SELECT c.consent_id, c.patient_id, c.text_id, c.version, c.language, c.decision, c.method, c.signed_on, c.note,
       a.display_name AS entered_by, a.role = 'patient' AS by_patient, c.entered_at
FROM consent c JOIN account a ON a.account_id = c.entered_by
WHERE c.patient_id = ANY(%s) ORDER BY c.decision_no DESC
"""

_OUTDATED: Final = SQL(
    """SELECT p.patient_id, p.display_name
       FROM patient p
       CROSS JOIN LATERAL (SELECT c.decision, c.text_id, c.version FROM consent c
                           WHERE c.patient_id = p.patient_id ORDER BY c.decision_no DESC LIMIT 1) c
       WHERE {in_care_team} AND c.decision = 'given' AND (c.text_id, c.version) <> (%(text_id)s, %(version)s)
         AND NOT EXISTS (SELECT FROM participation x
                         WHERE x.patient_id = p.patient_id AND x.is_newest AND x.ended_at IS NOT NULL)
       ORDER BY lower(p.display_name), p.patient_id"""
).format(in_care_team=IN_CARE_TEAM)


async def decided(conn: Connection, patient_ids: list[UUID]) -> list[Decided]:
    """All that these patients ever decided, the newest first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Decided)) as cursor:
        await cursor.execute(_DECIDED, (patient_ids,))
        return await cursor.fetchall()


async def outdated(conn: Connection, account_id: UUID, text_id: str, version: int) -> list[Outdated]:
    """Of the account's patients whose participation has not ended: who agreed, and to another text than this one."""
    asked = {"account_id": account_id, "text_id": text_id, "version": version}
    async with conn.cursor(row_factory=class_row(Outdated)) as cursor:
        await cursor.execute(_OUTDATED, asked)
        return await cursor.fetchall()


async def language_of(conn: Connection, patient_id: UUID) -> str | None:
    """In which language the patient is spoken with; None: no such patient for this account."""
    cursor = await conn.execute("SELECT language FROM patient WHERE patient_id = %s", (patient_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def add(conn: Connection, patient_id: UUID, entry: Entry, by: UUID, at: datetime) -> UUID:
    """Write a decision down."""
    text = entry.text
    cursor = await conn.execute(
        """INSERT INTO consent (patient_id, text_id, version, language, text_sha256, decision, method,
                                signed_on, note, entered_by, entered_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING consent_id""",
        (
            patient_id,
            text.text_id,
            text.version,
            text.language,
            text.sha256,
            entry.decision.value,
            entry.method.value,
            entry.signed_on,
            entry.note,
            by,
            at,
        ),
    )
    consent_id: UUID = one(await cursor.fetchone())[0]
    return consent_id
