"""Signing in and out, and what a session's cookie is worth."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from cloud.auth import passwords, store
from cloud.auth.models import Refusal, Role, Session, SignedIn
from cloud.auth.store import Connection

IDLE_TIMEOUT = timedelta(hours=1)
ABSOLUTE_TIMEOUT = timedelta(hours=12)  # a shift
# A person who mistypes gets through; whoever guesses gets 40 attempts an hour at a login.
FAILURES_ALLOWED = 10
FAILURES_WITHIN = timedelta(minutes=15)
# "Last seen" is written at most this often: a page's dozen requests need not each write a row.
SEEN_EVERY = timedelta(minutes=1)
LONGEST_LOGIN = 200
LONGEST_PASSWORD = 1000


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


async def sign_in(conn: Connection, login: str, password: str, now: datetime) -> SignedIn | Refusal:
    """Check a login; every success starts a new session with a token nobody has seen before."""
    login = login.replace("\0", "").strip().lower()[:LONGEST_LOGIN]
    await store.one_attempt_at_a_time(conn, login)
    if await store.failures_since(conn, login, now - FAILURES_WITHIN) >= FAILURES_ALLOWED:
        return Refusal.THROTTLED
    found = await store.credentials(conn, login)
    fits = await passwords.matches(found.password_hash if found else None, password[:LONGEST_PASSWORD])
    if found is None or not fits:
        await store.forget_failures_before(conn, now - FAILURES_WITHIN)
        await store.record_failure(conn, login, now)
        return Refusal.WRONG
    await store.forget_failures(conn, login)
    await store.forget_expired_sessions(conn, found.account_id, now)
    token = secrets.token_urlsafe(32)
    await store.start_session(
        conn, found.account_id, token_hash(token), secrets.token_urlsafe(32), now, now + ABSOLUTE_TIMEOUT
    )
    return SignedIn(account_id=found.account_id, token=token)


async def sign_out(conn: Connection, token: str) -> None:
    """End the session of this cookie, if there is one; a copy of the cookie is worth nothing afterwards."""
    await store.end_session(conn, token_hash(token))


async def session_of(conn: Connection, token: str, now: datetime) -> Session | None:
    """The session of this cookie, noting that its person was here."""
    session = await still_valid(conn, token_hash(token), now)
    if session is not None and now - session.last_seen_at >= SEEN_EVERY:
        await store.seen(conn, session.token_hash, now)
    return session


async def still_valid(conn: Connection, key: bytes, now: datetime) -> Session | None:
    """The session with this token hash, without counting as activity: a screen left alone is idle."""
    return await store.session(conn, key, now, IDLE_TIMEOUT)


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
