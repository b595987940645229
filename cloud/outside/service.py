"""Sending somebody to the provider, and what follows from their coming back.

No connection to the database is held while the provider is asked. Nobody gets an account by signing in: an
administrator has linked the identity to one. An account's second factor is asked for here as after a password.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloud.audit import store as audit
from cloud.auth import codes
from cloud.auth import service as auth
from cloud.auth.models import CodeNeeded, SignedIn
from cloud.db.pool import Pool
from cloud.outside import provider, store
from cloud.outside.models import NotProven, Sent
from cloud.sign_in_config import OutsideSettings

LOG: Final = logging.getLogger(__name__)
BACK_WITHIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where the browser is sent, and the cookie by which it is known again."""

    address: str
    token: str


async def send(pool: Pool, settings: OutsideSettings, now: datetime) -> Departure | None:
    """None, and a line in the log, where the provider cannot be reached."""
    sent = Sent(state=codes.new_token(), nonce=codes.new_token(), code_verifier=secrets.token_urlsafe(48))
    try:
        address = await provider.address(settings, sent)
    except NotProven as error:
        LOG.warning("nobody can be sent to the OpenID Connect provider: %s", error.why)
        return None
    token = codes.new_token()
    async with pool.connection() as conn:
        await store.remember(conn, codes.token_hash(token), sent, now, now + BACK_WITHIN)
    return Departure(address=address, token=token)


async def receive(
    pool: Pool,
    settings: OutsideSettings,
    token: str,
    answer: Mapping[str, str],
    now: datetime,
    browser: auth.Browser,
) -> SignedIn | CodeNeeded | None:
    """What the browser of this cookie came back with; None: nobody is signed in, and the trail says why."""
    try:
        subject = await _subject(pool, settings, token, answer, now)
    except NotProven as error:
        await _refuse(pool, now, error.why, browser)
        return None
    async with pool.connection() as conn:
        linked = await store.linked(conn, settings.issuer, subject)
        if linked is not None:
            return await auth.let_in(conn, linked.account_id, linked.login, linked.role, now, browser)
    await _refuse(pool, now, "not_linked", browser)
    return None


async def _subject(pool: Pool, settings: OutsideSettings, token: str, answer: Mapping[str, str], now: datetime) -> str:
    async with pool.connection() as conn:
        sent = await store.take(conn, codes.token_hash(token), now)
    if sent is None:
        raise NotProven("not_expected")
    if not secrets.compare_digest(answer.get("state", "").encode(), sent.state.encode()):
        raise NotProven("other_state")
    return await provider.subject(settings, sent, answer, now)


async def _refuse(pool: Pool, now: datetime, why: str, browser: auth.Browser) -> None:
    LOG.warning("somebody came back from the OpenID Connect provider and was not signed in: %s", why)
    async with pool.connection() as conn:
        await audit.record(
            conn,
            at=now,
            account_id=None,
            action="sign_in.refused",
            subject="account:unknown",
            detail={"why": why, "from": browser.address, "by": "provider"},
        )
