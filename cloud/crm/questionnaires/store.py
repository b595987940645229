"""All SQL of questionnaires: sent, found by a link, answered, judged. The caller has checked who asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cloud.crm.questionnaires.definitions import version_of
from cloud.crm.questionnaires.models import Answers, Sent
from cloud.db.connect import Connection, one

AsyncConn = AsyncConnection[Any]

_SENT: Final = """
SELECT s.sent_id, s.patient_id, s.questionnaire, s.version, b.display_name AS sent_by, s.sent_at, s.until,
       s.withdrawn_at, a.answers, e.display_name AS entered_by, a.answered_at
FROM questionnaire_sent s
LEFT JOIN account b ON b.account_id = s.sent_by
LEFT JOIN questionnaire_answer a USING (sent_id)
LEFT JOIN account e ON e.account_id = a.entered_by
WHERE s.patient_id = %(patient_id)s AND (%(sent_id)s::uuid IS NULL OR s.sent_id = %(sent_id)s)
ORDER BY s.sent_at DESC, s.sent_id LIMIT 100
"""

_SEND: Final = """
INSERT INTO questionnaire_sent (patient_id, questionnaire, version, sent_by, sent_at, until)
VALUES (%(patient_id)s, %(questionnaire)s, %(version)s, %(by)s, %(at)s, %(until)s) RETURNING sent_id
"""

# Whoever asks the same patient at the same moment waits here.
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('questionnaire:' || %s, 0))"
_OPEN: Final = """
SELECT s.sent_id FROM questionnaire_sent s
WHERE s.patient_id = %s AND s.questionnaire = %s AND s.withdrawn_at IS NULL AND s.until > %s
  AND NOT EXISTS (SELECT FROM questionnaire_answer a WHERE a.sent_id = s.sent_id)
ORDER BY s.sent_at DESC LIMIT 1
"""


async def of_patient(conn: AsyncConn, patient_id: UUID, sent_id: UUID | None = None) -> list[Sent]:
    """The patient's, the newest first; or the one with this id."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SENT, {"patient_id": patient_id, "sent_id": sent_id})
        rows = await cursor.fetchall()
    return [Sent(**row, form=version_of(row["questionnaire"], row["version"])) for row in rows]


async def send(
    conn: AsyncConn, patient_id: UUID, questionnaire: str, version: int, by: UUID, at: datetime, until: datetime
) -> UUID | None:
    """None: the patient has it, and has not answered it yet."""
    await conn.execute(_ALONE, (str(patient_id),))
    if await (await conn.execute(_OPEN, (patient_id, questionnaire, at))).fetchone() is not None:
        return None
    cursor = await conn.execute(_SEND, _sending(patient_id, questionnaire, version, by, at, until))
    sent_id: UUID = one(await cursor.fetchone())[0]
    return sent_id


def send_as_due(
    connection: Connection, patient_id: UUID, questionnaire: str, version: int, at: datetime, until: datetime
) -> UUID:
    """By nobody: a follow-up was due. Where the patient has it and has not answered it yet, it is that one."""
    connection.execute(_ALONE, (str(patient_id),))
    row = connection.execute(_OPEN, (patient_id, questionnaire, at)).fetchone()
    row = row or connection.execute(_SEND, _sending(patient_id, questionnaire, version, None, at, until)).fetchone()
    sent_id: UUID = one(row)[0]
    return sent_id


def _sending(
    patient_id: UUID, questionnaire: str, version: int, by: UUID | None, at: datetime, until: datetime
) -> Mapping[str, object]:
    return {
        "patient_id": patient_id,
        "questionnaire": questionnaire,
        "version": version,
        "by": by,
        "at": at,
        "until": until,
    }


async def withdraw(conn: AsyncConn, patient_id: UUID, sent_id: UUID, by: UUID, at: datetime) -> bool:
    """False: there is none that is open."""
    cursor = await conn.execute(
        """UPDATE questionnaire_sent s SET withdrawn_at = %s, withdrawn_by = %s
           WHERE s.sent_id = %s AND s.patient_id = %s AND s.withdrawn_at IS NULL
             AND NOT EXISTS (SELECT FROM questionnaire_answer a WHERE a.sent_id = s.sent_id)""",
        (at, by, sent_id, patient_id),
    )
    return cursor.rowcount == 1


async def answer(conn: AsyncConn, patient_id: UUID, sent_id: UUID, answers: Answers, by: UUID, at: datetime) -> bool:
    """Once, and they are judged at once. False: it is answered already."""
    cursor = await conn.execute(
        """INSERT INTO questionnaire_answer (sent_id, patient_id, answers, entered_by, answered_at)
           VALUES (%s, %s, %s, %s, %s) ON CONFLICT (sent_id) DO NOTHING""",
        (sent_id, patient_id, Jsonb(dict(answers)), by, at),
    )
    if cursor.rowcount == 1:
        await conn.execute("SELECT wake_answers(%s)", (at,))
    return cursor.rowcount == 1


# By a link, when nobody is signed in ----------------------------------------------------------------------------------


async def opened(conn: AsyncConn, token_hash: bytes, source: str, at: datetime) -> tuple[str, str | None, int | None]:
    """How what the link leads to stands, and which version of which questionnaire it is."""
    cursor = await conn.execute("SELECT * FROM open_questionnaire(%s, %s, %s)", (token_hash, source, at))
    standing, questionnaire, version = one(await cursor.fetchone())
    return standing, questionnaire, version


async def answer_by_link(conn: AsyncConn, token_hash: bytes, source: str, answers: Answers, at: datetime) -> str:
    """'taken', or how it stands otherwise."""
    cursor = await conn.execute(
        "SELECT answer_questionnaire(%s, %s, %s, %s)", (token_hash, source, Jsonb(dict(answers)), at)
    )
    return str(one(await cursor.fetchone())[0])


# The jobs -------------------------------------------------------------------------------------------------------------


def make_link(connection: Connection, sent_id: UUID, patient_id: UUID, token_hash: bytes, at: datetime) -> None:
    connection.execute(
        "INSERT INTO questionnaire_link (token_hash, sent_id, patient_id, made_at) VALUES (%s, %s, %s, %s)",
        (token_hash, sent_id, patient_id, at),
    )


def is_open(connection: Connection, sent_id: UUID | None, at: datetime) -> bool:
    """Whether it can still be answered."""
    row = connection.execute(
        """SELECT FROM questionnaire_sent s WHERE s.sent_id = %s AND s.withdrawn_at IS NULL AND s.until > %s
           AND NOT EXISTS (SELECT FROM questionnaire_answer a WHERE a.sent_id = s.sent_id)""",
        (sent_id, at),
    ).fetchone()
    return row is not None


def not_judged(connection: Connection, most: int) -> Sequence[tuple[UUID, UUID, str, int, Answers, datetime]]:
    """Answers that nobody has judged, which nobody else judges meanwhile: id, patient, which, version, what, when."""
    return connection.execute(
        """SELECT a.answer_id, a.patient_id, s.questionnaire, s.version, a.answers, a.answered_at
           FROM questionnaire_answer a JOIN questionnaire_sent s USING (sent_id)
           WHERE a.judged_at IS NULL ORDER BY a.answered_at LIMIT %s FOR UPDATE OF a SKIP LOCKED""",
        (most,),
    ).fetchall()


def mark_judged(connection: Connection, answer_ids: Sequence[UUID], at: datetime) -> None:
    connection.execute(
        "UPDATE questionnaire_answer SET judged_at = %s WHERE answer_id = ANY(%s)", (at, list(answer_ids))
    )
