"""All SQL of enrolment."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.enrolment.models import Code, EnrolledGateway, RevokedCertificate, Signed, Standing

Connection = AsyncConnection[Any]

RENEWED = "renewed"
# What a renewal ends ends at its date. Whatever else is revoked counts at once: a request that was begun before, or a
# clock that is behind the operator's, brings nothing back.
_CERTIFICATES = """
SELECT serial_number, gateway_id, not_after, least(c.revoked_at, g.revoked_at) AS revoked_at, c.revoked_why,
       (g.revoked_at IS NOT NULL OR c.revoked_at <= %(at)s
        OR c.revoked_at IS NOT NULL AND c.revoked_why IS DISTINCT FROM %(renewed)s) IS TRUE AS revoked
FROM gateway_certificate c JOIN gateway g USING (gateway_id)"""


# Codes ----------------------------------------------------------------------------------------------------------------


async def add_code(
    conn: Connection, code_hash: bytes, gateway_id: str, at: datetime, expires_at: datetime, by: UUID | None = None
) -> None:
    """Note a new code, and withdraw the gateway's older ones. CheckViolation for an id that no gateway may have."""
    await withdraw_codes(conn, gateway_id, at)
    await conn.execute(
        "INSERT INTO enrolment_code (code_hash, gateway_id, created_at, created_by, expires_at)"
        " VALUES (%s, %s, %s, %s, %s)",
        (code_hash, gateway_id, at, by, expires_at),
    )


async def use_code(conn: Connection, code_hash: bytes, gateway_id: str, key_hash: bytes, at: datetime) -> bool:
    """Use a code up, if it is this gateway's and good; who comes second waits for the first, and is told no."""
    cursor = await conn.execute(
        "UPDATE enrolment_code SET used_at = %(at)s, used_key = %(key_hash)s"
        " WHERE code_hash = %(code_hash)s AND gateway_id = %(gateway_id)s"
        " AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > %(at)s RETURNING gateway_id",
        {"at": at, "key_hash": key_hash, "code_hash": code_hash, "gateway_id": gateway_id},
    )
    return await cursor.fetchone() is not None


async def keep_certificate(conn: Connection, code_hash: bytes, certificate: str) -> None:
    """Note what a code was used for."""
    await conn.execute("UPDATE enrolment_code SET certificate = %s WHERE code_hash = %s", (certificate, code_hash))


async def code(conn: Connection, code_hash: bytes) -> Code | None:
    async with conn.cursor(row_factory=class_row(Code)) as cursor:
        await cursor.execute(
            "SELECT gateway_id, expires_at, used_at, used_key, certificate, withdrawn_at"
            " FROM enrolment_code WHERE code_hash = %s",
            (code_hash,),
        )
        return await cursor.fetchone()


# The rate limit -------------------------------------------------------------------------------------------------------


async def failures_since(conn: Connection, address: str, since: datetime) -> tuple[int, int]:
    """How often it went wrong: from this address, and from all."""
    cursor = await conn.execute(
        "SELECT count(*) FILTER (WHERE address = %s::inet), count(*) FROM enrolment_failure WHERE at > %s",
        (address, since),
    )
    row = await cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def record_failure(conn: Connection, address: str, at: datetime, forget_before: datetime) -> None:
    """Note one, and forget those that count no more."""
    await conn.execute("DELETE FROM enrolment_failure WHERE at <= %s", (forget_before,))
    await conn.execute("INSERT INTO enrolment_failure (address, at) VALUES (%s::inet, %s)", (address, at))


# Certificates ---------------------------------------------------------------------------------------------------------


