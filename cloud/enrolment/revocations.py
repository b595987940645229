"""Keeping the broker's list of revoked certificates: what the database says, on the broker's disk, and in force."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from psycopg_pool import PoolTimeout

from cloud.config import BrokerAddress
from cloud.db.pool import Pool
from cloud.enrolment import broker, store
from cloud.enrolment.models import RevokedCertificate
from cloud.enrolment.store import Connection
from cloud.faults import placed
from cloud.pki import revocation_list
from cloud.pki.authority import Authority

log = logging.getLogger(__name__)

# What was revoked elsewhere (at a command line, in the console) is in force after so long at the latest.
LOOK_EVERY_S = 15.0
# What is not in force for so long is somebody's work.
IN_FORCE_WITHIN = timedelta(minutes=5)
# Well before a list's end, after which the broker would let nobody in.
AT_LEAST_EVERY = timedelta(days=1)
# A certificate that has ended need not be listed; the broker's clock may be a little behind.
LISTED_BEYOND_END = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFiles:
    """Where the broker reads its list; the command that makes it read; our own way in, to hang up on the revoked."""

    revocation_list: Path
    reload: str | None
    address: BrokerAddress | None


class Revocations:
    """The broker's list; ``look`` may be called at any time.

    The broker reads its list a moment after it was told to, and forgets to where it was reading just then: it is told
    twice, some seconds apart, and each time hung up on the revoked, who may have come in between. So it is with whoever
    was revoked before we were started, or by a command: whether that got so far is not known.
    """

    def __init__(self, authority: Authority, files: BrokerFiles, now: Callable[[], datetime]) -> None:
        self._authority = authority
        self._files = files
        self._now = now
        self._wanted = asyncio.Event()
        self._known: set[int] = set()  # serial numbers that we have dealt with, or deal with
        self._to_end: set[str] = set()  # gateways whose connections may stand
        self._unconfirmed = True
        self._in_force_at = now()

    def is_in_force(self) -> bool:
        """Whether all who are revoked are shut out, as far as we can tell, and were a few minutes ago at the latest."""
        return self._now() - self._in_force_at <= IN_FORCE_WITHIN

    def look(self) -> None:
        """Something was revoked."""
        self._wanted.set()

    async def run(self, pool: Pool) -> None:
        """For ever; a database or a disk that is away is tried again."""
        while True:
            self._wanted.clear()
            try:
                async with pool.connection() as conn:
                    revoked = await self._revoked(conn)
                await self._put_in_force(revoked)  # the broker may take long: the database does not wait with us
            except (psycopg.Error, PoolTimeout, OSError) as error:
                log.error("the list of revoked certificates cannot be kept (%s)", placed(error))
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wanted.wait()
            except TimeoutError:
                pass  # it is time to look again

    async def publish(self, conn: Connection) -> Sequence[RevokedCertificate]:
        """Write the list if it has changed or grows old, and put it in force; who is new on it. OSError."""
        return await self._put_in_force(await self._revoked(conn))

    async def _revoked(self, conn: Connection) -> Sequence[RevokedCertificate]:
        """Who belongs on the list; who stands on it stays, whatever our clock says now."""
        now, previous = self._now(), self._read()
        listed = revocation_list.entries(previous) if previous else ()
        return await store.revoked(conn, now, now - LISTED_BEYOND_END, listed)

    async def _put_in_force(self, revoked: Sequence[RevokedCertificate]) -> Sequence[RevokedCertificate]:
        now, previous = self._now(), self._read()
        listed = revocation_list.entries(previous).keys() if previous else frozenset()
        added = [certificate for certificate in revoked if certificate.serial_number not in listed]
        changed = not _is_fresh(previous, now) or listed != {certificate.serial_number for certificate in revoked}
        if changed:
            entries = {certificate.serial_number: certificate.revoked_at for certificate in revoked}
            replace_file(self._files.revocation_list, self._authority.list_revoked(entries, now, previous))
            log.info("%d certificates are revoked, %d of them newly", len(revoked), len(added))
        await self._tell(self._new(revoked), changed=changed)
        return added

    def _new(self, revoked: Sequence[RevokedCertificate]) -> set[str]:
        """The gateways that were revoked and that we have not met as such.

        Who was renewed is not disturbed: it is connected with its next certificate.
        """
        new = [each for each in revoked if each.why != store.RENEWED and each.serial_number not in self._known]
        self._known |= {certificate.serial_number for certificate in new}
        return {certificate.gateway_id for certificate in new}

    async def _tell(self, new: set[str], *, changed: bool) -> None:
        """Have the list read and hang up; whoever is new has that done again next time."""
        has_read = await self._reload() if changed or new or self._unconfirmed else True
        self._unconfirmed = changed or bool(new) or not has_read
        ended = await self._hang_up(sorted(self._to_end | new))
        again = self._to_end - ended if has_read else self._to_end
        self._to_end = again | new
        if has_read and not again:
            self._in_force_at = self._now()

    def _read(self) -> str | None:
        """The list that is there, or None where there is none of this authority's."""
        try:
            text = self._files.revocation_list.read_text()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return text if revocation_list.is_signed_by(text, self._authority.certificate) else None

    async def _reload(self) -> bool:
        if self._files.reload is not None:
            return await broker.reload(self._files.reload)
        log.warning("PULSEPOST_BROKER_RELOAD is not set: make the broker read %s", self._files.revocation_list)
        return True

    async def _hang_up(self, gateway_ids: Iterable[str]) -> set[str]:
        """Who certainly is not connected any more. A broker that is away is not asked for each of them."""
        ended: set[str] = set()
        for gateway_id in gateway_ids:
            if self._files.address is not None:
                if not await broker.hang_up(self._files.address, gateway_id):
                    break
                log.info("hung up on gateway %s", gateway_id)
            ended.add(gateway_id)
        return ended


def _is_fresh(pem: str | None, now: datetime) -> bool:
    """Whether the list is of today; one of the future was made while our clock was wrong, and no broker takes it."""
    return pem is not None and now - AT_LEAST_EVERY <= revocation_list.made_at(pem) <= now


def replace_file(path: Path, text: str) -> None:
    """Replace a file that everybody may read, in one step. OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)  # whatever our umask: the broker is another user
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
