"""All SQL of messages. Without the account's right to see the patient there is no row; the caller has checked that."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.messages.models import Message, Waiting

Connection = AsyncConnection[Any]

# A thread of more is a conversation that belongs on the telephone; what is older stays in the database.
SHOWN: Final = 200

_THREAD: Final = """
SELECT m.message_id, m.from_patient, m.body, m.written_at, w.display_name AS written_by, w.role AS written_by_role,
       m.read_at, r.display_name AS read_by, r.role AS read_by_role, m.settled_at, s.display_name AS settled_by
FROM patient_message m
JOIN account w ON w.account_id = m.written_by
LEFT JOIN account r ON r.account_id = m.read_by
LEFT JOIN account s ON s.account_id = m.settled_by
WHERE m.patient_id = %s ORDER BY m.written_at DESC, m.place DESC LIMIT %s
"""

# Sent twice, by two presses of a thumb, it is one message.
_WRITE: Final = """
INSERT INTO patient_message (message_id, patient_id, from_patient, written_by, written_at, body)
VALUES (%(message_id)s, %(patient_id)s, %(from_patient)s, %(by)s, %(at)s, %(body)s)
ON CONFLICT (message_id) DO NOTHING
"""

_READ: Final = """
UPDATE patient_message SET read_at = %(at)s, read_by = %(by)s
WHERE patient_id = %(patient_id)s AND from_patient = %(from_patient)s AND read_at IS NULL
"""

_SETTLE: Final = """
UPDATE patient_message SET settled_at = %(at)s, settled_by = %(by)s,
       read_at = coalesce(read_at, %(at)s), read_by = coalesce(read_by, %(by)s)
WHERE patient_id = %(patient_id)s AND from_patient AND settled_at IS NULL AND written_at <= %(until)s
"""

_WAITING: Final = SQL(
    """SELECT m.patient_id, p.display_name AS patient_name, p.time_zone, min(m.written_at) AS since,
              count(*) AS messages, count(*) FILTER (WHERE m.read_at IS NULL) AS unread
       FROM patient_message m JOIN patient p USING (patient_id)
       WHERE m.from_patient AND m.settled_at IS NULL AND {in_care_team}
       GROUP BY m.patient_id, p.display_name, p.time_zone ORDER BY since, m.patient_id"""
).format(in_care_team=IN_CARE_TEAM)


async def thread(conn: Connection, patient_id: UUID) -> list[Message]:
    """The patient's thread, the newest first."""
    async with conn.cursor(row_factory=class_row(Message)) as cursor:
        await cursor.execute(_THREAD, (patient_id, SHOWN))
        return await cursor.fetchall()


async def write(
    conn: Connection, patient_id: UUID, message_id: UUID, body: str, by: UUID, at: datetime, *, from_patient: bool
) -> bool:
    """False: there is a message with this id already."""
    cursor = await conn.execute(
        _WRITE,
        {
            "message_id": message_id,
            "patient_id": patient_id,
            "from_patient": from_patient,
            "by": by,
            "at": at,
            "body": body,
        },
    )
    return cursor.rowcount == 1


async def is_there(conn: Connection, patient_id: UUID, message_id: UUID, body: str) -> bool:
    """Whether this message is in the thread, with these words."""
    cursor = await conn.execute(
        "SELECT FROM patient_message WHERE message_id = %s AND patient_id = %s AND body = %s",
        (message_id, patient_id, body),
    )
    return cursor.rowcount == 1


async def read(conn: Connection, patient_id: UUID, by: UUID, at: datetime, *, from_patient: bool) -> int:
    """Messages of this side are on the screen of somebody of the other; how many that nobody had opened before."""
    cursor = await conn.execute(_READ, {"patient_id": patient_id, "by": by, "at": at, "from_patient": from_patient})
    return cursor.rowcount


async def settle(conn: Connection, patient_id: UUID, until: datetime, by: UUID, at: datetime) -> int:
    """The patient's messages of up to then wait no more; how many did."""
    cursor = await conn.execute(_SETTLE, {"patient_id": patient_id, "until": until, "by": by, "at": at})
    return cursor.rowcount


async def waiting(conn: Connection, account_id: UUID) -> list[Waiting]:
    """The account's patients who wait for an answer, the longest first."""
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        await cursor.execute(_WAITING, {"account_id": account_id})
        return await cursor.fetchall()


async def unread_by_patient(conn: Connection, patient_id: UUID) -> int:
    """Messages of the care team that the patient has not opened."""
    return await _count(
        conn, "SELECT count(*) FROM patient_message WHERE patient_id = %s AND NOT from_patient AND read_at IS NULL",
        patient_id,
    )  # fmt: skip


async def waiting_of(conn: Connection, patient_id: UUID) -> int:
    """The patient's messages that wait for an answer."""
    return await _count(
        conn, "SELECT count(*) FROM patient_message WHERE patient_id = %s AND from_patient AND settled_at IS NULL",
        patient_id,
    )  # fmt: skip


async def written_since(conn: Connection, patient_id: UUID, account_id: UUID, since: datetime) -> int:
    """How many messages of this thread the account has written since then."""
    cursor = await conn.execute(
        "SELECT count(*) FROM patient_message WHERE patient_id = %s AND written_by = %s AND written_at > %s",
        (patient_id, account_id, since),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def _count(conn: Connection, query: Any, patient_id: UUID) -> int:
    row = await (await conn.execute(query, (patient_id,))).fetchone()
    return int(row[0]) if row else 0
