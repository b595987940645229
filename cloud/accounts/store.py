"""All SQL of accounts as they are administered, and of invitations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.accounts.models import Account, Invited
from cloud.auth.care_team import IN_CARE_TEAM
from cloud.auth.models import Role
from cloud.db.connect import one

Connection = AsyncConnection[Any]

_ACCOUNT = """SELECT a.account_id, a.login, a.display_name, a.role, a.disabled_at,
       a.password_hash IS NOT NULL AS has_password,
       EXISTS (SELECT FROM second_factor f
               WHERE f.account_id = a.account_id AND f.confirmed_at IS NOT NULL) AS has_second_factor,
       (SELECT count(*) FROM login_session s
        WHERE s.account_id = a.account_id AND s.expires_at > %(now)s
          AND s.last_seen_at + s.idle > %(now)s) AS sessions,
       (SELECT max(i.expires_at) FROM invitation i
        WHERE i.account_id = a.account_id AND i.used_at IS NULL) AS invited_until,
       (SELECT max(o.subject) FROM outside_identity o WHERE o.account_id = a.account_id) AS subject
FROM account a """


async def staff(conn: Connection, now: datetime) -> Sequence[Account]:
    """Everybody but patients: those who may sign in first."""
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(
            _ACCOUNT + "WHERE a.role <> 'patient' ORDER BY a.disabled_at IS NOT NULL, lower(a.display_name), a.login",
            {"now": now},
        )
        return await cursor.fetchall()


async def by_id(conn: Connection, account_id: UUID, now: datetime) -> Account | None:
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(_ACCOUNT + "WHERE a.account_id = %(account_id)s", {"now": now, "account_id": account_id})
        return await cursor.fetchone()


async def by_login(conn: Connection, login: str, now: datetime) -> Account | None:
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(_ACCOUNT + "WHERE a.login = %(login)s", {"now": now, "login": login})
        return await cursor.fetchone()


async def of_patient(conn: Connection, patient_id: UUID, now: datetime) -> Account | None:
    """The patient's own account."""
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(
            _ACCOUNT + "WHERE a.patient_id = %(patient_id)s ORDER BY a.created_at LIMIT 1",
            {"now": now, "patient_id": patient_id},
        )
        return await cursor.fetchone()


async def add(
    conn: Connection, login: str, display_name: str, role: Role, language: str | None, patient_id: UUID | None
) -> UUID | None:
    """A new account without a password; None where the login is taken."""
    cursor = await conn.execute(
        """INSERT INTO account (login, display_name, role, language, patient_id) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (login) DO NOTHING RETURNING account_id""",
        (login, display_name, role, language, patient_id),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def set_disabled(conn: Connection, account_id: UUID, at: datetime | None) -> bool:
    """Whether that changed anything."""
    cursor = await conn.execute(
        "UPDATE account SET disabled_at = %s WHERE account_id = %s AND (disabled_at IS NULL) = %s",
        (at, account_id, at is not None),
    )
    return cursor.rowcount == 1


async def administrators(conn: Connection) -> int:
    """How many can sign in, locked against two who take each other away at once."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('administrators', 0))")
    cursor = await conn.execute("SELECT count(*) FROM account WHERE role = 'administrator' AND disabled_at IS NULL")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def invite(
    conn: Connection, account_id: UUID, code_hash: bytes, by: UUID | None, now: datetime, expires_at: datetime
) -> None:
    """An invitation; those before it that nobody used are worth nothing."""
    await conn.execute("DELETE FROM invitation WHERE account_id = %s AND used_at IS NULL", (account_id,))
    await conn.execute(
        """INSERT INTO invitation (code_hash, account_id, created_by, created_at, expires_at)
           VALUES (%s, %s, %s, %s, %s)""",
        (code_hash, account_id, by, now, expires_at),
    )


async def withdraw_invitations(conn: Connection, account_id: UUID) -> None:
    await conn.execute("DELETE FROM invitation WHERE account_id = %s AND used_at IS NULL", (account_id,))


async def invited(conn: Connection, code_hash: bytes, now: datetime) -> Invited | None:
    """Whose invitation it is; None where it is over or used, or the account disabled."""
    async with conn.cursor(row_factory=class_row(Invited)) as cursor:
        await cursor.execute(
            """SELECT a.account_id, a.login, a.display_name, a.role, a.language
               FROM account_of_invitation(%s, %s) a WHERE a.disabled_at IS NULL""",
            (code_hash, now),
        )
        return await cursor.fetchone()


async def use(conn: Connection, code_hash: bytes, now: datetime) -> bool:
    """Whether it was still good: of two who use it at once, one does."""
    cursor = await conn.execute("SELECT use_invitation(%s, %s)", (code_hash, now))
    was_good: bool = one(await cursor.fetchone())[0]
    return was_good


async def patient_of_team(conn: Connection, patient_id: UUID, account_id: UUID) -> tuple[str, str] | None:
    """Name and language of a patient in this account's care; None of anybody else, also of one open by break-glass.

    A link lets its holder in as the patient: no emergency asks for that, and nobody signs in as a training patient.
    """
    cursor = await conn.execute(_PATIENT, {"patient_id": patient_id, "account_id": account_id})
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None


_PATIENT = SQL(
    "SELECT p.display_name, p.language FROM patient p"
    " WHERE p.patient_id = %(patient_id)s AND NOT p.training AND {in_care_team}"
).format(in_care_team=IN_CARE_TEAM)


async def link(conn: Connection, issuer: str, subject: str, account_id: UUID, by: UUID, now: datetime) -> bool:
    """Whether the identity was nobody's; the one that the account had before is its no more."""
    await unlink(conn, account_id)
    cursor = await conn.execute(
        """INSERT INTO outside_identity (issuer, subject, account_id, linked_by, linked_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        (issuer, subject, account_id, by, now),
    )
    return cursor.rowcount == 1


async def unlink(conn: Connection, account_id: UUID) -> bool:
    cursor = await conn.execute("DELETE FROM outside_identity WHERE account_id = %s", (account_id,))
    return cursor.rowcount > 0
