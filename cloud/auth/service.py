"""Signing in and out, and what a session's cookie is worth."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg

from cloud.audit import store as audit
from cloud.auth import codes, factor_store, factors, passwords, store
from cloud.auth.codes import token_hash
from cloud.auth.models import CodeNeeded, NewSession, Refusal, Role, Session, SignedIn, Waiting
from cloud.auth.store import Connection

IDLE_TIMEOUT = timedelta(hours=1)
ABSOLUTE_TIMEOUT = timedelta(hours=12)  # a shift
# A person who mistypes gets through; whoever guesses gets 40 attempts an hour at a login.
FAILURES_ALLOWED = 10
FAILURES_WITHIN = timedelta(minutes=15)
# Of all logins together, from one address: a clinic's whole staff may stand behind it.
FAILURES_ALLOWED_FROM_ADDRESS = 50
# To find the telephone, unlock it and type.
CODE_WITHIN = timedelta(minutes=5)
# "Last seen" is written at most this often: a page's dozen requests need not each write a row.
SEEN_EVERY = timedelta(minutes=1)
LONGEST_LOGIN = 200
LONGEST_PASSWORD = 1000
LONGEST_BROWSER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOuts:
    """How long a session lasts without a request, and in any case. Proposals of this project.

    NIST SP 800-63B-4 allows at most an hour and a day with two factors, 30 days with one.
    """

    idle: timedelta = IDLE_TIMEOUT
    absolute: timedelta = ABSOLUTE_TIMEOUT


# An administrator's page left open opens every other account's door; a patient's shows the owner of the telephone only.
TIME_OUTS: Final[Mapping[Role, TimeOuts]] = {
    Role.ADMINISTRATOR: TimeOuts(idle=timedelta(minutes=15), absolute=timedelta(hours=8)),
    Role.AUDITOR: TimeOuts(idle=timedelta(minutes=30), absolute=timedelta(hours=8)),
    Role.PATIENT: TimeOuts(idle=timedelta(hours=12), absolute=timedelta(days=7)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Whence somebody signs in: the network address as failures are counted, and what the browser calls itself."""

    address: str = ""
    name: str = ""


def create_account(
    conn: psycopg.Connection[Any],
    *,
    login: str,
    password: str,
    display_name: str,
    role: Role | str,
    patient_id: UUID | None = None,
) -> UUID:
    """Make an account through an administrator's connection; the caller commits. Returns the account_id.

    ``login`` is stored in lower case. ``patient_id`` is given for role ``patient`` and for no other.
    """
    return store.create_account(
        conn,
        login=login.lower(),
        display_name=display_name,
        role=Role(role),
        password_hash=passwords.hash_password(password),
        patient_id=patient_id,
    )


async def sign_in(
    conn: Connection, login: str, password: str, now: datetime, browser: Browser
) -> SignedIn | CodeNeeded | Refusal:
    """Check a login; every success starts a new session with a token nobody has seen before."""
    login = login.replace("\0", "").strip().lower()[:LONGEST_LOGIN]
    await store.one_attempt_at_a_time(conn, login)
    if await is_throttled(conn, login, browser, now):
        return Refusal.THROTTLED
    found = await store.credentials(conn, login)
    fits = await passwords.matches(found.password_hash if found else None, password[:LONGEST_PASSWORD])
    if found is None or not fits:
        await record_failure(conn, login, browser, found.account_id if found else None, Refusal.WRONG, now)
        return Refusal.WRONG
    return await let_in(conn, found.account_id, login, found.role, now, browser)


async def let_in(
    conn: Connection, account_id: UUID, login: str, role: Role, now: datetime, browser: Browser
) -> SignedIn | CodeNeeded:
    """Go on for somebody who has shown who they are once: a session, or the second factor's code first."""
    if await factors.is_set_up(conn, account_id):
        # The failures stay until the code has come: the password alone must not buy more guesses.
        token = codes.new_token()
        await factor_store.wait_for_code(conn, account_id, token_hash(token), now, now + CODE_WITHIN)
        return CodeNeeded(token=token)
    confined = role in await factor_store.required_roles(conn)
    return await _begin(
        conn, Waiting(token_hash=b"", account_id=account_id, login=login, role=role), now, browser, confined
    )


