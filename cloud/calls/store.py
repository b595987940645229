"""All SQL of calls; the caller has checked who asks."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.calls.models import Call, Outcome

Connection = AsyncConnection[Any]

# One that is under way is among them however long ago it began: who is on the telephone must be able to say it is over.
_CALLS: Final = """
SELECT c.call_id, c.case_id, c.account_id, a.display_name AS caller, c.contact_id, p.name AS contact_name, p.relation,
       c.number, c.started_at, c.ended_at, c.outcome, c.note
FROM call c JOIN account a USING (account_id) LEFT JOIN contact_person p USING (contact_id)
WHERE c.patient_id = %(patient)s
  AND (c.ended_at IS NULL OR c.call_id IN (SELECT o.call_id FROM call o
                                           WHERE o.patient_id = %(patient)s AND o.ended_at IS NOT NULL
                                           ORDER BY o.started_at DESC, o.call_id LIMIT %(most)s))
ORDER BY c.started_at DESC, c.call_id
"""


async def calls(conn: Connection, patient_id: UUID, most: int) -> list[Call]:
    """Those under way, and the last that are over, whatever case they were about, newest first."""
    async with conn.cursor(row_factory=class_row(Call)) as cursor:
        await cursor.execute(_CALLS, {"patient": patient_id, "most": most})
        return await cursor.fetchall()


async def begin(
    conn: Connection,
    *,
    patient_id: UUID,
    case_id: UUID,
    account_id: UUID,
    contact_id: UUID | None,
    number: str | None,
    at: datetime,
    direction: str = "out",
) -> UUID | None:
    """None: this person is on the telephone about this case already."""
    cursor = await conn.execute(
        """INSERT INTO call (patient_id, case_id, account_id, contact_id, number, started_at, direction)
           VALUES (%s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (case_id, account_id) WHERE ended_at IS NULL DO NOTHING RETURNING call_id""",
        (patient_id, case_id, account_id, contact_id, number, at, direction),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def end(
    conn: Connection, case_id: UUID, call_id: UUID, account_id: UUID, outcome: Outcome, note: str, at: datetime
) -> tuple[UUID | None] | None:
    """The contact person who was called, in a tuple; None: no such call of this person is under way."""
    cursor = await conn.execute(
        """UPDATE call SET ended_at = %s, outcome = %s, note = %s
           WHERE call_id = %s AND case_id = %s AND account_id = %s AND ended_at IS NULL RETURNING contact_id""",
        (at, outcome, note, call_id, case_id, account_id),
    )
    row = await cursor.fetchone()
    return (row[0],) if row else None
