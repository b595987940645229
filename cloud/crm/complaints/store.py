"""All SQL of complaints. Whose they are the database says: of what somebody may not handle there is no row."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.crm.complaints.models import Complaint, Done, Happened, Outcome, Own, State, Subject, Written
from cloud.db.connect import Connection, one

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 300

_COMPLAINTS: Final = """
SELECT c.complaint_id, c.number, c.patient_id, p.display_name AS patient_name, p.time_zone, p.in_care, c.kind, c.way,
       c.body, c.wants_call, c.harm, t.display_name AS taken_by, c.received_at, c.state, o.display_name AS owner,
       c.owner AS owner_id, c.acknowledge_by, c.answer_by, c.overdue_at, c.outcome, c.words,
       b.display_name AS answered_by, c.answered_at, d.display_name AS closed_by, c.closed_at,
       leads_complaint(c.complaint_id, c.patient_id) AS leads,
       p.has_page,
       ARRAY(SELECT v.theme FROM voice_theme v WHERE v.what = 'complaint' AND v.thing_id = c.complaint_id
             AND v.removed_at IS NULL ORDER BY v.theme) AS themes
FROM complaint c
JOIN voice_patient p USING (patient_id)
LEFT JOIN account t ON t.account_id = c.taken_by
LEFT JOIN account o ON o.account_id = c.owner
LEFT JOIN account b ON b.account_id = c.answered_by
LEFT JOIN account d ON d.account_id = c.closed_by
WHERE (%(complaint_id)s::uuid IS NULL OR c.complaint_id = %(complaint_id)s)
  AND (%(patient_id)s::uuid IS NULL OR c.patient_id = %(patient_id)s)
ORDER BY c.state IN ('answered', 'closed'), CASE WHEN c.state IN ('answered', 'closed') THEN c.changed_at END DESC,
         NOT c.harm, c.answer_by, c.complaint_id
LIMIT %(most)s
"""

# What somebody has to do something about: their own, and of what they answer for all that is overdue, or that nobody
# has who still works here.
_WAITING: Final = """
SELECT count(*), count(*) FILTER (WHERE w.due <= %(now)s)
FROM (SELECT c.complaint_id, c.patient_id, c.owner,
             CASE WHEN c.state IN ('received', 'reopened') THEN c.acknowledge_by ELSE c.answer_by END AS due
      FROM complaint c WHERE c.state IN ('received', 'acknowledged', 'in_work', 'reopened')) w
WHERE w.owner = %(account)s
   OR (w.due <= %(now)s OR NOT EXISTS (SELECT FROM account a WHERE a.account_id = w.owner AND a.disabled_at IS NULL))
      AND leads_complaint(w.complaint_id, w.patient_id)
"""


async def complaints(
    conn: AsyncConn, *, complaint_id: UUID | None = None, patient_id: UUID | None = None
) -> list[Complaint]:
    """Those that this person handles, open ones first: the one with this id, of this patient, or all."""
    async with conn.cursor(row_factory=class_row(Complaint)) as cursor:
        await cursor.execute(_COMPLAINTS, {"complaint_id": complaint_id, "patient_id": patient_id, "most": SHOWN})
        return await cursor.fetchall()


async def waiting(conn: AsyncConn, account_id: UUID, now: datetime) -> tuple[int, int]:
    """How many wait for this person, and how many of them are overdue."""
    cursor = await conn.execute(_WAITING, {"account": account_id, "now": now})
    many, overdue = one(await cursor.fetchone())
    return many, overdue


async def own(conn: AsyncConn, patient_id: UUID) -> list[Own]:
    """The patient's, the newest first."""
    async with conn.cursor(row_factory=class_row(Own)) as cursor:
        await cursor.execute(
            """SELECT complaint_id, number, kind, body, received_at, state, answer_by, outcome, words, answered_at
               FROM complaint WHERE patient_id = %s ORDER BY received_at DESC, number DESC LIMIT 100""",
            (patient_id,),
        )
        return await cursor.fetchall()


