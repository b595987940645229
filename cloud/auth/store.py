"""All SQL of accounts and sessions."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE, IN_CARE_TEAM
from cloud.auth.models import Credentials, NewSession, OwnSession, Role, Session

Connection = AsyncConnection[Any]


def create_account(
    conn: psycopg.Connection[Any],
    *,
    login: str,
    display_name: str,
    role: Role,
    password_hash: str,
    patient_id: UUID | None = None,
) -> UUID:
    """Insert an account, through an administrator's connection: the console's role cannot."""
    row = conn.execute(
        """INSERT INTO account (login, display_name, role, password_hash, patient_id)
           VALUES (%s, %s, %s, %s, %s) RETURNING account_id""",
        (login, display_name, role, password_hash, patient_id),
    ).fetchone()
    if row is None:
        raise LookupError("INSERT ... RETURNING gave no row")
    account_id: UUID = row[0]
    return account_id


async def one_attempt_at_a_time(conn: Connection, login: str) -> None:
    """Make further attempts at this login wait until this transaction ends, so that none slips past the count."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('login:' || %s, 0))", (login,))


async def failures_since(conn: Connection, login: str, since: datetime) -> int:
    cursor = await conn.execute("SELECT count(*) FROM login_failure WHERE login = %s AND at > %s", (login, since))
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def failures_from(conn: Connection, address: str, since: datetime) -> int:
    cursor = await conn.execute("SELECT count(*) FROM login_failure WHERE address = %s AND at > %s", (address, since))
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def record_failure(conn: Connection, login: str, address: str, at: datetime) -> None:
    await conn.execute("INSERT INTO login_failure (login, address, at) VALUES (%s, %s, %s)", (login, address, at))


async def forget_failures_before(conn: Connection, before: datetime) -> None:
    """Of every login, those that count no more: most are of logins that do not exist and never succeed."""
    await conn.execute("DELETE FROM login_failure WHERE at <= %s", (before,))


async def forget_failures(conn: Connection, login: str) -> None:
    await conn.execute("DELETE FROM login_failure WHERE login = %s", (login,))


async def credentials(conn: Connection, login: str) -> Credentials | None:
    async with conn.cursor(row_factory=class_row(Credentials)) as cursor:
        await cursor.execute(
            "SELECT account_id, role, password_hash FROM account_of_login(%s) WHERE disabled_at IS NULL", (login,)
        )
        return await cursor.fetchone()


async def start_session(conn: Connection, begun: NewSession) -> None:
    await conn.execute(
        """INSERT INTO login_session (token_hash, account_id, csrf_token, created_at, last_seen_at, expires_at, idle,
                                      confined, browser)
           VALUES (%(token_hash)s, %(account_id)s, %(csrf_token)s, %(at)s, %(at)s, %(expires_at)s, %(idle)s,
                   %(confined)s, %(browser)s)""",
        asdict(begun),
    )


async def rotate(conn: Connection, old_hash: bytes, new_hash: bytes, csrf_token: str) -> None:
    """The same session under another cookie and token, confined no more."""
    await conn.execute(
        "UPDATE login_session SET token_hash = %s, csrf_token = %s, confined = false WHERE token_hash = %s",
        (new_hash, csrf_token, old_hash),
    )


async def end_session(conn: Connection, token_hash: bytes) -> None:
    await conn.execute("DELETE FROM login_session WHERE token_hash = %s", (token_hash,))


async def forget_expired_sessions(conn: Connection, account_id: UUID, now: datetime) -> None:
    await conn.execute("DELETE FROM login_session WHERE account_id = %s AND expires_at <= %s", (account_id, now))


