"""All SQL of who takes part. What crosses row security is a function of the database's (0019)."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.db.connect import one
from cloud.participation.models import Ending, Participation, TooOften

Connection = AsyncConnection[Any]

_NEWEST: Final = """
SELECT x.participation_id, x.patient_id, x.begun_at, b.display_name AS begun_by, x.activated_at,
       a.display_name AS activated_by, x.ended_at, e.display_name AS ended_by, x.end_reason, x.end_note, x.seen_at,
       s.display_name AS seen_by, x.closed_at, c.display_name AS closed_by
FROM participation x
LEFT JOIN account b ON b.account_id = x.begun_by LEFT JOIN account a ON a.account_id = x.activated_by
LEFT JOIN account e ON e.account_id = x.ended_by LEFT JOIN account s ON s.account_id = x.seen_by
LEFT JOIN account c ON c.account_id = x.closed_by
WHERE x.patient_id = ANY(%s) AND x.is_newest
"""

_ENDINGS: Final = SQL(
    """SELECT p.patient_id, p.display_name, p.time_zone, x.ended_at, x.end_reason,
              (SELECT count(*) FROM alert_case c
               WHERE c.patient_id = p.patient_id AND c.state NOT IN ('resolved', 'expired')) AS open_cases,
              (SELECT count(DISTINCT r.reading_id) FROM remeasure r
               WHERE r.patient_id = p.patient_id AND r.answer = 'unanswered' AND r.answered_at = x.ended_at
                 AND r.case_id IS NULL) AS unconfirmed
       FROM participation x JOIN patient p USING (patient_id)
       WHERE x.is_newest AND x.ended_at IS NOT NULL AND x.seen_at IS NULL AND {in_care_team}
       ORDER BY x.ended_at, p.patient_id"""
).format(in_care_team=IN_CARE_TEAM)


async def newest(conn: Connection, patient_ids: list[UUID]) -> dict[UUID, Participation]:
    """Of each of these patients who has one; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Participation)) as cursor:
        await cursor.execute(_NEWEST, (patient_ids,))
        return {row.patient_id: row for row in await cursor.fetchall()}


async def take_in(
    conn: Connection, *, name: str, born: date, zone: str, language: str, mrn: str | None, at: datetime
) -> UUID | None:
    """A new patient in the asker's care, whose participation begins; None where the number is somebody's."""
    cursor = await conn.execute("SELECT take_in(%s, %s, %s, %s, %s, %s)", (name, born, zone, language, mrn, at))
    patient_id: UUID | None = one(await cursor.fetchone())[0]
    return patient_id


async def take_back(conn: Connection, *, name: str, born: date, mrn: str | None, at: datetime) -> UUID | None:
    """Somebody whose record is closed takes part again, in the asker's care; None where nobody is all of this."""
    cursor = await conn.execute("SELECT take_in_again(%s, %s, %s, %s)", (name, born, mrn, at))
    patient_id: UUID | None = one(await cursor.fetchone())[0]
    return patient_id


async def fitting(conn: Connection, name: str, born: date, mrn: str | None) -> list[tuple[str, UUID | None]]:
    """Whether there is somebody with this number, or this name and birth date: ``mrn`` or ``name``, and who it is where
    that is somebody of one's own. TooOften.
    """
    cursor = await conn.execute(
        "SELECT fits, patient_id, again_after FROM fitting_patients(%s, %s, %s)", (name, born, mrn)
    )
    found = await cursor.fetchall()
    for _, _, again_after in found:
        if again_after is not None:
            raise TooOften(again_after)
    return [(fits, patient_id) for fits, patient_id, _ in found]


async def begin_again(conn: Connection, patient_id: UUID, by: UUID, at: datetime) -> bool:
    """A new participation in the place of one that has ended. False: the former has not."""
    cursor = await conn.execute(
        "UPDATE participation SET is_newest = false WHERE patient_id = %s AND is_newest AND ended_at IS NOT NULL",
        (patient_id,),
    )
    if not cursor.rowcount:
        return False
    await conn.execute(
        "INSERT INTO participation (patient_id, begun_at, begun_by) VALUES (%s, %s, %s)", (patient_id, at, by)
    )
    return True


async def lock(conn: Connection, patient_id: UUID) -> None:
    """Whoever changes where a patient stands does so one after the other."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('participation:' || %s, 0))", (str(patient_id),))


async def activate(conn: Connection, patient_id: UUID, by: UUID, at: datetime) -> bool:
    """What they measure from now on counts. False: they are active, or it has ended."""
    cursor = await conn.execute(
        "UPDATE participation SET activated_at = %s, activated_by = %s"
        " WHERE patient_id = %s AND is_newest AND activated_at IS NULL AND ended_at IS NULL",
        (at, by, patient_id),
    )
    return cursor.rowcount == 1


async def end(conn: Connection, patient_id: UUID, reason: str, note: str, at: datetime) -> UUID | None:
    """Nobody watches any longer; None where it is not theirs to end, or over already."""
    cursor = await conn.execute("SELECT end_participation(%s, %s, %s, %s)", (patient_id, reason, note, at))
    participation_id: UUID | None = one(await cursor.fetchone())[0]
    return participation_id


async def take_notice(conn: Connection, patient_id: UUID, by: UUID, at: datetime) -> bool:
    """False: there is no end that nobody knows of."""
    cursor = await conn.execute(
        "UPDATE participation SET seen_at = %s, seen_by = %s"
        " WHERE patient_id = %s AND is_newest AND ended_at IS NOT NULL AND seen_at IS NULL",
        (at, by, patient_id),
    )
    return cursor.rowcount == 1


async def close(conn: Connection, patient_id: UUID, by: UUID, at: datetime) -> bool:
    """The care team sees the record no more. False: it has not ended, or is closed."""
    cursor = await conn.execute(
        "UPDATE participation SET closed_at = %s, closed_by = %s"
        " WHERE patient_id = %s AND is_newest AND ended_at IS NOT NULL AND closed_at IS NULL",
        (at, by, patient_id),
    )
    if not cursor.rowcount:
        return False
    # The database's clock decides who is in a care team.
    await conn.execute(
        "UPDATE care_team SET until = now() WHERE patient_id = %s AND (until IS NULL OR until > now())", (patient_id,)
    )
    return True


async def endings(conn: Connection, account_id: UUID) -> list[Ending]:
    """Of the account's patients, those of whose end nobody of the care team has taken notice; the oldest first."""
    async with conn.cursor(row_factory=class_row(Ending)) as cursor:
        await cursor.execute(_ENDINGS, {"account_id": account_id})
        return await cursor.fetchall()