async def history(conn: AsyncConn, complaint_id: UUID) -> list[Happened]:
    """As it happened."""
    async with conn.cursor(row_factory=class_row(Happened)) as cursor:
        await cursor.execute(
            """SELECT e.at, e.event, e.to_state, e.note,
                      CASE WHEN e.account_id IS NULL THEN NULL ELSE coalesce(a.display_name, '') END AS by
               FROM complaint_event e LEFT JOIN account a USING (account_id)
               WHERE e.complaint_id = %s ORDER BY e.event_id""",
            (complaint_id,),
        )
        return await cursor.fetchall()


async def subjects(conn: AsyncConn, complaint_id: UUID) -> list[Subject]:
    async with conn.cursor(row_factory=class_row(Subject)) as cursor:
        await cursor.execute(
            """SELECT s.account_id, a.display_name AS name, b.display_name AS added_by, s.added_at
               FROM complaint_subject s JOIN account a USING (account_id)
               LEFT JOIN account b ON b.account_id = s.added_by
               WHERE s.complaint_id = %s ORDER BY s.added_at, a.display_name""",
            (complaint_id,),
        )
        return await cursor.fetchall()


async def staff(conn: AsyncConn) -> Mapping[UUID, tuple[str, str]]:
    """Name and role of everybody of the staff who can sign in."""
    cursor = await conn.execute(
        "SELECT account_id, display_name, role FROM account WHERE role <> 'patient' AND disabled_at IS NULL"
        " ORDER BY display_name"
    )
    return {account_id: (name, role) for account_id, name, role in await cursor.fetchall()}


async def team(conn: AsyncConn, patient_id: UUID) -> Mapping[UUID, str]:
    """Of whom a patient can say that it is about them."""
    cursor = await conn.execute(
        """SELECT a.account_id, a.display_name FROM care_team t JOIN account a USING (account_id)
           WHERE t.patient_id = %s AND t.since <= now() AND (t.until IS NULL OR t.until > now())
             AND a.disabled_at IS NULL ORDER BY a.display_name""",
        (patient_id,),
    )
    return dict(await cursor.fetchall())


# Writing --------------------------------------------------------------------------------------------------------------


async def file(
    conn: AsyncConn, patient_id: UUID, said: Written, terms: Sequence[datetime], at: datetime
) -> UUID | None:
    """By whoever is signed in. None: not theirs to write."""
    cursor = await conn.execute(
        "SELECT file_complaint(%s, %s, %s, %s, %s, %s, %s, %s)",
        (patient_id, said.kind, said.body, said.wants_call, said.harm, said.about, list(terms), at),
    )
    found: UUID | None = one(await cursor.fetchone())[0]
    return found


