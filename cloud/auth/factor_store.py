"""All SQL of second factors and of sign-ins that wait for a code."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from cloud.auth.models import Factor, Role, Waiting
from cloud.auth.store import Connection


async def factor(conn: Connection, account_id: UUID) -> Factor | None:
    """The account's second factor, confirmed or not."""
    async with conn.cursor(row_factory=class_row(Factor)) as cursor:
        await cursor.execute(
            "SELECT account_id, sealed, confirmed_at, last_step FROM second_factor WHERE account_id = %s",
            (account_id,),
        )
        return await cursor.fetchone()


async def begin(conn: Connection, account_id: UUID, sealed: bytes, now: datetime) -> None:
    """A new secret, unconfirmed, in the place of an unconfirmed one; a confirmed one stays."""
    await conn.execute(
        """INSERT INTO second_factor (account_id, sealed, created_at) VALUES (%s, %s, %s)
           ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at
           WHERE second_factor.confirmed_at IS NULL""",
        (account_id, sealed, now),
    )


async def take_step(conn: Connection, account_id: UUID, step: int) -> bool:
    """Whether no code of this step or a later one has been taken; from now on one has."""
    cursor = await conn.execute(
        """UPDATE second_factor SET last_step = %s
           WHERE account_id = %s AND (last_step IS NULL OR last_step < %s)""",
        (step, account_id, step),
    )
    return cursor.rowcount == 1


async def confirm(conn: Connection, account_id: UUID, now: datetime) -> None:
    await conn.execute("UPDATE second_factor SET confirmed_at = %s WHERE account_id = %s", (now, account_id))


async def remove(conn: Connection, account_id: UUID) -> bool:
    """Whether there was one; its recovery codes go with it."""
    await conn.execute("DELETE FROM recovery_code WHERE account_id = %s", (account_id,))
    cursor = await conn.execute("DELETE FROM second_factor WHERE account_id = %s", (account_id,))
    return cursor.rowcount == 1


async def replace_recovery_codes(conn: Connection, account_id: UUID, hashes: Iterable[bytes]) -> None:
    await conn.execute("DELETE FROM recovery_code WHERE account_id = %s", (account_id,))
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO recovery_code (account_id, code_hash) VALUES (%s, %s)",
            [(account_id, each) for each in hashes],
        )


async def use_recovery_code(conn: Connection, account_id: UUID, code_hash: bytes, now: datetime) -> bool:
    """Whether it was one of the account's, unused; it is used now."""
    cursor = await conn.execute(
        "UPDATE recovery_code SET used_at = %s WHERE account_id = %s AND code_hash = %s AND used_at IS NULL",
        (now, account_id, code_hash),
    )
    return cursor.rowcount == 1


async def recovery_codes_left(conn: Connection, account_id: UUID) -> int:
    cursor = await conn.execute(
        "SELECT count(*) FROM recovery_code WHERE account_id = %s AND used_at IS NULL", (account_id,)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def required_roles(conn: Connection) -> frozenset[Role]:
    """Roles that need a second factor."""
    cursor = await conn.execute("SELECT role FROM second_factor_rule")
    return frozenset(Role(role) for (role,) in await cursor.fetchall())


async def require_of(conn: Connection, roles: Sequence[Role], set_by: UUID | None, now: datetime) -> None:
    """From now on these roles need one, and no others."""
    await conn.execute("DELETE FROM second_factor_rule WHERE role <> ALL (%s)", ([*roles],))
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """INSERT INTO second_factor_rule (role, set_by, set_at) VALUES (%s, %s, %s)
               ON CONFLICT (role) DO NOTHING""",
            [(role, set_by, now) for role in roles],
        )


async def wait_for_code(
    conn: Connection, account_id: UUID, token_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """A sign-in whose code is still to come; those that came too late are forgotten."""
    await conn.execute("DELETE FROM waiting_sign_in WHERE expires_at <= %s", (now,))
    await conn.execute(
        "INSERT INTO waiting_sign_in (token_hash, account_id, expires_at) VALUES (%s, %s, %s)",
        (token_hash, account_id, expires_at),
    )


async def waiting(conn: Connection, token_hash: bytes, now: datetime) -> Waiting | None:
    """The sign-in that waits, unless its time is over or the account is disabled."""
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        await cursor.execute(
            """SELECT w.token_hash, a.account_id, a.login, a.role
               FROM waiting_sign_in w CROSS JOIN account_of_waiting(%s) a
               WHERE w.token_hash = %s AND w.expires_at > %s AND a.disabled_at IS NULL""",
            (token_hash, token_hash, now),
        )
        return await cursor.fetchone()


async def stop_waiting(conn: Connection, account_id: UUID) -> None:
    await conn.execute("DELETE FROM waiting_sign_in WHERE account_id = %s", (account_id,))