async def waiting(conn: Connection, token: str, now: datetime) -> Waiting | None:
    """The sign-in of this cookie whose code is still to come."""
    return await factor_store.waiting(conn, token_hash(token), now)


async def enter_code(
    conn: Connection, waiting: Waiting, key: bytes | None, typed: str, now: datetime, browser: Browser
) -> SignedIn | Refusal:
    """Check the code of the second factor, or a recovery code."""
    await store.one_attempt_at_a_time(conn, waiting.login)
    if await is_throttled(conn, waiting.login, browser, now):
        return Refusal.THROTTLED
    how = await factors.fits(conn, waiting.account_id, key, typed, now)
    if how is None:
        await record_failure(conn, waiting.login, browser, waiting.account_id, Refusal.WRONG_CODE, now)
        return Refusal.WRONG_CODE
    await factor_store.stop_waiting(conn, waiting.account_id)
    return await _begin(conn, waiting, now, browser, confined=False, second_factor=how)


async def sign_out(conn: Connection, token: str) -> None:
    """End the session of this cookie, if there is one; a copy of the cookie is worth nothing afterwards."""
    await store.end_session(conn, token_hash(token))


async def rotate(conn: Connection, session: Session) -> str:
    """Another cookie for the same session, confined no more: the new token. The old cookie is worth nothing."""
    token = codes.new_token()
    await store.rotate(conn, session.token_hash, token_hash(token), codes.new_token())
    return token


async def session_of(conn: Connection, token: str, now: datetime) -> Session | None:
    """The session of this cookie, noting that its person was here."""
    session = await still_valid(conn, token_hash(token), now)
    if session is not None and now - session.last_seen_at >= SEEN_EVERY:
        await store.seen(conn, session.token_hash, now)
    return session


async def still_valid(conn: Connection, key: bytes, now: datetime) -> Session | None:
    """The session with this token hash, without counting as activity: a screen left alone is idle."""
    return await store.session(conn, key, now)


def counted_as(host: str) -> str:
    """The address under which failures are counted: IPv4 whole, IPv6 by its /64, which one household has to itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


async def is_throttled(conn: Connection, login: str, browser: Browser, now: datetime) -> bool:
    since = now - FAILURES_WITHIN
    if await store.failures_since(conn, login, since) >= FAILURES_ALLOWED:
        return True
    return bool(browser.address) and (
        await store.failures_from(conn, browser.address, since) >= FAILURES_ALLOWED_FROM_ADDRESS
    )


async def record_failure(
    conn: Connection, login: str, browser: Browser, account_id: UUID | None, why: Refusal, now: datetime
) -> None:
    """What was typed as an unknown login is not put into the trail: it may have been a password."""
    await store.forget_failures_before(conn, now - FAILURES_WITHIN)
    await store.record_failure(conn, login, browser.address, now)
    closed = await store.failures_since(conn, login, now - FAILURES_WITHIN) >= FAILURES_ALLOWED
    await audit.record(
        conn,
        at=now,
        account_id=None,
        action="sign_in.refused",
        subject=f"account:{account_id or 'unknown'}",
        detail={"why": why, "from": browser.address, **({"closed": True} if closed else {})},
    )


async def _begin(
    conn: Connection,
    who: Waiting,
    now: datetime,
    browser: Browser,
    confined: bool,
    second_factor: str | None = None,
) -> SignedIn:
    await store.forget_failures(conn, who.login)
    await store.forget_expired_sessions(conn, who.account_id, now)
    token, lasts = codes.new_token(), TIME_OUTS.get(who.role, TimeOuts())
    await store.start_session(
        conn,
        NewSession(
            token_hash=token_hash(token),
            account_id=who.account_id,
            csrf_token=codes.new_token(),
            at=now,
            expires_at=now + lasts.absolute,
            idle=lasts.idle,
            confined=confined,
            browser=browser.name[:LONGEST_BROWSER],
        ),
    )
    detail = {"second_factor": second_factor} if second_factor else {}
    await audit.record(
        conn,
        at=now,
        account_id=who.account_id,
        action="sign_in",
        subject=f"account:{who.account_id}",
        detail=detail,
    )
    return SignedIn(account_id=who.account_id, token=token)
