"""All SQL of the audit trail: it is written, read, and never changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString, Protocol
from uuid import UUID

from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cloud.audit.models import LOOKS, Content, Entry, Head, Link, Place, Wanted
from cloud.db.connect import Connection, one

# What a page fetches again by itself belongs to its opening for so long; then it is written again: it is still open.
SAME_OPENING: Final = timedelta(minutes=15)
AT_A_TIME: Final = 5_000


class Acting(Protocol):
    """Whoever does something: a session, to those who know of sessions."""

    @property
    def account_id(self) -> UUID: ...


async def record_by(
    connection: AsyncConnection[Any],
    who: Acting,
    at: datetime,
    action: str,
    subject: str,
    patient_id: UUID | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """One row of what somebody signed in did; see ``record``."""
    await record(
        connection,
        at=at,
        account_id=who.account_id,
        action=action,
        subject=subject,
        patient_id=patient_id,
        detail=detail,
    )


async def record(
    connection: AsyncConnection[Any],
    *,
    at: datetime,
    account_id: UUID | None,
    action: str,
    subject: str,
    patient_id: UUID | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """One row, committed by the caller with the deed itself.

    ``subject`` is ``kind:id``, and ``detail`` holds codes and ids: never a name, never a measured value.
    """
    await connection.execute(
        "INSERT INTO audit (at, account_id, action, subject, patient_id, detail) VALUES (%s, %s, %s, %s, %s, %s)",
        (at, account_id, action, subject, patient_id, Jsonb(dict(detail or {}))),
    )


async def record_for_each(
    connection: AsyncConnection[Any], who: Acting, at: datetime, action: str, subject: str, patients: Sequence[UUID]
) -> None:
    """A row for each of these patients, so that each finds in their own record what was done with many."""
    await connection.execute(
        """INSERT INTO audit (at, account_id, action, subject, patient_id, detail)
           SELECT %s, %s, %s, %s, of_many, '{}' FROM unnest(%s::uuid[]) of_many""",
        (at, who.account_id, action, subject, list(patients)),
    )


async def record_reading_on(
    connection: AsyncConnection[Any],
    *,
    at: datetime,
    account_id: UUID,
    action: str,
    subject: str,
    patient_id: UUID | None = None,
    opened_by: Sequence[str] = (),
) -> None:
    """What a page fetches by itself: a row, unless this person did the same to the same subject within SAME_OPENING.

    ``opened_by``: actions that count as the same where they are of the same subject, or of the same patient: the
    opening of the page. So a page that refreshes itself writes a few rows an hour, and whoever asks for the data
    without the page is not overlooked.
    """
    await connection.execute(
        """INSERT INTO audit (at, account_id, action, subject, patient_id)
           SELECT %(at)s, %(account)s, %(action)s, %(subject)s, %(patient)s
           WHERE NOT EXISTS (
               SELECT FROM audit
               WHERE account_id = %(account)s AND at > %(since)s AND at <= %(at)s
                 AND (subject = %(subject)s AND action = %(action)s
                      OR (subject = %(subject)s OR patient_id = %(patient)s) AND action = ANY(%(opened_by)s)))""",
        {
            "at": at,
            "account": account_id,
            "action": action,
            "opened_by": list(opened_by),
            "subject": subject,
            "patient": patient_id,
            "since": at - SAME_OPENING,
        },
    )


# A patient's name is nothing for a list of deeds: their own account, which few may see, is only said to be one.
_ENTRIES: Final[LiteralString] = """
    SELECT a.audit_id, a.at, a.account_id, a.action, a.subject, a.patient_id, a.detail,
           CASE WHEN a.account_id IS NOT NULL THEN coalesce(p.role, 'patient') END AS role,
           CASE WHEN p.role <> 'patient' THEN p.login END AS login,
           CASE WHEN p.role <> 'patient' THEN p.display_name END AS name
    FROM audit a LEFT JOIN account p USING (account_id)
    WHERE true"""
_AFTER: Final[LiteralString] = " AND (a.at, a.audit_id) < (%(after)s, %(after_id)s)"

_NEWEST_FIRST: Final[LiteralString] = " ORDER BY a.at DESC, a.audit_id DESC LIMIT %(limit)s"


def _query(wanted: Wanted, after: Place | None) -> LiteralString:
    """Only the conditions that are set, so that each finds its index."""
    query: LiteralString = _ENTRIES + (_AFTER if after else "")
    if wanted.account_id is not None:
        query += " AND a.account_id = %(account)s"
    if wanted.patient_id is not None:
        query += " AND a.patient_id = %(patient)s"
    if wanted.action == LOOKS:
        query += " AND right(a.action, length(%(action)s)) = %(action)s"
    elif wanted.action:
        query += " AND a.action = %(action)s"
    if wanted.since is not None:
        query += " AND a.at >= %(since)s"
    if wanted.until is not None:
        query += " AND a.at < %(until)s"
    return query + _NEWEST_FIRST


async def entries(
    connection: AsyncConnection[Any], wanted: Wanted, *, after: Place | None, limit: int
) -> Sequence[Entry]:
    """Newest first, from ``after`` on."""
    async with connection.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(
            _query(wanted, after),
            {
                "account": wanted.account_id,
                "patient": wanted.patient_id,
                "action": wanted.action,
                "since": wanted.since,
                "until": wanted.until,
                "after": after.at if after else None,
                "after_id": after.audit_id if after else None,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def of_patient(
    connection: AsyncConnection[Any], patient_id: UUID, own: UUID, *, after: Place | None, limit: int
) -> Sequence[Entry]:
    """What others than the patient's ``own`` account did with the patient's data, newest first."""
    async with connection.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(
            _ENTRIES
            + (_AFTER if after else "")
            + " AND a.patient_id = %(patient)s AND a.account_id IS DISTINCT FROM %(own)s"
            + _NEWEST_FIRST,
            {
                "patient": patient_id,
                "own": own,
                "after": after.at if after else None,
                "after_id": after.audit_id if after else None,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def place(connection: AsyncConnection[Any], audit_id: int) -> Place | None:
    """Where the row of that number stands in the list; None where there is no such row."""
    async with connection.cursor(row_factory=class_row(Place)) as cursor:
        await cursor.execute("SELECT at, audit_id FROM audit WHERE audit_id = %s", (audit_id,))
        return await cursor.fetchone()


async def zone_of(connection: AsyncConnection[Any], patient_id: UUID) -> str:
    """The patient's IANA zone."""
    cursor = await connection.execute("SELECT time_zone FROM patient WHERE patient_id = %s", (patient_id,))
    return str(one(await cursor.fetchone())[0])