async def written_since(conn: AsyncConn, patient_id: UUID, since: datetime) -> int:
    """How many the patient wrote on their own page since then; nobody writes another there until the end of this."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('complaints:' || %s, 0))", (str(patient_id),))
    cursor = await conn.execute(
        "SELECT count(*) FROM complaint WHERE patient_id = %s AND way = 'page' AND received_at > %s",
        (patient_id, since),
    )
    return int(one(await cursor.fetchone())[0])


async def names_harm(conn: AsyncConn, complaint_id: UUID) -> bool | None:
    """None: there is none that this person may see."""
    cursor = await conn.execute("SELECT harm FROM complaint WHERE complaint_id = %s", (complaint_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def link_standing(conn: AsyncConn, token_hash: bytes, source: str, at: datetime) -> str:
    cursor = await conn.execute("SELECT open_complaint_link(%s, %s, %s)", (token_hash, source, at))
    return str(one(await cursor.fetchone())[0])


async def file_by_link(
    conn: AsyncConn, token_hash: bytes, source: str, said: Written, terms: Sequence[datetime], at: datetime
) -> str:
    """'taken', or how the link stands otherwise."""
    cursor = await conn.execute(
        "SELECT file_by_link(%s, %s, %s, %s, %s, %s, %s, %s)",
        (token_hash, source, said.kind, said.body, said.wants_call, said.harm, list(terms), at),
    )
    return str(one(await cursor.fetchone())[0])


async def counted_from(conn: AsyncConn, of: Complaint) -> datetime:
    """Since when its terms run: since it was received, or opened again."""
    cursor = await conn.execute(
        "SELECT max(at) FROM complaint_event WHERE complaint_id = %s AND event = 'reopen'", (of.complaint_id,)
    )
    reopened: datetime | None = one(await cursor.fetchone())[0]
    return reopened or of.received_at


async def reopen_own(conn: AsyncConn, complaint_id: UUID, note: str, terms: Sequence[datetime], at: datetime) -> bool:
    """By the patient. False: there is none of theirs that was answered."""
    cursor = await conn.execute("SELECT reopen_own_complaint(%s, %s, %s, %s)", (complaint_id, note, list(terms), at))
    return bool(one(await cursor.fetchone())[0])


async def ask(
    conn: AsyncConn, patient_id: UUID, by: UUID, at: datetime, until: datetime, apart: timedelta
) -> UUID | None:
    """The patient gets a link to write by. None: they got one so short a while ago."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('complaint_ask ' || %s, 0))", (str(patient_id),))
    cursor = await conn.execute(
        """INSERT INTO complaint_ask (patient_id, asked_by, asked_at, until)
           SELECT %(patient)s, %(by)s, %(at)s, %(until)s
           WHERE NOT EXISTS (SELECT FROM complaint_ask a WHERE a.patient_id = %(patient)s AND a.asked_at > %(lately)s)
           RETURNING ask_id""",
        {"patient": patient_id, "by": by, "at": at, "until": until, "lately": at - apart},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def lock(conn: AsyncConn, complaint_id: UUID) -> bool:
    """Nobody else changes it until this transaction ends. False: nothing that this person handles."""
    cursor = await conn.execute("SELECT FROM complaint WHERE complaint_id = %s FOR UPDATE", (complaint_id,))
    return await cursor.fetchone() is not None


async def set_state(conn: AsyncConn, of: Complaint, state: State, at: datetime) -> None:
    await conn.execute(
        "UPDATE complaint SET state = %s, changed_at = %s, overdue_at = NULL WHERE complaint_id = %s",
        (state, at, of.complaint_id),
    )


async def set_owner(conn: AsyncConn, complaint_id: UUID, owner: UUID, at: datetime) -> None:
    """psycopg.errors.CheckViolation: it is about them."""
    await conn.execute(
        "UPDATE complaint SET owner = %s, changed_at = %s WHERE complaint_id = %s", (owner, at, complaint_id)
    )


async def set_answer(conn: AsyncConn, complaint_id: UUID, outcome: Outcome, words: str, by: UUID, at: datetime) -> None:
    await conn.execute(
        "UPDATE complaint SET state = 'answered', outcome = %s, words = %s, answered_by = %s, answered_at = %s,"
        " changed_at = %s, overdue_at = NULL WHERE complaint_id = %s",
        (outcome, words, by, at, at, complaint_id),
    )


async def close(conn: AsyncConn, complaint_id: UUID, by: UUID, at: datetime) -> None:
    await conn.execute(
        "UPDATE complaint SET state = 'closed', closed_by = %s, closed_at = %s, changed_at = %s"
        " WHERE complaint_id = %s",
        (by, at, at, complaint_id),
    )


async def reopen(conn: AsyncConn, complaint_id: UUID, terms: Sequence[datetime], at: datetime) -> None:
    await conn.execute(
        "UPDATE complaint SET state = 'reopened', acknowledge_by = %s, answer_by = %s, overdue_at = NULL,"
        " closed_by = NULL, closed_at = NULL, changed_at = %s WHERE complaint_id = %s",
        (*terms, at, complaint_id),
    )


async def set_harm(conn: AsyncConn, complaint_id: UUID, harm: bool, terms: Sequence[datetime], at: datetime) -> None:
    await conn.execute(
        "UPDATE complaint SET harm = %s, acknowledge_by = %s, answer_by = %s, overdue_at = NULL, changed_at = %s"
        " WHERE complaint_id = %s",
        (harm, *terms, at, complaint_id),
    )


async def add_subject(conn: AsyncConn, of: Complaint, account_id: UUID, by: UUID, at: datetime) -> None:
    """Who is one already stays one. It is taken from whoever owned it and is its subject."""
    await conn.execute(
        "INSERT INTO complaint_subject (complaint_id, patient_id, account_id, added_by, added_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (of.complaint_id, of.patient_id, account_id, by, at),
    )


async def add_event(
    conn: AsyncConn, of: Complaint, event: str, to_state: State, by: UUID, at: datetime, note: str = ""
) -> None:
    await conn.execute(
        "INSERT INTO complaint_event (complaint_id, patient_id, at, account_id, event, from_state, to_state, note)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (of.complaint_id, of.patient_id, at, by, event, of.state, to_state, note),
    )


# Reading --------------------------------------------------------------------------------------------------------------


async def file_parts(
    conn: AsyncConn, complaint_id: UUID, since: datetime, until: datetime
) -> dict[str, list[Mapping[str, Any]]]:
    """All that belongs to it, rows by part; empty: not for this person."""
    cursor = await conn.execute("SELECT part, data FROM complaint_file(%s, %s, %s)", (complaint_id, since, until))
    found: dict[str, list[Mapping[str, Any]]] = {}
    for part, data in await cursor.fetchall():
        found.setdefault(part, []).append(data)
    return found


async def themes(conn: AsyncConn, since: datetime, until: datetime) -> list[tuple[str, str, date, int]]:
    """(theme, what, month, n); to whoever may not see figures there are none."""
    cursor = await conn.execute("SELECT theme, what, month, n FROM voices_by_theme(%s, %s)", (since, until))
    return [tuple(row) for row in await cursor.fetchall()]


async def finding(conn: AsyncConn, audit_id: UUID) -> tuple[UUID, datetime] | None:
    """Of a quality audit that this person may read: whose case it is about, and when it was begun."""
    cursor = await conn.execute("SELECT patient_id, begun_at FROM quality_audit WHERE audit_id = %s", (audit_id,))
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None


async def done(conn: AsyncConn) -> list[Done]:
    """What was done, the newest first."""
    async with conn.cursor(row_factory=class_row(Done)) as cursor:
        await cursor.execute(
            """SELECT t.theme, t.body, t.done_on, a.display_name AS written_by FROM theme_action t
               JOIN account a ON a.account_id = t.written_by ORDER BY t.done_on DESC, t.written_at DESC LIMIT 200"""
        )
        return await cursor.fetchall()


async def add_done(conn: AsyncConn, theme: str, body: str, done_on: date, by: UUID, at: datetime) -> None:
    await conn.execute(
        "INSERT INTO theme_action (theme, body, done_on, written_by, written_at) VALUES (%s, %s, %s, %s, %s)",
        (theme, body, done_on, by, at),
    )


# The jobs -------------------------------------------------------------------------------------------------------------


def mark_overdue(connection: Connection, at: datetime) -> int:
    """What nobody acknowledged or answered in time stands with the lead nurses from now on, once; how many."""
    return connection.execute(
        """WITH late AS (
               UPDATE complaint c SET overdue_at = %(at)s
               WHERE c.overdue_at IS NULL AND c.state IN ('received', 'acknowledged', 'in_work', 'reopened')
                 AND (c.answer_by <= %(at)s OR c.acknowledge_by <= %(at)s AND c.state IN ('received', 'reopened'))
               RETURNING c.complaint_id, c.patient_id, c.state)
           INSERT INTO complaint_event (complaint_id, patient_id, at, event, from_state, to_state)
           SELECT l.complaint_id, l.patient_id, %(at)s, 'overdue', l.state, l.state FROM late l""",
        {"at": at},
    ).rowcount


def make_link(connection: Connection, ask_id: UUID, patient_id: UUID, token_hash: bytes, at: datetime) -> None:
    connection.execute(
        "INSERT INTO complaint_link (token_hash, ask_id, patient_id, made_at) VALUES (%s, %s, %s, %s)",
        (token_hash, ask_id, patient_id, at),
    )


def ask_standing(connection: Connection, ask_id: UUID | None, at: datetime) -> bool | None:
    """Whether somebody can still write by it; None: it is no such thing, but a complaint."""
    row = connection.execute(
        "SELECT complaint_id IS NULL AND until > %s FROM complaint_ask WHERE ask_id = %s", (at, ask_id)
    ).fetchone()
    return row[0] if row else None
