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
from cloud.console.edge import Pool
from cloud.enrolment import broker, store
from cloud.enrolment.models import RevokedCertificate
from cloud.enrolment.store import Connection
from cloud.pki import revocation_list
from cloud.pki.authority import Authority

log = logging.getLogger(__name__)

# What was revoked elsewhere (at a command line, in the console) is in force after so long at the latest.
LOOK_EVERY_S = 15.0
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
    """The broker's list; ``look`` may be called at any time."""

    def __init__(self, authority: Authority, files: BrokerFiles, now: Callable[[], datetime]) -> None:
        self._authority = authority
        self._files = files
        self._now = now
        self._wanted = asyncio.Event()
        self._unconfirmed = False

    def look(self) -> None:
        """Something was revoked."""
        self._wanted.set()

    async def run(self, pool: Pool) -> None:
        """For ever; a database or a disk that is away is tried again."""
        while True:
            self._wanted.clear()
            try:
                async with pool.connection() as conn:
                    await self.publish(conn)
            except (psycopg.Error, PoolTimeout, OSError) as error:
                log.error("the list of revoked certificates cannot be kept (%s)", type(error).__name__)
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wanted.wait()
            except TimeoutError:
                pass  # it is time to look again

    async def publish(self, conn: Connection) -> Sequence[RevokedCertificate]:
        """Write the list if it has changed or grows old, and put it in force; who is new on it. OSError."""
        now = self._now()
        revoked = await store.revoked(conn, now, now - LISTED_BEYOND_END)
        path = self._files.revocation_list
        previous = self._read()
        listed = revocation_list.entries(previous).keys() if previous else frozenset()
        added = [certificate for certificate in revoked if certificate.serial_number not in listed]
        due = previous is None or revocation_list.made_at(previous) < now - AT_LEAST_EVERY
        if due or listed != {certificate.serial_number for certificate in revoked}:
            entries = {certificate.serial_number: certificate.revoked_at for certificate in revoked}
            replace_file(path, self._authority.list_revoked(entries, now, previous))
            log.info("%d certificates are revoked, %d of them newly", len(revoked), len(added))
            await self._reload()
            self._unconfirmed = True
        elif self._unconfirmed:
            # Mosquitto forgets a SIGHUP that reaches it while it is reading: once more, later.
            self._unconfirmed = not await self._reload()
        await self._hang_up(sorted({certificate.gateway_id for certificate in added}))
        return added

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

    async def _hang_up(self, gateway_ids: Iterable[str]) -> None:
        if self._files.address is not None:
            for gateway_id in gateway_ids:
                if await broker.hang_up(self._files.address, gateway_id):
                    log.info("hung up on gateway %s", gateway_id)


def replace_file(path: Path, text: str) -> None:
    """Replace a file that everybody may read, in one step. OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
