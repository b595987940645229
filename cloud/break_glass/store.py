"""All SQL of break-glass. The database's clock decides, as it does for the care team."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.break_glass.models import Entry, Glass

Connection = AsyncConnection[Any]

# What concerns the reader: their own that are open, and, for a lead nurse, those of others that nobody has seen.
_NOTICES: Final = """
SELECT g.break_glass_id, g.patient_id, p.display_name AS patient_name, g.account_id, a.display_name AS by_name,
       g.reason, g.until - now() AS left
FROM break_glass g JOIN account a USING (account_id) LEFT JOIN patient p ON p.patient_id = g.patient_id
WHERE g.account_id = %(account_id)s AND g.since <= now() AND g.until > now()
   OR %(is_lead)s AND g.seen_at IS NULL AND g.account_id <> %(account_id)s
ORDER BY g.account_id <> %(account_id)s, g.since, g.break_glass_id LIMIT 20
"""


async def notices(conn: Connection, account_id: UUID, *, is_lead: bool) -> list[Glass]:
    """The reader's own open ones, and those of others that a lead nurse has to see; the oldest first."""
    async with conn.cursor(row_factory=class_row(Glass)) as cursor:
        await cursor.execute(_NOTICES, {"account_id": account_id, "is_lead": is_lead})
        return await cursor.fetchall()


async def visible(conn: Connection, entry: Entry) -> UUID | None:
    """The one who fits, among those whom the account may see anyway."""
    cursor = await conn.execute(
        """SELECT p.patient_id FROM patient p
           WHERE CASE WHEN %(patient_id)s::uuid IS NOT NULL THEN p.patient_id = %(patient_id)s::uuid
                 ELSE p.birth_date = %(born)s::date AND lower(p.display_name) = lower(%(name)s) END LIMIT 2""",
        {"patient_id": entry.patient_id, "born": entry.born, "name": entry.name},
    )
    rows = await cursor.fetchall()
    return rows[0][0] if len(rows) == 1 else None


async def break_glass(conn: Connection, entry: Entry, span: timedelta) -> tuple[UUID, UUID] | None:
    """The ids of the broken glass and of its patient; None: nobody fits, several do, or it was tried too often."""
    cursor = await conn.execute(
        "SELECT break_glass(%s, %s, %s, %s, %s)", (entry.patient_id, entry.name, entry.born, entry.reason, span)
    )
    broken = await cursor.fetchone()
    # A statement of its own: the one before does not see what its function has written.
    cursor = await conn.execute(
        "SELECT break_glass_id, patient_id FROM break_glass WHERE break_glass_id = %s", broken or (None,)
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None


async def close(conn: Connection, break_glass_id: UUID) -> UUID | None:
    """End one's own now; its patient's id, None where there is none of theirs that is open."""
    row = await (await conn.execute("SELECT close_break_glass(%s)", (break_glass_id,))).fetchone()
    return row[0] if row else None


async def see(conn: Connection, break_glass_id: UUID) -> UUID | None:
    """A lead nurse takes notice of somebody else's; its patient's id, None where there is none or somebody has."""
    row = await (await conn.execute("SELECT see_break_glass(%s)", (break_glass_id,))).fetchone()
    return row[0] if row else None
