"""All SQL of questions; the caller has checked who asks, and row security asks again."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.auth.models import Role
from cloud.crm.education.models import Asked, Question
from cloud.crm.reach.models import Outside
from cloud.db.connect import Connection

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 100

_QUESTION: Final = """
SELECT q.question_id, q.patient_id, p.display_name AS patient_name, p.time_zone, q.body, q.asked_at, q.about_symptoms,
       q.for_role, o.display_name AS owner, q.owner AS owner_id, q.due_at, q.state, q.answer, q.turned_into,
       e.display_name AS ended_by, e.role AS ended_by_role, q.ended_at, q.read_at, q.may_publish, q.article_id
FROM patient_question q JOIN patient p USING (patient_id)
LEFT JOIN account o ON o.account_id = q.owner LEFT JOIN account e ON e.account_id = q.ended_by
"""
# The most pressing first; what is over, the latest first.
_ORDER: Final = """
ORDER BY q.state = 'open' DESC, CASE WHEN q.state = 'open' THEN q.due_at END, q.asked_at DESC, q.question_id
LIMIT %(most)s
"""


async def add(conn: AsyncConn, patient_id: UUID, asked: Asked, by: UUID, at: datetime, due_at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO patient_question (patient_id, body, asked_by, asked_at, about_symptoms, due_at, may_publish,
                                         may_publish_at)
           VALUES (%(patient)s, %(body)s, %(by)s, %(at)s, %(symptoms)s, %(due_at)s, %(may_publish)s, %(at)s)
           RETURNING question_id""",
        {
            "patient": patient_id, "body": asked.body, "by": by, "at": at, "symptoms": asked.about_symptoms,
            "due_at": due_at, "may_publish": asked.may_publish,
        },
    )  # fmt: skip
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an INSERT gives its row")
    made: UUID = row[0]
    return made


async def was_asked(conn: AsyncConn, patient_id: UUID, body: str, since: datetime) -> bool:
    """Whether the patient has asked the very same since then. Nobody else asks for them until the transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('ask ' || %s, 0))", (str(patient_id),))
    cursor = await conn.execute(
        "SELECT FROM patient_question WHERE patient_id = %s AND body = %s AND asked_at > %s", (patient_id, body, since)
    )
    return await cursor.fetchone() is not None


async def asked_since(conn: AsyncConn, patient_id: UUID, since: datetime) -> int:
    cursor = await conn.execute(
        "SELECT count(*) FROM patient_question WHERE patient_id = %s AND asked_at > %s", (patient_id, since)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def of_patient(conn: AsyncConn, patient_id: UUID) -> list[Question]:
    """The newest first."""
    async with conn.cursor(row_factory=class_row(Question)) as cursor:
        await cursor.execute(
            f"{_QUESTION} WHERE q.patient_id = %s ORDER BY q.asked_at DESC, q.question_id LIMIT %s", (patient_id, SHOWN)
        )
        return await cursor.fetchall()


async def of_team(conn: AsyncConn, account_id: UUID) -> list[Question]:
    """Those of the account's patients: what is open first."""
    statement: Composed = SQL("{question} WHERE {in_care_team} {order}").format(
        question=SQL(_QUESTION), in_care_team=IN_CARE_TEAM, order=SQL(_ORDER)
    )
    async with conn.cursor(row_factory=class_row(Question)) as cursor:
        await cursor.execute(statement, {"account_id": account_id, "most": SHOWN})
        return await cursor.fetchall()


async def question(conn: AsyncConn, question_id: UUID) -> Question | None:
    """None: none for this account; for whom the patient is not open, there is no row."""
    async with conn.cursor(row_factory=class_row(Question)) as cursor:
        await cursor.execute(f"{_QUESTION} WHERE q.question_id = %s", (question_id,))
        return await cursor.fetchone()


async def take(conn: AsyncConn, question_id: UUID, by: UUID) -> bool:
    """It is this person's. False: it is not open."""
    cursor = await conn.execute(
        "UPDATE patient_question SET owner = %s WHERE question_id = %s AND state = 'open'", (by, question_id)
    )
    return cursor.rowcount == 1


async def pass_on(conn: AsyncConn, question_id: UUID, to: Role, due_at: datetime) -> bool:
    """Whoever of that role comes first. False: it is not open, or it is theirs already."""
    cursor = await conn.execute(
        """UPDATE patient_question SET for_role = %s, owner = NULL, due_at = greatest(due_at, %s)
           WHERE question_id = %s AND state = 'open' AND for_role <> %s""",
        (to, due_at, question_id, to),
    )
    return cursor.rowcount == 1


async def answer(conn: AsyncConn, question_id: UUID, said: str, by: UUID, at: datetime) -> bool:
    """False: somebody was faster."""
    cursor = await conn.execute(
        """UPDATE patient_question SET state = 'answered', answer = %s, ended_by = %s, ended_at = %s
           WHERE question_id = %s AND state = 'open'""",
        (said, by, at, question_id),
    )
    return cursor.rowcount == 1


async def turn(conn: AsyncConn, question_id: UUID, into: str, by: UUID, at: datetime) -> bool:
    """False: somebody was faster."""
    cursor = await conn.execute(
        """UPDATE patient_question SET state = 'turned', turned_into = %s, ended_by = %s, ended_at = %s
           WHERE question_id = %s AND state = 'open'""",
        (into, by, at, question_id),
    )
    return cursor.rowcount == 1


async def publish(conn: AsyncConn, question_id: UUID, article_id: UUID) -> bool:
    """An article was made of it. False: the patient does not agree, or there is one already."""
    cursor = await conn.execute(
        """UPDATE patient_question SET article_id = %s
           WHERE question_id = %s AND state = 'answered' AND may_publish AND article_id IS NULL""",
        (article_id, question_id),
    )
    return cursor.rowcount == 1


async def agree(conn: AsyncConn, patient_id: UUID, question_id: UUID, at: datetime, *, may_publish: bool) -> bool:
    """The patient's word. False: no such question, or they said so before."""
    cursor = await conn.execute(
        """UPDATE patient_question SET may_publish = %(may)s, may_publish_at = %(at)s
           WHERE question_id = %(question)s AND patient_id = %(patient)s AND may_publish <> %(may)s""",
        {"may": may_publish, "at": at, "question": question_id, "patient": patient_id},
    )
    return cursor.rowcount == 1


async def read(conn: AsyncConn, patient_id: UUID, at: datetime) -> int:
    """All answers are on the patient's screen; how many that were not before."""
    cursor = await conn.execute(
        """UPDATE patient_question SET read_at = %s
           WHERE patient_id = %s AND state <> 'open' AND read_at IS NULL""",
        (at, patient_id),
    )
    return cursor.rowcount


# The jobs -------------------------------------------------------------------------------------------------------------


def is_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of an answer: whether the patient has not seen it yet."""
    del now
    row = connection.execute(
        "SELECT FROM patient_question WHERE question_id = %s AND read_at IS NULL", (outside.subject_id,)
    ).fetchone()
    return row is not None
