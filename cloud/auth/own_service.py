"""What a person decides about their own sign-in. Whoever sits at an open session has to show again who they are.

Refusals are codes of texts.OWN_SIGN_IN_REFUSALS; None: it was done, or it fits. Failures count as those at sign-in do.
"""

from datetime import datetime

from cloud.audit import store as audit
from cloud.auth import factor_store, factors, password_rules, passwords, service, store
from cloud.auth.models import Refusal, Session
from cloud.auth.service import LONGEST_PASSWORD, Browser
from cloud.auth.store import Connection


async def password_refused(
    conn: Connection, session: Session, typed: str, now: datetime, browser: Browser
) -> str | None:
    """Whether this is not the person's present password."""
    await store.one_attempt_at_a_time(conn, session.login)
    if await service.is_throttled(conn, session.login, browser, now):
        return "throttled"
    found = await store.password_hash_of(conn, session.account_id)
    if await passwords.matches(found, typed[:LONGEST_PASSWORD]):
        return None
    await service.record_failure(conn, session.login, browser, session.account_id, Refusal.WRONG, now)
    return "password"


async def code_refused(
    conn: Connection, session: Session, key: bytes | None, typed: str, now: datetime, browser: Browser
) -> str | None:
    """Whether this is no code of the person's second factor."""
    await store.one_attempt_at_a_time(conn, session.login)
    if await service.is_throttled(conn, session.login, browser, now):
        return "throttled"
    if await factors.fits(conn, session.account_id, key, typed, now) is not None:
        return None
    await service.record_failure(conn, session.login, browser, session.account_id, Refusal.WRONG_CODE, now)
    return "code"


async def change_password(
    conn: Connection, session: Session, present: str, chosen: str, again: str, now: datetime, browser: Browser
) -> str | None:
    """Set another password and end the person's other sessions."""
    refused = await password_refused(conn, session, present, now, browser)
    if refused is None:
        refused = "not_the_same" if chosen != again else None
    refused = refused or password_rules.why_not(chosen, session.login, session.display_name)
    if refused:
        return refused
    await store.set_password(conn, session.account_id, await passwords.hashed(chosen))
    await factor_store.stop_waiting(conn, session.account_id)
    ended = await store.end_sessions(conn, session.account_id, but=session.token_hash)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="password.changed",
        subject=f"account:{session.account_id}",
        detail={"sessions_ended": ended},
    )
    return None
