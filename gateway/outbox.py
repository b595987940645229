"""The outbox: readings on disk until the cloud has said what became of each. The heart of the gateway's promise.

- A row is there once ``put`` returns: SQLite in WAL mode with ``synchronous=FULL`` has called fsync.
- A row is freed by its receipt (``free``) and by nothing else: no age, no size, no reconnect, no restart.
- A device's cursor moves by ``complete`` alone, which the visit calls after everything is on disk.
- Every method that writes is one transaction. A kill at any point leaves the state before it or the state after it.
- Values, times and devices are sealed (``sealing``); what stands in the clear says ``outbox_schema``.

Two lanes: live readings newest first, backfill oldest first. The publisher gives each lane a window of its own, so that
neither can starve the other. Rows of one session and lane are claimed together as one message and keep its id until
they are freed, so that a receipt for a whole message finds them after a restart too.

A full disk takes nothing more in (``shortage``), and lets out what it holds: where a claim or a receipt cannot be
written down, the reserve of ``disk`` is given up for it.
"""

import errno
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from device_drivers.drivers.conversation import Cursor
from gateway.bond_ladder import Ladder
from gateway.disk import MIB, Disk
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
from gateway.sealing import KeyRefused, Seal, SealBroken
from gateway.wire.v1 import (
    MAX_READINGS,
    MAX_READINGS_OCTETS,
    Fate,
    ReceiptsMessage,
    WirePrevious,
    WireReading,
    WireSession,
    device_identity,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

# SQLite's primary result codes.
_IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 10, 11, 13, 14, 26
# Free pages that are given back to a short disk at a time (1 MiB), and how often before a visit.
_GIVE_BACK_PAGES, _GIVE_BACK_TURNS = 256, 4
# As much as a visit's larger transactions write.
_PROBE_OCTETS = 64 * 1024


class Lane(StrEnum):
    """LIVE may still matter to a nurse now; BACKFILL is the past."""

    LIVE = "live"
    BACKFILL = "backfill"


class OutboxError(Exception):
    """The outbox could not be read or written (disk full, damaged, its key away); nothing of the call was done."""


class DiskRefused(OutboxError):
    """The disk would not take it: it is full, or fails."""


class FileDamaged(OutboxError):
    """The file is not what SQLite wrote."""


class SealedAway(OutboxError):
    """What was asked is sealed, and we may not read the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Rows that are published as one message; without readings: a session that has ended."""

    message_id: str
    lane: Lane
    session: WireSession
    readings: tuple[WireReading, ...]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many readings have no receipt yet, and since when the oldest of them waits."""

    rows: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a device said about itself when it was last visited under a name of the roster."""

    device_id: str
    firmware: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """The last visit to a device of the roster, and what is still known of it from those before.

    ``complete_at`` is when a visit last went to its end, ``battery_low`` is of that visit. ``holds`` and ``identity``
    are the last that were told.
    """

    name: str
    at: datetime
    outcome: str
    reason: str
    received: int
    new: int
    holds: int | None
    identity: str | None = None
    complete_at: datetime | None = None
    battery_low: bool | None = None


class Outbox:
    """One SQLite file. Not safe for threads: everything happens on the event loop's thread, in short transactions."""

    def __init__(self, database: sqlite3.Connection, seal: Seal | None, disk: Disk, sealed_away: str = "") -> None:
        self._db = database
        self._seal = seal
        self._disk = disk
        self.sealed_away = sealed_away
        """Why sealed data cannot be read; empty where it can."""
        self._trouble: str | None = None
        self._damage: str | None = None

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
        with _as_outbox_error():
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
        with _as_outbox_error():
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

    def close(self) -> None:
        """Write the log back into the file and let go of it."""
        self._db.close()

    # Readings in ------------------------------------------------------------------------------------------------

    def put(
        self,
        session: WireSession,
        readings: Sequence[tuple[WireReading, Lane]],
        at: datetime,
        *,
        irrevocable: bool = False,
    ) -> int:
        """Make readings of a session durable; how many of them are new.

        A reading that waits already, or whose receipt has come, is known and not stored again. ``irrevocable``: their
        device may have deleted them already, so a disk that filled meanwhile gives up its reserve for them.
        """
        if irrevocable:
            return self._at_any_cost(lambda: self._put(session, readings, at))
        return self._put(session, readings, at)

    def _put(self, session: WireSession, readings: Sequence[tuple[WireReading, Lane]], at: datetime) -> int:
        seal, session_id = self._key(), session.session_id
        device, put_at = self._device(session), at.isoformat()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO session VALUES (?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET sealed = excluded.sealed",
                (session_id, device, seal.seal(_json(session), place("session", session_id))),
            )
            new = sum(self._insert(db, session_id, reading, lane, put_at) for reading, lane in readings)
            self._forget_empty_session(db, session_id)
        self._trouble = None
        return new

    def _insert(self, db: sqlite3.Cursor, session_id: str, reading: WireReading, lane: Lane, put_at: str) -> int:
        seal = self._key()
        key = seal.keyed(reading.reading_id)
        if db.execute("SELECT 1 FROM receipted WHERE reading_key = ?", (key,)).fetchone():
            return 0
        sealed = seal.seal(with_time(put_at, _json(reading)), place("reading", key))
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
        sealed = self._key().seal(_json(session), place("ended", session.session_id))
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
                self._keep_of_device(db, "drained", "drained", device_id, driver, _json(drained))
            if ended is not None:
                self._insert_ended(db, ended)

    # Cursors ----------------------------------------------------------------------------------------------------

    def cursor(self, device_id: str, driver: str) -> Cursor | None:
        """Where this driver left off with this device; None: from the beginning."""
        octets = self._of_device("device_cursor", "cursor", device_id, driver)
        return msgspec.json.decode(octets, type=dict[str, int | str]) if octets else None

    def drained(self, device_id: str, driver: str) -> WirePrevious | None:
        """The last visit that went to its end, for the mapping of what was measured since."""
        octets = self._of_device("drained", "drained", device_id, driver)
        return msgspec.json.decode(octets, type=WirePrevious) if octets else None

    def _of_device(self, table: str, where: str, device_id: str, driver: str) -> bytes | None:
        device = self._key().keyed(device_id)
        with self._guard():
            row = self._db.execute(
                f"SELECT sealed FROM {table} WHERE device = ? AND driver = ?",  # noqa: S608 (ours)
                (device, driver),
            ).fetchone()
        return self._known(row[0], place(where, device, driver)) if row else None

    def _keep_of_device(
        self, db: sqlite3.Cursor, table: str, where: str, device_id: str, driver: str, octets: bytes
    ) -> None:
        device = self._key().keyed(device_id)
        db.execute(
            f"INSERT INTO {table} VALUES (?, ?, ?)"  # noqa: S608 (ours)
            " ON CONFLICT (device, driver) DO UPDATE SET sealed = excluded.sealed",
            (device, driver, self._key().seal(octets, place(where, device, driver))),
        )

    # Messages out -----------------------------------------------------------------------------------------------

    def claim(self, lane: Lane, limit: int = MAX_READINGS) -> Outgoing | None:
        """Bind waiting rows of one session to a new message; None where the lane is empty.

        Live: the newest session's newest rows. Backfill: the oldest session's oldest rows. As many as fit.
        """
        return self._at_any_cost(lambda: self._claim(lane, limit))

    def _claim(self, lane: Lane, limit: int) -> Outgoing | None:
        order = "DESC" if lane is Lane.LIVE else "ASC"
        first = (
            "SELECT session_id, session.sealed FROM reading JOIN session USING (session_id)"  # noqa: S608 (ours)
            f" WHERE lane = ? AND message_id IS NULL ORDER BY seq {order} LIMIT 1"
        )
        rows = (
            "SELECT seq, reading_key, sealed FROM reading"  # noqa: S608 (order is ours)
            f" WHERE session_id = ? AND lane = ? AND message_id IS NULL ORDER BY seq {order} LIMIT ?"
        )
        with self._transaction() as db:
            while found := db.execute(first, (lane.value,)).fetchone():
                session_id, sealed = found
                claimed = list(_fit(db.execute(rows, (session_id, lane.value, limit))))
                outgoing = self._outgoing(db, uuid.uuid4().hex, lane, (session_id, sealed), claimed)
                if outgoing is not None:
                    bound = [(outgoing.message_id, seq) for seq, _, _ in claimed]
                    db.executemany("UPDATE reading SET message_id = ? WHERE seq = ? AND lane != 'damaged'", bound)
                    return outgoing
        return None

    def _outgoing(
        self, db: sqlite3.Cursor, message_id: str, lane: Lane, session: tuple[str, bytes], rows: "Sequence[_Row]"
    ) -> Outgoing | None:
        """A message of rows (seq, key, sealed); None where none can be opened. What cannot is put aside and kept."""
        try:
            said = self._opened_session(*session)
        except SealBroken:
            said, good = None, []
        else:
            good = [(seq, reading) for seq, key, sealed in rows if (reading := self._opened_reading(key, sealed))]
        if len(good) < len(rows):
            self._put_aside(db, {seq for seq, _, _ in rows} - {seq for seq, _ in good})
        if said is None or not good:
            return None
        in_order = tuple(reading for _, reading in sorted(good, key=lambda pair: pair[0]))
        return Outgoing(message_id=message_id, lane=lane, session=said, readings=in_order)

    def _opened_session(self, session_id: str, sealed: bytes, where: str = "session") -> WireSession:
        return _SESSION.decode(self._key().open(sealed, place(where, session_id)))

    def _opened_reading(self, key: bytes, sealed: bytes) -> WireReading | None:
        try:
            _, _, wire = self._key().open(sealed, place("reading", key)).partition(b"\n")
        except SealBroken:
            return None
        return _READING.decode(wire)

    def _put_aside(self, db: sqlite3.Cursor, rows: set[int]) -> None:
        log.error(
            "the disk has damaged %d readings: they are kept, and replaced if their device gives them again", len(rows)
        )
        db.executemany("UPDATE reading SET lane = 'damaged', message_id = NULL WHERE seq = ?", [(seq,) for seq in rows])

    def claim_ended(self) -> Outgoing | None:
        """A session that has ended and can be told: of all that its device gave before it, nothing waits any more."""
        return self._at_any_cost(self._claim_ended)

    def _claim_ended(self) -> Outgoing | None:
        with self._transaction() as db:
            row = db.execute(
                "SELECT message_id FROM ended WHERE claimed = 0 AND NOT EXISTS ("
                " SELECT 1 FROM session JOIN reading USING (session_id)"
                " WHERE session.device = ended.device AND seq <= after_seq AND lane != 'damaged'"
                ") ORDER BY ended.seq LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            db.execute("UPDATE ended SET claimed = 1 WHERE message_id = ?", row)
        return self.message(row[0])

    def message(self, message_id: str) -> Outgoing | None:
        """What of a message still waits for its receipt, to publish it (again); None where nothing does."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT lane, session_id, session.sealed, seq, reading_key, reading.sealed"
                " FROM reading JOIN session USING (session_id) WHERE message_id = ?",
                (message_id,),
            ).fetchall()
            if not rows:
                return self._ended_message(db, message_id)
            lane, session_id, session = rows[0][:3]
            return self._outgoing(db, message_id, Lane(lane), (session_id, session), [row[3:] for row in rows])

    def _ended_message(self, db: sqlite3.Cursor, message_id: str) -> Outgoing | None:
        row = db.execute("SELECT session_id, sealed FROM ended WHERE message_id = ?", (message_id,)).fetchone()
        if row is None:
            return None
        try:
            session = self._opened_session(row[0], row[1], where="ended")
        except SealBroken:
            log.error("the disk has damaged the end of a session; the device's next visit tells as much")
            db.execute("DELETE FROM ended WHERE message_id = ?", (message_id,))
            return None
        return Outgoing(message_id=message_id, lane=Lane.BACKFILL, session=session, readings=())

    def in_flight(self) -> dict[str, Lane]:
        """The messages that were claimed and are not wholly receipted, in order of their rows; ended sessions last."""
        with self._guard():
            rows = self._db.execute(
                "SELECT message_id, lane FROM reading WHERE message_id IS NOT NULL"
                " GROUP BY message_id ORDER BY min(seq)"
            ).fetchall()
            ended = self._db.execute("SELECT message_id FROM ended WHERE claimed ORDER BY seq").fetchall()
        readings = {message_id: Lane(lane) for message_id, lane in rows}
        return readings | {message_id: Lane.BACKFILL for (message_id,) in ended}

    def free(self, receipts: Iterable[ReceiptsMessage]) -> int:
        """Free the rows that these receipts name, and keep their fates; how many readings were freed."""
        messages = list(receipts)
        freed = self._at_any_cost(lambda: self._free(messages))
        with suppress(OutboxError, OSError):  # what was freed is freed; the room is given back another time
            if self._disk.is_tight():
                self._give_back()
        return freed

    def _free(self, messages: Sequence[ReceiptsMessage]) -> int:
        with self._transaction() as db:
            return sum(self._free_message(db, message) for message in messages)

    def _free_message(self, db: sqlite3.Cursor, message: ReceiptsMessage) -> int:
        db.execute("DELETE FROM ended WHERE message_id = ?", (message.message_id,))
        seal = self._key()
        fates = {seal.keyed(receipt.reading_id): receipt.fate for receipt in message.receipts}
        if message.whole_message is not None:
            rows = db.execute("SELECT reading_key FROM reading WHERE message_id = ?", (message.message_id,)).fetchall()
            fates = {key: message.whole_message for (key,) in rows} | fates
        freed = {key: fate for key, fate in fates.items() if self._free_row(db, key, fate)}
        return len(freed)

    def _free_row(self, db: sqlite3.Cursor, key: bytes, fate: Fate) -> bool:
        row = db.execute("DELETE FROM reading WHERE reading_key = ? RETURNING session_id", (key,)).fetchone()
        if row is None:
            return False
        db.execute("INSERT OR IGNORE INTO receipted VALUES (?, ?)", (key, fate.value))
        self._forget_empty_session(db, row[0])
        return True

    def _forget_empty_session(self, db: sqlite3.Cursor, session_id: str) -> None:
        db.execute(
            "DELETE FROM session WHERE session_id = ?1 AND NOT EXISTS (SELECT 1 FROM reading WHERE session_id = ?1)",
            (session_id,),
        )

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

    def disk_free_octets(self) -> int | None:
        """What is free on the disk; None where it does not say."""
        try:
            return self._disk.free_octets()
        except OSError:
            return None

    def _make_room(self) -> None:
        with _as_outbox_error():
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

    # Who was visited --------------------------------------------------------------------------------------------

    def seen(self, name: str) -> Seen | None:
        """Which device stood behind this name of the roster last time."""
        octets = self._of_name("seen", name)
        return msgspec.json.decode(octets, type=Seen) if octets else None

    def remember(self, name: str, seen: Seen) -> None:
        """Note which device stands behind this name now."""
        self._keep_of_name("seen", name, msgspec.json.encode(seen))

    def visit(self, name: str) -> VisitRow | None:
        """The last visit to a device; None where there was none."""
        octets = self._of_name("visit", name)
        return msgspec.json.decode(octets, type=VisitRow) if octets else None

    def visits(self) -> dict[str, VisitRow]:
        """The last visit of each device, by its name in the roster."""
        with self._guard():
            names = [name for (name,) in self._db.execute("SELECT name FROM visited")]
        return {name: visit for name in names if (visit := self.visit(name)) is not None}

    def record_visit(self, visit: VisitRow) -> None:
        """Keep the last visit of each device, with what those before it told and it did not."""
        before = self.visit(visit.name)
        if before is not None:
            visit = replace(
                visit,
                holds=before.holds if visit.holds is None else visit.holds,
                identity=visit.identity or before.identity,
                complete_at=visit.complete_at or before.complete_at,
                battery_low=visit.battery_low if visit.complete_at else before.battery_low,
            )
        self._keep_of_name("visit", visit.name, msgspec.json.encode(visit))

    def _of_name(self, column: str, name: str) -> bytes | None:
        self._key()  # without it the answer is not "nothing"
        with self._guard():
            row = self._db.execute(f"SELECT {column} FROM visited WHERE name = ?", (name,)).fetchone()  # noqa: S608 (ours)
        return self._known(row[0], place(column, name)) if row and row[0] else None

    def _keep_of_name(self, column: str, name: str, octets: bytes) -> None:
        sealed = self._key().seal(octets, place(column, name))
        with self._transaction() as db:
            db.execute(
                f"INSERT INTO visited (name, {column}) VALUES (?, ?)"  # noqa: S608 (ours)
                f" ON CONFLICT (name) DO UPDATE SET {column} = excluded.{column}",
                (name, sealed),
            )

    def ladder(self, name: str) -> Ladder:
        """How far the repairs of a device have gone."""
        with self._guard():
            row = self._db.execute("SELECT ladder FROM repair WHERE name = ?", (name,)).fetchone()
        return msgspec.json.decode(row[0], type=Ladder) if row else Ladder()

    def keep_ladder(self, name: str, ladder: Ladder) -> None:
        """Note how far they have gone now."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO repair VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ladder = excluded.ladder",
                (name, msgspec.json.encode(ladder)),
            )

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

    def _device(self, session: WireSession) -> bytes:
        return self._key().keyed(device_identity(session.device).device_id)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Errors as OutboxError; what they say of the disk is remembered."""
        try:
            with _as_outbox_error():
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


# A waiting reading: seq, key, sealed.
_Row = tuple[int, bytes, bytes]


def _fit(rows: Iterable[_Row]) -> Iterator[_Row]:
    """The first rows that are one message, never none."""
    total = 0
    for row in rows:
        if total and total + len(row[2]) > MAX_READINGS_OCTETS:
            return
        total += len(row[2])
        yield row


def _json(wire: WireSession | WireReading | WirePrevious) -> bytes:
    return _ENCODER.encode(wire)


# The wire's own encoder: decimals stay strings.
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_READING = msgspec.json.Decoder(WireReading)
_SESSION = msgspec.json.Decoder(WireSession)


@contextmanager
def _as_outbox_error() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _kind(error)(f"the outbox: {error}") from error
    except (SealBroken, KeyRefused, AnotherRelease) as error:
        raise OutboxError(f"the outbox: {error}") from error


def _kind(error: sqlite3.Error | OSError) -> type[OutboxError]:
    if isinstance(error, OSError):
        return DiskRefused if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS) else OutboxError
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (_CORRUPT, _NOTADB):
        return FileDamaged
    return DiskRefused if code in (_FULL, _IOERR, _CANTOPEN) else OutboxError
