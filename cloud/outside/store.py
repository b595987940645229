"""All SQL of signing in from outside."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.outside.models import Linked, Sent

Connection = AsyncConnection[Any]


async def remember(conn: Connection, token_hash: bytes, sent: Sent, now: datetime, expires_at: datetime) -> None:
    """Somebody is expected back; whoever did not come in time is forgotten."""
    await conn.execute("DELETE FROM outside_sign_in WHERE expires_at <= %s", (now,))
    await conn.execute(
        """INSERT INTO outside_sign_in (token_hash, state, nonce, code_verifier, expires_at)
           VALUES (%s, %s, %s, %s, %s)""",
        (token_hash, sent.state, sent.nonce, sent.code_verifier, expires_at),
    )


async def take(conn: Connection, token_hash: bytes, now: datetime) -> Sent | None:
    """What this browser was sent with; it comes back once."""
    async with conn.cursor(row_factory=class_row(Sent)) as cursor:
        await cursor.execute(
            """DELETE FROM outside_sign_in WHERE token_hash = %s AND expires_at > %s
               RETURNING state, nonce, code_verifier""",
            (token_hash, now),
        )
        return await cursor.fetchone()


async def linked(conn: Connection, issuer: str, subject: str) -> Linked | None:
    """The account of this identity, unless it is disabled."""
    async with conn.cursor(row_factory=class_row(Linked)) as cursor:
        await cursor.execute(
            """SELECT a.account_id, a.login, a.role FROM outside_identity o JOIN account a USING (account_id)
               WHERE o.issuer = %s AND o.subject = %s AND a.disabled_at IS NULL""",
            (issuer, subject),
        )
        return await cursor.fetchone()
