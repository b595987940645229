"""All SQL of walks through scripts; the caller has checked who asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cloud.triage.models import Walk

Connection = AsyncConnection[Any]

_LATEST: Final = """
SELECT w.walk_id, w.script, w.version, w.path, w.end_state, w.account_id, a.display_name AS walker, w.started_at,
       w.changed_at
FROM triage_walk w JOIN account a USING (account_id)
WHERE w.case_id = %s ORDER BY w.started_at DESC, w.walk_id LIMIT 1
"""


async def latest(conn: Connection, case_id: UUID) -> Walk | None:
    """The last walk of anybody through a script about this case."""
    async with conn.cursor(row_factory=class_row(Walk)) as cursor:
        await cursor.execute(_LATEST, (case_id,))
        return await cursor.fetchone()


async def begin(
    conn: Connection, *, case_id: UUID, patient_id: UUID, script: str, version: int, account_id: UUID, at: datetime
) -> None:
    await conn.execute(
        """INSERT INTO triage_walk (case_id, patient_id, script, version, path, account_id, started_at, changed_at)
           VALUES (%s, %s, %s, %s, '[]', %s, %s, %s)""",
        (case_id, patient_id, script, version, account_id, at, at),
    )


async def go_on(
    conn: Connection, walk_id: UUID, path: Sequence[Mapping[str, str]], end_state: str | None, at: datetime
) -> None:
    await conn.execute(
        "UPDATE triage_walk SET path = %s, end_state = %s, changed_at = %s WHERE walk_id = %s",
        (Jsonb([dict(step) for step in path]), end_state, at, walk_id),
    )