async def one_at_a_time(conn: Connection, gateway_id: str) -> None:
    """Make others who change this gateway's certificates wait until this transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('gateway:' || %s, 0))", (gateway_id,))


async def enrol_gateway(conn: Connection, gateway_id: str, at: datetime) -> None:
    """Let it in; one that was revoked is let in again."""
    await conn.execute(
        "INSERT INTO gateway (gateway_id, enrolled_at) VALUES (%s, %s)"
        " ON CONFLICT (gateway_id) DO UPDATE SET enrolled_at = excluded.enrolled_at, revoked_at = NULL",
        (gateway_id, at),
    )


async def add_certificate(conn: Connection, signed: Signed, at: datetime, how: str) -> None:
    """``how``: enrolment or renewal."""
    await conn.execute(
        "INSERT INTO gateway_certificate (serial_number, gateway_id, issued_at, not_before, not_after, how)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (Decimal(signed.serial_number), signed.gateway_id, at, signed.not_before, signed.not_after, how),
    )


async def revoke_others(conn: Connection, gateway_id: str, kept: int | None, at: datetime, why: str) -> int:
    """Revoke the gateway's certificates but ``kept`` from ``at`` on, unless they end or ended before; how many."""
    cursor = await conn.execute(
        "UPDATE gateway_certificate SET revoked_at = %(at)s, revoked_why = %(why)s"
        " WHERE gateway_id = %(gateway_id)s AND serial_number IS DISTINCT FROM %(kept)s::numeric"
        " AND not_after > %(at)s AND (revoked_at IS NULL OR revoked_at > %(at)s)",
        {"at": at, "why": why, "gateway_id": gateway_id, "kept": None if kept is None else Decimal(kept)},
    )
    return cursor.rowcount


async def revoke_gateway(conn: Connection, gateway_id: str, at: datetime) -> bool:
    """Believe nothing of what it sends from now on. False where there is no such gateway."""
    cursor = await conn.execute(
        "UPDATE gateway SET revoked_at = coalesce(revoked_at, %s) WHERE gateway_id = %s", (at, gateway_id)
    )
    return cursor.rowcount > 0


async def withdraw_codes(conn: Connection, gateway_id: str, at: datetime) -> int:
    """The gateway's unused codes are good for nothing; how many there were."""
    cursor = await conn.execute(
        "UPDATE enrolment_code SET withdrawn_at = %s"
        " WHERE gateway_id = %s AND used_at IS NULL AND withdrawn_at IS NULL",
        (at, gateway_id),
    )
    return cursor.rowcount


async def standing(conn: Connection, serial_number: int, at: datetime) -> Standing | None:
    """What is on record of a certificate; a gateway that is revoked has none that counts."""
    cursor = await conn.execute(
        _CERTIFICATES + " WHERE serial_number = %(serial_number)s",
        {"serial_number": Decimal(serial_number), "at": at, "renewed": RENEWED},
    )
    row = await cursor.fetchone()
    return row and Standing(gateway_id=row[1], not_after=row[2], revoked=row[5])


async def issued_since(conn: Connection, gateway_id: str, since: datetime) -> int:
    """How many certificates it was given."""
    cursor = await conn.execute(
        "SELECT count(*) FROM gateway_certificate WHERE gateway_id = %s AND issued_at > %s", (gateway_id, since)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def revoked(
    conn: Connection, at: datetime, ended_after: datetime, listed: Iterable[int] = ()
) -> Sequence[RevokedCertificate]:
    """Those that are revoked at this moment, or are ``listed`` as revoked already, and would be valid still."""
    cursor = await conn.execute(
        _CERTIFICATES
        + " WHERE not_after > %(ended_after)s AND least(c.revoked_at, g.revoked_at) IS NOT NULL ORDER BY 1",
        {"ended_after": ended_after, "at": at, "renewed": RENEWED},
    )
    known = frozenset(listed)
    return [
        RevokedCertificate(serial_number=int(serial), gateway_id=gateway_id, revoked_at=revoked_at, why=why)
        for serial, gateway_id, _, revoked_at, why, is_revoked in await cursor.fetchall()
        if is_revoked or serial in known
    ]


async def gateways(conn: Connection, at: datetime) -> Sequence[EnrolledGateway]:
    """Every gateway, and every id for which a code waits, by name."""
    async with conn.cursor(row_factory=class_row(EnrolledGateway)) as cursor:
        await cursor.execute(
            """SELECT gateway_id, g.enrolled_at, g.revoked_at, g.last_seen_at,
                      (SELECT max(c.not_after) FROM gateway_certificate c
                       WHERE c.gateway_id = g.gateway_id AND c.revoked_at IS NULL) AS certificate_until,
                      w.expires_at AS code_until
               FROM gateway g FULL JOIN (
                   SELECT gateway_id, expires_at FROM enrolment_code
                   WHERE used_at IS NULL AND withdrawn_at IS NULL AND expires_at > %s
               ) w USING (gateway_id) ORDER BY 1""",
            (at,),
        )
        return await cursor.fetchall()