async def session(conn: Connection, token_hash: bytes, now: datetime) -> Session | None:
    """The session of an account that is not disabled, unless it ran out or lay idle."""
    async with conn.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(
            """SELECT s.token_hash, s.csrf_token, s.last_seen_at, s.confined,
                      a.account_id, a.login, a.display_name, a.role, a.patient_id, a.language,
                      a.glucose_unit, a.pressure_unit
               FROM login_session s CROSS JOIN account_of_session(%s) a
               WHERE s.token_hash = %s AND s.expires_at > %s AND s.last_seen_at + s.idle > %s
                 AND a.disabled_at IS NULL""",
            (token_hash, token_hash, now, now),
        )
        return await cursor.fetchone()


async def sessions_of(conn: Connection, account_id: UUID, this: bytes, now: datetime) -> Sequence[OwnSession]:
    """Those that still hold, the last used first."""
    async with conn.cursor(row_factory=class_row(OwnSession)) as cursor:
        await cursor.execute(
            """SELECT session_id, created_at, last_seen_at, expires_at, browser, token_hash = %s AS is_this
               FROM login_session
               WHERE account_id = %s AND expires_at > %s AND last_seen_at + idle > %s ORDER BY last_seen_at DESC""",
            (this, account_id, now, now),
        )
        return await cursor.fetchall()


async def end_own_session(conn: Connection, account_id: UUID, session_id: UUID) -> bool:
    """Whether the account had it."""
    cursor = await conn.execute(
        "DELETE FROM login_session WHERE account_id = %s AND session_id = %s", (account_id, session_id)
    )
    return cursor.rowcount == 1


async def end_sessions(conn: Connection, account_id: UUID, but: bytes | None = None) -> int:
    """End all of the account's, save the one with this token hash; how many ended."""
    cursor = await conn.execute(
        "DELETE FROM login_session WHERE account_id = %s AND token_hash IS DISTINCT FROM %s", (account_id, but)
    )
    return cursor.rowcount


async def password_hash_of(conn: Connection, account_id: UUID) -> str | None:
    cursor = await conn.execute("SELECT password_hash FROM account WHERE account_id = %s", (account_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def set_password(conn: Connection, account_id: UUID, password_hash: str) -> None:
    await conn.execute("UPDATE account SET password_hash = %s WHERE account_id = %s", (password_hash, account_id))


async def seen(conn: Connection, token_hash: bytes, now: datetime) -> None:
    await conn.execute("UPDATE login_session SET last_seen_at = %s WHERE token_hash = %s", (now, token_hash))


async def language(conn: Connection, account_id: UUID) -> str | None:
    """The language that they chose, if they did."""
    cursor = await conn.execute("SELECT language FROM account WHERE account_id = %s", (account_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def choose_language(conn: Connection, account_id: UUID, language: str) -> None:
    await conn.execute("UPDATE account SET language = %s WHERE account_id = %s", (language, account_id))


async def choose_units(conn: Connection, account_id: UUID, glucose: str | None, pressure: str | None) -> None:
    """In which units they read figures; None: they have no choice of their own."""
    await conn.execute(
        "UPDATE account SET glucose_unit = %s, pressure_unit = %s WHERE account_id = %s",
        (glucose, pressure, account_id),
    )


async def in_care(conn: Connection, account_id: UUID, patient_id: UUID) -> bool:
    """Whether the account may see the patient now."""
    cursor = await conn.execute(_IN_CARE, {"account_id": account_id, "patient_id": patient_id})
    return await cursor.fetchone() is not None


async def in_care_team(conn: Connection, account_id: UUID, patient_id: UUID) -> bool:
    """Whether the patient is one of the account's now; one that is open by break-glass is not."""
    cursor = await conn.execute(_IN_CARE_TEAM, {"account_id": account_id, "patient_id": patient_id})
    return await cursor.fetchone() is not None


_PATIENT = SQL("SELECT FROM patient p WHERE p.patient_id = %(patient_id)s AND {whose}")
_IN_CARE, _IN_CARE_TEAM = _PATIENT.format(whose=IN_CARE), _PATIENT.format(whose=IN_CARE_TEAM)
