"""All SQL of discharge documents; the caller has checked who asks."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.crm.discharges.models import Identifier, Kept, State
from cloud.db.connect import one

Connection = AsyncConnection[Any]

_KEPT: Final = """
SELECT d.document_id, d.state, r.display_name AS received_by, d.received_at, e.display_name AS ended_by, d.ended_at,
       d.why
FROM discharge_document d
JOIN account r ON r.account_id = d.received_by
LEFT JOIN account e ON e.account_id = d.ended_by
WHERE d.patient_id = %(patient)s AND (%(document)s::uuid IS NULL OR d.document_id = %(document)s)
ORDER BY d.received_at DESC
"""


async def keep(conn: Connection, patient_id: UUID, octets: bytes, by: UUID, at: datetime) -> tuple[UUID, bool]:
    """Its id, and whether it is new."""
    cursor = await conn.execute(
        """INSERT INTO discharge_document (patient_id, octets, received_by, received_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (patient_id, digest) DO NOTHING RETURNING document_id""",
        (patient_id, octets, by, at),
    )
    if (row := await cursor.fetchone()) is not None:
        return row[0], True
    cursor = await conn.execute(
        "SELECT document_id FROM discharge_document WHERE patient_id = %s AND digest = sha256(%s)", (patient_id, octets)
    )
    return one(await cursor.fetchone())[0], False


async def of_patient(conn: Connection, patient_id: UUID) -> list[Kept]:
    """The newest first."""
    async with conn.cursor(row_factory=class_row(Kept)) as cursor:
        await cursor.execute(_KEPT, {"patient": patient_id, "document": None})
        return await cursor.fetchall()


async def document(conn: Connection, patient_id: UUID, document_id: UUID) -> Kept | None:
    async with conn.cursor(row_factory=class_row(Kept)) as cursor:
        await cursor.execute(_KEPT, {"patient": patient_id, "document": document_id})
        return await cursor.fetchone()


async def octets(conn: Connection, patient_id: UUID, document_id: UUID) -> bytes:
    """As it came. LookupError."""
    cursor = await conn.execute(
        "SELECT octets FROM discharge_document WHERE patient_id = %s AND document_id = %s", (patient_id, document_id)
    )
    return bytes(one(await cursor.fetchone())[0])


async def is_waiting(conn: Connection, patient_id: UUID, document_id: UUID) -> bool:
    """Whether nobody has taken it or set it aside; nobody else does until the commit."""
    cursor = await conn.execute(
        "SELECT state FROM discharge_document WHERE patient_id = %s AND document_id = %s FOR UPDATE",
        (patient_id, document_id),
    )
    row = await cursor.fetchone()
    return row is not None and row[0] == State.RECEIVED


async def end(
    conn: Connection, document_id: UUID, state: State, by: UUID, at: datetime, *, summary_id: UUID | None, why: str = ""
) -> None:
    await conn.execute(
        """UPDATE discharge_document SET state = %s, ended_by = %s, ended_at = %s, summary_id = %s, why = %s
           WHERE document_id = %s""",
        (state, by, at, summary_id, why, document_id),
    )


async def birth_date(conn: Connection, patient_id: UUID) -> date | None:
    cursor = await conn.execute("SELECT birth_date FROM patient WHERE patient_id = %s", (patient_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def whose(conn: Connection, patient_id: UUID, identifier: Identifier) -> str:
    """'this', 'another', 'unknown' or 'too_often'."""
    cursor = await conn.execute(
        "SELECT whose_identifier(%s, %s, %s)", (patient_id, identifier.system, identifier.value)
    )
    found: str = one(await cursor.fetchone())[0]
    return found


async def add_identifier(conn: Connection, patient_id: UUID, identifier: Identifier, by: UUID, at: datetime) -> bool:
    """From now on it is this patient's. False: somebody's it is already."""
    cursor = await conn.execute(
        """INSERT INTO patient_identifier (patient_id, system, value, added_by, added_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        (patient_id, identifier.system, identifier.value, by, at),
    )
    return cursor.rowcount == 1


async def remove_identifier(conn: Connection, patient_id: UUID, identifier_id: UUID, by: UUID, at: datetime) -> bool:
    """False: there is none."""
    cursor = await conn.execute(
        """UPDATE patient_identifier SET removed_by = %s, removed_at = %s
           WHERE identifier_id = %s AND patient_id = %s AND removed_at IS NULL""",
        (by, at, identifier_id, patient_id),
    )
    return cursor.rowcount == 1


async def identifiers(conn: Connection, patient_id: UUID) -> list[tuple[UUID, Identifier]]:
    """Those that hold."""
    cursor = await conn.execute(
        """SELECT identifier_id, system, value FROM patient_identifier
           WHERE patient_id = %s AND removed_at IS NULL ORDER BY system, value""",
        (patient_id,),
    )
    return [(key, Identifier(system=system, value=value)) for key, system, value in await cursor.fetchall()]