async def people(connection: AsyncConnection[Any]) -> Sequence[tuple[UUID, str, str]]:
    """Account, name and role of everybody of the staff, for a list to choose from."""
    cursor = await connection.execute(
        "SELECT account_id, display_name, role FROM account WHERE role <> 'patient' ORDER BY display_name, login"
    )
    return await cursor.fetchall()


def head(connection: Connection) -> Head | None:
    """The newest place of the chain; None before the first row."""
    row = connection.execute("SELECT position, hash FROM audit_link ORDER BY position DESC LIMIT 1").fetchone()
    return Head(position=row[0], hash=row[1]) if row else None


def head_at(connection: Connection, position: int) -> Head | None:
    """The place of that number as it stands."""
    row = connection.execute("SELECT position, hash FROM audit_link WHERE position = %s", (position,)).fetchone()
    return Head(position=row[0], hash=row[1]) if row else None


def last_before(connection: Connection, since: datetime) -> Head | None:
    """The place before the first one that was linked at ``since`` or later; None where nothing was before."""
    row = connection.execute(
        """SELECT position, hash FROM audit_link
           WHERE position < coalesce((SELECT min(position) FROM audit_link WHERE linked_at >= %s), 9223372036854775807)
           ORDER BY position DESC LIMIT 1""",
        (since,),
    ).fetchone()
    return Head(position=row[0], hash=row[1]) if row else None


def look_only(connection: Connection) -> None:
    """Whatever is read from now on in this transaction is of one moment; nothing is written."""
    connection.read_only = True
    connection.isolation_level = IsolationLevel.REPEATABLE_READ


def links(connection: Connection, after: int) -> Iterator[Link]:
    """The chain from the place after that, with its rows, a few at a time; no function of our schema is asked."""
    with connection.cursor(name="audit_chain") as cursor:
        cursor.itersize = AT_A_TIME
        cursor.execute(
            """SELECT l.position, trunc(extract(epoch FROM l.linked_at) * 1000000)::text, l.audit_id, l.hash,
                      a.audit_id::text, trunc(extract(epoch FROM a.at) * 1000000)::text, a.account_id::text, a.action,
                      a.subject, a.patient_id::text, a.detail::text
               FROM audit_link l LEFT JOIN audit a ON a.audit_id = l.audit_id
               WHERE l.position > %s ORDER BY l.position""",
            (after,),
        )
        for position, linked_at, audit_id, found, row_id, at, account_id, action, subject, patient_id, detail in cursor:
            content = None
            if row_id is not None:
                content = Content(
                    audit_id=row_id,
                    at=at,
                    account_id=account_id,
                    action=action,
                    subject=subject,
                    patient_id=patient_id,
                    detail=detail,
                )
            yield Link(position=position, linked_at=linked_at, audit_id=audit_id, hash=found, content=content)


def unlinked(connection: Connection) -> int | None:
    """The first row that stands nowhere in the chain."""
    row = connection.execute(
        """SELECT audit_id FROM audit a WHERE NOT EXISTS (SELECT FROM audit_link l WHERE l.audit_id = a.audit_id)
           ORDER BY audit_id LIMIT 1"""
    ).fetchone()
    return row[0] if row else None
