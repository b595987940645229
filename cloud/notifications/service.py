"""Telling people, once; and the addresses at which they are told.

``notify`` and ``notify_of_gap`` write a row and wake the delivery (cloud.jobs.delivering) in the caller's transaction.
"""

import re
import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import phonenumbers
from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.db.connect import Connection
from cloud.notifications import store
from cloud.notifications.models import ChannelName, Page

AsyncConn = AsyncConnection[Any]

MOST_ADDRESSES: Final = 6
# How long a code counts, and how often one may be wrong: one chance in 200,000 for whoever guesses.
CODE_LASTS: Final = timedelta(minutes=10)
CODE_TRIES: Final = 5
# Test pages within a day, by one person and to one address, whoever asks: nobody guesses on by asking anew, and nobody
# has another's telephone ring. Proposals of this project.
TESTS_WITHIN: Final = timedelta(hours=24)
MOST_TESTS: Final = 12
MOST_TESTS_THERE: Final = 6
# Something on both sides of one @, a dot in the domain, ASCII (RFC 5321 without quoted strings and literals): whether
# it is anybody's, the test page shows.
EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
NAME_AT_WEBHOOK: Final = re.compile(r"[A-Za-z0-9._@+-]{1,100}")


class UnusableAddress(Exception):
    """Not an address of this channel; ``code`` names the words in ``words.REFUSALS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def notify(
    connection: Connection, *, case_id: UUID, round: int, step: int, account_id: UUID, at: datetime
) -> UUID | None:
    """Have the person told that the case waits. None: they were told in this round at this step. Commits nothing."""
    made = store.add_for_case(connection, case_id, round, step, account_id, at)
    if made is not None:
        store.wake(connection, made, at)
    return made


def notify_of_gap(connection: Connection, *, gap: str, account_id: UUID, at: datetime) -> UUID | None:
    """Have the person told that nobody is on duty. None: they were told of this gap. Commits nothing.

    ``gap`` names it, such as ``nurse:2026-11-22T03:00Z``, and never a patient.
    """
    made = store.add_for_gap(connection, gap, account_id, at)
    if made is not None:
        store.wake(connection, made, at)
    return made


def notify_of_follow_ups(connection: Connection, *, day: date, account_id: UUID, at: datetime) -> UUID | None:
    """Have the person told that follow-ups of theirs are due. None: they were told on this day. Commits nothing."""
    made = store.add_for_follow_ups(connection, day, account_id, at)
    if made is not None:
        store.wake(connection, made, at)
    return made


def written(channel: ChannelName, text: str) -> str:
    """The address as it is kept: E.164 for telephones. UnusableAddress."""
    text = text.strip()
    match channel:
        case ChannelName.SMS | ChannelName.VOICE:
            return _telephone(text)
        case ChannelName.EMAIL:
            if len(text) > 254 or not EMAIL.fullmatch(text):
                raise UnusableAddress("email")
            return text
        case ChannelName.WEBHOOK:
            if not NAME_AT_WEBHOOK.fullmatch(text):
                raise UnusableAddress("webhook")
            return text
        case _:
            raise UnusableAddress("channel")


def _telephone(text: str) -> str:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise UnusableAddress("telephone") from None
    if not phonenumbers.is_valid_number(number):
        raise UnusableAddress("telephone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def add(
    conn: AsyncConn, session: Session, channel: ChannelName, text: str, offered: Collection[ChannelName], now: datetime
) -> None:
    """Add an address and send its test page. UnusableAddress."""
    if channel not in offered:
        raise UnusableAddress("channel")
    address = written(channel, text)
    # All of it or nothing: an address that cannot be tried is not kept.
    async with conn.transaction():
        address_id = await store.add_address(conn, session.account_id, channel, address, MOST_ADDRESSES, now)
        if address_id is None:
            raise UnusableAddress("enough")
        await _record(conn, session, "address.add", address_id, channel, now)
        await test(conn, session, address_id, now)


async def remove(conn: AsyncConn, session: Session, address_id: UUID, now: datetime) -> bool:
    """Whether it was theirs."""
    removed = await store.remove_address(conn, session.account_id, address_id, now)
    if removed:
        await _record(conn, session, "address.remove", address_id, None, now)
    return removed


async def test(conn: AsyncConn, session: Session, address_id: UUID, now: datetime) -> bool:
    """Send a code there. False: not theirs, or one is under way. UnusableAddress: there were too many in a day."""
    mine, there = await store.tests_since(conn, session.account_id, address_id, now - TESTS_WITHIN)
    if mine >= MOST_TESTS or there >= MOST_TESTS_THERE:
        raise UnusableAddress("too_many")
    code = f"{secrets.randbelow(1_000_000):06d}"
    return await store.begin_test(conn, session.account_id, address_id, code, now + CODE_LASTS, now)


async def verify(conn: AsyncConn, session: Session, address_id: UUID, code: str, now: datetime) -> bool:
    """Whether this is the code that was sent there. Each try counts, also a wrong one."""
    expected = await store.take_code(conn, session.account_id, address_id, CODE_TRIES, now)
    if expected is None or not secrets.compare_digest(expected.encode(), code.strip().encode()):
        return False
    await store.verify(conn, address_id, now)
    await _record(conn, session, "address.verify", address_id, None, now)
    return True


async def fetch_pages(conn: AsyncConn, session: Session, now: datetime) -> list[Page]:
    """What the person was paged with; that their open page asked confirms that it arrived."""
    pages = await store.pages_of(conn, session.account_id)
    for page in pages:
        await store.confirm_at_console(conn, page.notification_id, session.account_id, now)
    return pages


class Receipt(msgspec.Struct, frozen=True):
    """What a gateway says later: ``id`` is its own id of the message, or our Idempotency-Key; others see ``status``."""

    id: str
    status: str


ARRIVED: Final[Mapping[str, bool]] = {"delivered": True, "answered": True, "failed": False, "undelivered": False}


async def receive(conn: AsyncConn, channel: ChannelName, body: bytes, now: datetime) -> bool:
    """Take a receipt whose signature is right. False: it cannot be read, or is of no message that waits for one."""
    try:
        receipt = msgspec.json.decode(body, type=Receipt)
    except msgspec.DecodeError:
        return False
    if "\0" in receipt.id:  # no provider's id, and the database refuses it
        return False
    arrived = ARRIVED.get(receipt.status)
    if arrived is None:
        return False
    return await store.settle(conn, receipt.id, channel, arrived=arrived, at=now)


async def _record(
    conn: AsyncConn, session: Session, action: str, address_id: UUID, channel: ChannelName | None, now: datetime
) -> None:
    """In the audit: which address, and not what it is."""
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action=action,
        subject=f"address:{address_id}",
        detail={"channel": channel} if channel else {},
    )
