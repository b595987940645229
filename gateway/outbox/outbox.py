"""The outbox: readings on disk until the cloud has said what became of each. The heart of the gateway's promise.

- A row is there once ``put`` returns: SQLite in WAL mode with ``synchronous=FULL`` has called fsync.
- A row is freed by its receipt (``free``) and by nothing else: no age, no size, no reconnect, no restart.
- A device's cursor moves by ``complete`` alone, which the visit calls after everything is on disk.
- Every method that writes is one transaction. A kill at any point leaves the state before it or the state after it.
- Values, times and devices are sealed (``sealing``); what stands in the clear says ``outbox_schema``.

Two lanes: live readings newest first, backfill oldest first. The publisher gives each lane a window of its own, so that
neither can starve the other. Rows of one session and lane are claimed together as one message and keep its id until
they are freed, so that a receipt for a whole message finds them after a restart too.

Readings in and the outbox as a whole are here, messages out in ``messages``, what is known of devices in ``visited``,
of commands in ``commanded``, what the home is shown in ``shown``, the file and its disk in ``sealed_file``.
"""

import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import msgspec

from device_drivers.drivers.conversation import Cursor
from gateway.disk import Disk
from gateway.outbox.commanded import Commanded
from gateway.outbox.errors import DiskRefused, as_outbox_error
from gateway.outbox.messages import Messages
from gateway.outbox.rows import Depth, Lane, Measured, as_json
from gateway.outbox.shown import Shown
from gateway.outbox.visited import Visited
from gateway.outbox_schema import (
    SCHEMA_VERSION,
    AnotherRelease,
    bring_up_to_date,
    check_key,
    known_key,
    place,
    version_of,
    with_time,
)
from gateway.sealing import KeyRefused, SealBroken
from gateway.wire.v1 import Fate, WirePrevious, WireReading, WireSession, device_identity

NOTHING_SHOWN: Mapping[str, Measured] = MappingProxyType({})


