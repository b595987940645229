"""What an operator does at the command line: `python -m cloud account`."""

import argparse
import asyncio
from datetime import datetime

from psycopg import AsyncConnection

from cloud.accounts import service, store
from cloud.accounts.models import Account, Invitation
from cloud.accounts.store import Connection
from cloud.console import texts
from cloud.db.connect import CONNECT_TIMEOUT_S, session_options


class CommandRefused(Exception):
    """It was not done; the text says why and what to do."""


def run(database_url: str, base_url: str, options: argparse.Namespace, now: datetime) -> str:
    """Do what ``account`` was given; what to tell. CommandRefused."""
    return asyncio.run(_run(database_url, base_url, options, now))


async def _run(database_url: str, base_url: str, options: argparse.Namespace, now: datetime) -> str:
    connection = await AsyncConnection.connect(
        database_url,
        application_name="pulsepost-account",
        connect_timeout=CONNECT_TIMEOUT_S,
        options=session_options(),
    )
    async with connection as conn:
        try:
            return await _do(conn, base_url, options, now)
        except service.Refused as refused:
            raise CommandRefused(texts.ACCOUNT_REFUSALS[refused.code]) from None


async def _do(conn: Connection, base_url: str, options: argparse.Namespace, now: datetime) -> str:
    if options.deed == "list":
        return "\n".join(_line(each, now) for each in await store.staff(conn, now)) or "no account yet"
    if options.deed == "add":
        made = await service.add_staff(conn, options.login, options.name, options.role, options.language, None, now)
        return _link(made, base_url)
    found = await store.by_login(conn, options.login.strip().lower(), now)
    if found is None:
        raise service.Refused("unknown")
    match options.deed:
        case "invite":
            return _link(await service.invite_again(conn, found.account_id, None, now), base_url)
        case "disable":
            await service.disable(conn, found.account_id, None, now)
            return f"{found.login} is disabled, and every session of it has ended"
        case "enable":
            await service.enable(conn, found.account_id, None, now)
            return f"{found.login} may sign in again"
        case _:
            await service.reset_second_factor(conn, found.account_id, None, now)
            return f"{found.login} has no second factor any more, and every session of it has ended"


def _link(invitation: Invitation, base_url: str) -> str:
    return (
        f"{base_url}{invitation.path}\n\nLets {invitation.login} set a password, once, until"
        f" {invitation.expires_at:%Y-%m-%d %H:%M} UTC. It is stored nowhere and shown this once."
    )


def _line(each: Account, now: datetime) -> str:
    second = "second factor" if each.has_second_factor else "-"
    return f"{each.login}\t{each.role}\t{each.standing(now)}\t{second}\t{each.display_name}"
