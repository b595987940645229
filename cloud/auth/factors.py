"""The second factor: set up with an app, confirmed by its first code, asked for at each sign-in from then on.

The secret is sealed under the console's key. Without that key none is set up, and of those that there are only the
recovery codes open a session: they are hashes and need no key.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from cloud.audit import store as audit
from cloud.auth import codes, factor_store, sealing, totp
from cloud.auth.models import Factor, Session
from cloud.auth.store import Connection

LOG: Final = logging.getLogger(__name__)
LONGEST_CODE: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A secret to be put into an app: as text, and as the address that a QR code carries."""

    text: str
    address: str


async def offer(conn: Connection, session: Session, key: bytes, now: datetime) -> Offer | None:
    """The secret that waits to be confirmed, the same until it is; None where a second factor counts already."""
    found = await factor_store.factor(conn, session.account_id)
    if found is not None and found.confirmed_at is not None:
        return None
    secret = _secret(key, found) if found is not None else None
    if secret is None:
        secret = totp.new_secret()
        await factor_store.begin(conn, session.account_id, sealing.seal(key, session.account_id, secret), now)
    return Offer(text=totp.as_text(secret), address=totp.address(secret, session.login))


async def confirm(conn: Connection, session: Session, key: bytes, typed: str, now: datetime) -> list[str] | None:
    """Let it count, if this is its code: the recovery codes, shown this once. None: it was not the code."""
    found = await factor_store.factor(conn, session.account_id)
    if found is None or found.confirmed_at is not None or not await _takes(conn, key, found, typed, now):
        return None
    await factor_store.confirm(conn, session.account_id, now)
    await audit.record(
        conn, at=now, account_id=session.account_id, action="second_factor.set_up", subject=_subject(session.account_id)
    )
    return await _new_recovery_codes(conn, session.account_id)


async def is_set_up(conn: Connection, account_id: UUID) -> bool:
    """Whether a second factor is asked for at this account's sign-in."""
    found = await factor_store.factor(conn, account_id)
    return found is not None and found.confirmed_at is not None


async def fits(conn: Connection, account_id: UUID, key: bytes | None, typed: str, now: datetime) -> str | None:
    """How the code fits a second factor that counts: ``app``, ``recovery_code``; None: it does not.

    A code opens once: neither its step nor an earlier one is taken again, and a recovery code is used up.
    """
    typed = typed[:LONGEST_CODE]
    found = await factor_store.factor(conn, account_id)
    if found is None or found.confirmed_at is None:
        return None
    if key is not None and await _takes(conn, key, found, typed, now):
        return "app"
    if await factor_store.use_recovery_code(conn, account_id, codes.recovery_hash(typed), now):
        return "recovery_code"
    return None


async def renew_recovery_codes(conn: Connection, session: Session, now: datetime) -> list[str]:
    """Ten new ones instead of all that there were; the caller has checked a code."""
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="second_factor.new_recovery_codes",
        subject=_subject(session.account_id),
    )
    return await _new_recovery_codes(conn, session.account_id)


async def reset(conn: Connection, account_id: UUID, by: UUID | None, now: datetime) -> bool:
    """Take an account's second factor away; whether it had one. ``by`` None: an operator at the command line."""
    if not await factor_store.remove(conn, account_id):
        return False
    await audit.record(conn, at=now, account_id=by, action="second_factor.removed", subject=_subject(account_id))
    return True


async def _new_recovery_codes(conn: Connection, account_id: UUID) -> list[str]:
    made = [codes.new_recovery_code() for _ in range(codes.RECOVERY_CODES)]
    await factor_store.replace_recovery_codes(conn, account_id, [codes.recovery_hash(code) for code in made])
    return made


async def _takes(conn: Connection, key: bytes, found: Factor, typed: str, now: datetime) -> bool:
    secret = _secret(key, found)
    if secret is None:
        return False
    step = totp.fitting_step(secret, typed, now, found.last_step)
    # The database decides between two who send the same code at once.
    return step is not None and await factor_store.take_step(conn, found.account_id, step)


def _secret(key: bytes, found: Factor) -> bytes | None:
    """None, and a line in the log, where it was sealed under another key."""
    try:
        return sealing.opened(key, found.account_id, found.sealed)
    except sealing.WrongKey:
        LOG.error("the second factor of account %s was sealed under another PULSEPOST_CONSOLE_KEY", found.account_id)
        return None


def _subject(account_id: UUID) -> str:
    return f"account:{account_id}"