class Outbox(Messages, Visited, Commanded, Shown):
    """One SQLite file. Not safe for threads: everything happens on the event loop's thread, in short transactions."""

    @classmethod
    def open(cls, path: Path, key_file: Path | None = None, disk: Disk | None = None) -> "Outbox":
        """Open the file, making it, its key and its folder if needed, readable by this user alone. OutboxError.

        The key is beside it unless said otherwise.
        """
        disk = disk or Disk(path.parent)
        key_file = key_file or path.with_suffix(".key")
        try:
            outbox = cls._opened(path, key_file, disk)
        except DiskRefused:
            if not disk.release_reserve():
                raise
            outbox = cls._opened(path, key_file, disk)
        disk.hold_reserve()
        return outbox

    @classmethod
    def _opened(cls, path: Path, key_file: Path, disk: Disk) -> "Outbox":
        with as_outbox_error():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            database = sqlite3.connect(path, isolation_level=None)
            try:
                database.execute("PRAGMA busy_timeout = 5000")
                # Before the first page is written: it says how the file is laid out.
                database.execute("PRAGMA auto_vacuum = INCREMENTAL")
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = FULL")
                database.execute("PRAGMA foreign_keys = ON")
                return cls(database, bring_up_to_date(database, path, key_file), disk)
            except BaseException:
                database.close()
                raise

    @classmethod
    def read_only(cls, path: Path, key_file: Path | None = None) -> "Outbox":
        """Open for looking at, beside a running gateway. OutboxError, also where there is no file yet.

        Without the right to read the key, what is in the clear can be asked all the same.
        """
        key_file = key_file or path.with_suffix(".key")
        with as_outbox_error():
            database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
            try:
                if (version := version_of(database)) != SCHEMA_VERSION:
                    raise AnotherRelease(
                        f"{path} has schema {version}; a gateway of this release brings it up to date as it starts"
                    )
                return cls._read_only(database, path, key_file)
            except BaseException:
                database.close()
                raise

    @classmethod
    def _read_only(cls, database: sqlite3.Connection, path: Path, key_file: Path) -> "Outbox":
        disk = Disk(path.parent)
        try:
            seal = known_key(path, key_file)
            check_key(database, seal, key_file)
        except PermissionError:
            return cls(database, None, disk, f"the key {key_file} may not be read; run this as the gateway's user")
        except KeyRefused as error:
            return cls(database, None, disk, str(error))
        return cls(database, seal, disk)

    # Readings in ------------------------------------------------------------------------------------------------

    def put(
        self,
        session: WireSession,
        readings: Sequence[tuple[WireReading, Lane]],
        at: datetime,
        *,
        irrevocable: bool = False,
        shown: Mapping[str, Measured] = NOTHING_SHOWN,
    ) -> int:
        """Make readings of a session durable; how many of them are new.

        A reading that waits already, or whose receipt has come, is known and not stored again. ``irrevocable``: their
        device may have deleted them already, so a disk that filled meanwhile gives up its reserve for them.
        ``shown``: what the home is told of them, by reading_id.
        """
        if irrevocable:
            return self._at_any_cost(lambda: self._put(session, readings, at, shown))
        return self._put(session, readings, at, shown)

    def _put(
        self,
        session: WireSession,
        readings: Sequence[tuple[WireReading, Lane]],
        at: datetime,
        shown: Mapping[str, Measured],
    ) -> int:
        seal, session_id = self._key(), session.session_id
        device, put_at = self._device(session), at.isoformat()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO session VALUES (?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET sealed = excluded.sealed",
                (session_id, device, seal.seal(as_json(session), place("session", session_id))),
            )
            new = sum(self._insert(db, session_id, reading, lane, put_at) for reading, lane in readings)
            for reading_id, measured in shown.items():
                self._note_measured(db, device, seal.keyed(reading_id), measured)
            self._forget_empty_session(db, session_id)
        self._trouble = None
        return new

    def _insert(self, db: sqlite3.Cursor, session_id: str, reading: WireReading, lane: Lane, put_at: str) -> int:
        seal = self._key()
        key = seal.keyed(reading.reading_id)
        if db.execute("SELECT 1 FROM receipted WHERE reading_key = ?", (key,)).fetchone():
            return 0
        sealed = seal.seal(with_time(put_at, as_json(reading)), place("reading", key))
        # What was damaged on our disk is good again where the device gives it again.
        return db.execute(
            "INSERT INTO reading (reading_key, session_id, lane, sealed) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (reading_key) DO UPDATE SET session_id = excluded.session_id, lane = excluded.lane,"
            " sealed = excluded.sealed WHERE lane = 'damaged'",
            (key, session_id, lane.value, sealed),
        ).rowcount

    def put_ended(self, session: WireSession) -> None:
        """Make a session that has ended durable, to be told once all that its device gave before is receipted."""
        with self._transaction() as db:
            self._insert_ended(db, session)

    def _insert_ended(self, db: sqlite3.Cursor, session: WireSession) -> None:
        sealed = self._key().seal(as_json(session), place("ended", session.session_id))
        db.execute(
            "INSERT OR REPLACE INTO ended (session_id, device, after_seq, message_id, sealed)"
            " SELECT ?, ?, coalesce(max(seq), 0), ?, ? FROM reading",
            (session.session_id, self._device(session), uuid.uuid4().hex, sealed),
        )

    def complete(
        self,
        device_id: str,
        driver: str,
        cursor: Cursor,
        *,
        drained: WirePrevious | None = None,
        ended: WireSession | None = None,
    ) -> None:
        """The end of a visit, only after everything that it found has been ``put``, in one transaction.

        The driver's cursor moves; ``drained`` is for the mapping of what is measured until the next visit that goes to
        its end, ``ended`` for ``claim_ended``.
        """
        with self._transaction() as db:
            octets = msgspec.json.encode(dict(cursor))
            self._keep_of_device(db, "device_cursor", "cursor", device_id, driver, octets)
            if drained is not None:
                self._keep_of_device(db, "drained", "drained", device_id, driver, as_json(drained))
            if ended is not None:
                self._insert_ended(db, ended)

    # To look at -------------------------------------------------------------------------------------------------

    def depth(self) -> Depth:
        """How much waits for a receipt, without what is damaged. Without the right to read the key: not since when."""
        with self._guard():
            # Each from an index: a gateway that was cut off for long has a large table, and says this often.
            (known,) = self._db.execute("SELECT count(*) FROM reading").fetchone()
            rows = known - self.damaged()
            if self._seal is None:
                return Depth(rows, None)
            waiting = "SELECT reading_key, sealed FROM reading WHERE lane != 'damaged' ORDER BY seq"
            for key, sealed in self._db.execute(waiting):
                with suppress(SealBroken):
                    put_at, _, _ = self._seal.open(sealed, place("reading", key)).partition(b"\n")
                    return Depth(rows, datetime.fromisoformat(put_at.decode()))
        return Depth(rows, None)

    def waiting(self, at_most: int) -> int:
        """How many readings have no receipt, counted up to a number; without what is damaged."""
        with self._guard():
            (rows,) = self._db.execute(
                "SELECT count(*) FROM (SELECT 1 FROM reading WHERE lane != 'damaged' LIMIT ?)", (at_most,)
            ).fetchone()
        return int(rows)

    def damaged(self) -> int:
        """How many of the waiting readings can no longer be read off the disk."""
        with self._guard():
            (rows,) = self._db.execute("SELECT count(*) FROM reading WHERE lane = 'damaged'").fetchone()
        return int(rows)

    def fate(self, reading_id: str) -> Fate | None:
        """What the cloud said became of a reading; None while no receipt has come."""
        key = self._key().keyed(reading_id)
        with self._guard():
            row = self._db.execute("SELECT fate FROM receipted WHERE reading_key = ?", (key,)).fetchone()
        return Fate(row[0]) if row else None

    def waits(self, reading_id: str) -> bool:
        """Whether a reading is here and has no receipt yet."""
        key = self._key().keyed(reading_id)
        with self._guard():
            return self._db.execute("SELECT 1 FROM reading WHERE reading_key = ?", (key,)).fetchone() is not None

    def freed(self) -> dict[str, int]:
        """How many readings had which fate, since the outbox was made."""
        with self._guard():
            return dict(self._db.execute("SELECT fate, count(*) FROM receipted GROUP BY fate").fetchall())

    def _device(self, session: WireSession) -> bytes:
        return self._key().keyed(device_identity(session.device).device_id)
