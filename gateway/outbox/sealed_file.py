"""The outbox's file: short transactions, sealed blobs, and what is done where the disk has no room.

A full disk takes nothing more in (``shortage``), and lets out what it holds: where a claim or a receipt cannot be
written down, the reserve of ``disk`` is given up for it.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TypeVar

from gateway.disk import MIB, Disk
from gateway.outbox.errors import DiskRefused, FileDamaged, OutboxError, SealedAway, as_outbox_error
from gateway.sealing import Seal, SealBroken

log = logging.getLogger(__name__)

T = TypeVar("T")

# Free pages that are given back to a short disk at a time (1 MiB), and how often before a visit.
_GIVE_BACK_PAGES, _GIVE_BACK_TURNS = 256, 4
# As much as a visit's larger transactions write.
_PROBE_OCTETS = 64 * 1024


class SealedFile:
    """One SQLite file. Not safe for threads: everything happens on the event loop's thread, in short transactions."""

    def __init__(self, database: sqlite3.Connection, seal: Seal | None, disk: Disk, sealed_away: str = "") -> None:
        self._db = database
        self._seal = seal
        self._disk = disk
        self.sealed_away = sealed_away
        """Why sealed data cannot be read; empty where it can."""
        self._trouble: str | None = None
        self._damage: str | None = None

    def close(self) -> None:
        """Write the log back into the file and let go of it."""
        self._db.close()

    # Room -------------------------------------------------------------------------------------------------------

    def shortage(self) -> str | None:
        """Why nothing may be taken from a device now, and what helps; None: there is room, and writing works.

        After a failure it writes, to find out; so ask it before a visit and with a heartbeat, not in a loop.
        """
        if self._damage is not None:
            return self._damage
        try:
            self._make_room()
            if self._trouble is not None:
                self._probe()
        except OutboxError as error:
            return str(error)
        return None

    def is_in_trouble(self) -> bool:
        """Whether nothing is taken from devices, as far as is known without trying."""
        try:
            return self._damage is not None or self._trouble is not None or self._disk.is_short()
        except OSError:
            return True

    def disk_free_octets(self) -> int | None:
        """What is free on the disk; None where it does not say."""
        try:
            return self._disk.free_octets()
        except OSError:
            return None

    def _make_room(self) -> None:
        with as_outbox_error():
            with suppress(OutboxError):  # without room to give room back there is none
                for _ in range(_GIVE_BACK_TURNS):
                    if self._disk.is_tight():
                        self._give_back()
            if self._disk.is_short():
                free, floor = self._disk.free_octets() / MIB, self._disk.floor / MIB
                raise DiskRefused(f"the disk is full: {free:.1f} MiB are free, devices are read from {floor:g} MiB on")
            self._disk.hold_reserve()

    def _probe(self) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO probe VALUES (1, zeroblob(?))", (_PROBE_OCTETS,))
        with self._transaction() as db:
            db.execute("DELETE FROM probe")
        self._trouble = None

    def _give_back(self) -> None:
        """Free pages of the file become free room of the disk."""
        with self._guard():
            self._db.execute(f"PRAGMA incremental_vacuum({_GIVE_BACK_PAGES})").fetchall()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _at_any_cost(self, work: Callable[[], T]) -> T:
        """What lets readings out must not wait for room: where the disk refuses, the reserve is given up for it."""
        try:
            return work()
        except DiskRefused:
            given_up = self._disk.release_reserve()
            log.error("the disk is full or fails%s", ": the reserve was given up" if given_up else "")
            with suppress(OutboxError), self._guard():  # where it cannot, the work says so
                # Begun anew, the log is written over and needs no room.
                self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            return work()

    # ------------------------------------------------------------------------------------------------------------

    def _key(self) -> Seal:
        if self._seal is None:
            raise SealedAway(self.sealed_away)
        return self._seal

    def _known(self, sealed: bytes, where: bytes) -> bytes | None:
        """What devices tell again, if the disk damaged it: no reading."""
        try:
            return self._key().open(sealed, where)
        except SealBroken as error:
            log.error("%s: it is taken for unknown", error)
            return None

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Errors as OutboxError; what they say of the disk is remembered."""
        try:
            with as_outbox_error():
                yield
        except FileDamaged as error:
            self._damage = f"{error}; stop the gateway, keep the file, and have the disk replaced"
            raise
        except OutboxError as error:
            self._trouble = str(error)
            raise

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        with self._guard(), closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    cursor.execute("ROLLBACK")
