"""The outbox: readings on disk until the cloud has said what became of each. The heart of the gateway's promise.

- A row is there once ``put`` returns: SQLite in WAL mode with ``synchronous=FULL`` has called fsync.
- A row is freed by its receipt (``free``) and by nothing else: no age, no size, no reconnect, no restart.
- A device's cursor moves by ``move_cursor`` alone, which the visit calls after everything is on disk.
- Every method that writes is one transaction. A kill at any point leaves the state before it or the state after it.

Two lanes: live readings newest first, backfill oldest first. The publisher gives each lane a window of its own, so that
neither can starve the other. Rows of one session and lane are claimed together as one message and keep its id until
they are freed, so that a receipt for a whole message finds them after a restart too.
"""

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from device_drivers.drivers.conversation import Cursor
from gateway.bond_ladder import Ladder
from gateway.wire.v1 import (
    MAX_READINGS,
    MAX_READINGS_OCTETS,
    Fate,
    ReceiptsMessage,
    WirePrevious,
    WireReading,
    WireSession,
)

SCHEMA_VERSION = 4
# From the schema of this number to the next.
UPGRADES = {
    1: "ALTER TABLE visited ADD COLUMN identity TEXT;",
    2: "CREATE TABLE repair (name TEXT PRIMARY KEY, ladder BLOB NOT NULL) WITHOUT ROWID;",
    3: "CREATE TABLE drained (device_id TEXT, driver TEXT, visit BLOB NOT NULL, PRIMARY KEY (device_id, driver))"
    " WITHOUT ROWID;",
}
SCHEMA = """
CREATE TABLE session (
    session_id  TEXT PRIMARY KEY,
    wire        BLOB NOT NULL          -- WireSession, JSON
) WITHOUT ROWID;
CREATE TABLE reading (                 -- not yet receipted
    seq         INTEGER PRIMARY KEY,   -- order of arrival
    reading_id  TEXT NOT NULL UNIQUE,
    session_id  TEXT NOT NULL REFERENCES session,
    lane        TEXT NOT NULL CHECK (lane IN ('live', 'backfill')),
    put_at      TEXT NOT NULL,
    wire        BLOB NOT NULL,         -- WireReading, JSON
    message_id  TEXT                   -- published under; NULL: never published
);
CREATE INDEX waiting ON reading (lane, seq) WHERE message_id IS NULL;
CREATE INDEX waiting_in_session ON reading (session_id, lane, seq) WHERE message_id IS NULL;
CREATE INDEX in_flight ON reading (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX of_session ON reading (session_id);
CREATE TABLE receipted (               -- so that a meter's memory, read again, is not sent again
    reading_id  TEXT PRIMARY KEY,
    fate        TEXT NOT NULL,
    freed_at    TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE device_cursor (
    device_id   TEXT NOT NULL,
    driver      TEXT NOT NULL,
    cursor      BLOB NOT NULL,         -- JSON, opaque to all but the driver
    moved_at    TEXT NOT NULL,
    PRIMARY KEY (device_id, driver)
) WITHOUT ROWID;
CREATE TABLE drained (                 -- the last visit to a device that went to its end
    device_id   TEXT,
    driver      TEXT,
    visit       BLOB NOT NULL,         -- WirePrevious, JSON
    PRIMARY KEY (device_id, driver)
) WITHOUT ROWID;
CREATE TABLE visited (                 -- what stood behind a name of the roster when it was last visited
    name        TEXT PRIMARY KEY,
    device_id   TEXT,
    firmware    TEXT,
    at          TEXT,
    outcome     TEXT,
    reason      TEXT,
    received    INTEGER,
    new         INTEGER,
    holds       INTEGER,
    identity    TEXT                   -- what answered, in its own words; stays on this computer
) WITHOUT ROWID;
CREATE TABLE repair (                  -- how far the repairs of the way to a Bluetooth device have gone
    name        TEXT PRIMARY KEY,
    ladder      BLOB NOT NULL          -- bond_ladder.Ladder, JSON
) WITHOUT ROWID;
"""


class Lane(StrEnum):
    """LIVE may still matter to a nurse now; BACKFILL is the past."""

    LIVE = "live"
    BACKFILL = "backfill"


class OutboxError(Exception):
    """The outbox could not be read or written (disk full, damaged); nothing of the call was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Rows that are published as one message."""

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
    """The last visit to a device of the roster, for ``python -m gateway status``."""

    name: str
    at: datetime
    outcome: str
    reason: str
    received: int
    new: int
    holds: int | None
    identity: str | None = None


class Outbox:
    """One SQLite file. Not safe for threads: everything happens on the event loop's thread, in short transactions."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    @classmethod
    def open(cls, path: Path) -> "Outbox":
        """Open the file, making it and its folder if needed, readable by this user alone. OutboxError."""
        with _as_outbox_error():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            database = sqlite3.connect(path, isolation_level=None)
            database.execute("PRAGMA busy_timeout = 5000")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA foreign_keys = ON")
            outbox = cls(database)
            outbox._make_schema(path)
            return outbox

    @classmethod
    def read_only(cls, path: Path) -> "Outbox":
        """Open for looking at, beside a running gateway. OutboxError, also where there is no file yet."""
        with _as_outbox_error():
            database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
            (version,) = database.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA_VERSION:
            database.close()
            raise OutboxError(
                f"{path} has schema {version}; a gateway of this release brings it up to date as it starts"
            )
        return cls(database)

    def close(self) -> None:
        """Write the log back into the file and let go of it."""
        self._db.close()

    # Readings in ------------------------------------------------------------------------------------------------

    def put(self, session: WireSession, readings: Sequence[tuple[WireReading, Lane]], at: datetime) -> int:
        """Make readings of a session durable; how many of them are new.

        A reading that waits already, or whose receipt has come, is known and not stored again.
        """
        with self._transaction() as db:
            db.execute(
                "INSERT INTO session VALUES (?, ?) ON CONFLICT (session_id) DO UPDATE SET wire = excluded.wire",
                (session.session_id, _json(session)),
            )
            new = sum(self._insert(db, session.session_id, reading, lane, at) for reading, lane in readings)
            self._forget_empty_session(db, session.session_id)
        return new

    def _insert(self, db: sqlite3.Cursor, session_id: str, reading: WireReading, lane: Lane, at: datetime) -> int:
        known = db.execute("SELECT 1 FROM receipted WHERE reading_id = ?", (reading.reading_id,)).fetchone()
        if known:
            return 0
        return db.execute(
            "INSERT INTO reading (reading_id, session_id, lane, put_at, wire) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (reading_id) DO NOTHING",
            (reading.reading_id, session_id, lane.value, at.isoformat(), _json(reading)),
        ).rowcount

    # Cursors ----------------------------------------------------------------------------------------------------

    def cursor(self, device_id: str, driver: str) -> Cursor | None:
        """Where this driver left off with this device; None: from the beginning."""
        with _as_outbox_error():
            row = self._db.execute(
                "SELECT cursor FROM device_cursor WHERE device_id = ? AND driver = ?", (device_id, driver)
            ).fetchone()
        return msgspec.json.decode(row[0], type=dict[str, int | str]) if row else None

    def move_cursor(self, device_id: str, driver: str, cursor: Cursor, at: datetime) -> None:
        """Called only after everything before the cursor has been ``put``."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO device_cursor VALUES (?, ?, ?, ?) ON CONFLICT (device_id, driver)"
                " DO UPDATE SET cursor = excluded.cursor, moved_at = excluded.moved_at",
                (device_id, driver, msgspec.json.encode(dict(cursor)), at.isoformat()),
            )

    def drained(self, device_id: str, driver: str) -> WirePrevious | None:
        """The last visit that went to its end, for the mapping of what was measured since."""
        with _as_outbox_error():
            row = self._db.execute(
                "SELECT visit FROM drained WHERE device_id = ? AND driver = ?", (device_id, driver)
            ).fetchone()
        return msgspec.json.decode(row[0], type=WirePrevious) if row else None

    def remember_drained(self, device_id: str, driver: str, visit: WirePrevious) -> None:
        """Called only after everything that the visit found has been ``put``."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO drained VALUES (?, ?, ?)"
                " ON CONFLICT (device_id, driver) DO UPDATE SET visit = excluded.visit",
                (device_id, driver, _json(visit)),
            )

    # Messages out -----------------------------------------------------------------------------------------------

    def claim(self, lane: Lane, limit: int = MAX_READINGS) -> Outgoing | None:
        """Bind waiting rows of one session to a new message; None where the lane is empty.

        Live: the newest session's newest rows. Backfill: the oldest session's oldest rows. As many as fit.
        """
        order = "DESC" if lane is Lane.LIVE else "ASC"
        with self._transaction() as db:
            first = db.execute(
                "SELECT session_id FROM reading WHERE lane = ? AND message_id IS NULL"  # noqa: S608 (order is ours)
                f" ORDER BY seq {order} LIMIT 1",
                (lane.value,),
            ).fetchone()
            if first is None:
                return None
            message_id = uuid.uuid4().hex
            rows = db.execute(
                "SELECT seq, length(wire) FROM reading"  # noqa: S608 (as above)
                f" WHERE session_id = ? AND lane = ? AND message_id IS NULL ORDER BY seq {order} LIMIT ?",
                (first[0], lane.value, limit),
            ).fetchall()
            db.executemany("UPDATE reading SET message_id = ? WHERE seq = ?", [(message_id, seq) for seq in _fit(rows)])
        return self.message(message_id)

    def message(self, message_id: str) -> Outgoing | None:
        """What of a message still waits for its receipt, to publish it (again); None where nothing does."""
        with _as_outbox_error():
            rows = self._db.execute(
                "SELECT lane, session.wire, reading.wire FROM reading JOIN session USING (session_id)"
                " WHERE message_id = ? ORDER BY seq",
                (message_id,),
            ).fetchall()
        if not rows:
            return None
        return Outgoing(
            message_id=message_id,
            lane=Lane(rows[0][0]),
            session=msgspec.json.decode(rows[0][1], type=WireSession),
            readings=tuple(msgspec.json.decode(row[2], type=WireReading) for row in rows),
        )

    def in_flight(self) -> dict[str, Lane]:
        """The messages that were claimed and are not wholly receipted, in order of their rows."""
        with _as_outbox_error():
            rows = self._db.execute(
                "SELECT message_id, lane FROM reading WHERE message_id IS NOT NULL"
                " GROUP BY message_id ORDER BY min(seq)"
            ).fetchall()
        return {message_id: Lane(lane) for message_id, lane in rows}

    def free(self, receipts: Iterable[ReceiptsMessage], at: datetime) -> int:
        """Free the rows that these receipts name, and keep their fates; how many were freed."""
        with self._transaction() as db:
            return sum(self._free_message(db, message, at) for message in receipts)

    def _free_message(self, db: sqlite3.Cursor, message: ReceiptsMessage, at: datetime) -> int:
        fates = {receipt.reading_id: receipt.fate for receipt in message.receipts}
        if message.whole_message is not None:
            rows = db.execute("SELECT reading_id FROM reading WHERE message_id = ?", (message.message_id,)).fetchall()
            fates = {reading_id: message.whole_message for (reading_id,) in rows} | fates
        return sum(self._free_row(db, reading_id, fate, at) for reading_id, fate in fates.items())

    def _free_row(self, db: sqlite3.Cursor, reading_id: str, fate: Fate, at: datetime) -> int:
        row = db.execute("DELETE FROM reading WHERE reading_id = ? RETURNING session_id", (reading_id,)).fetchone()
        if row is None:
            return 0
        db.execute("INSERT OR IGNORE INTO receipted VALUES (?, ?, ?)", (reading_id, fate.value, at.isoformat()))
        self._forget_empty_session(db, row[0])
        return 1

    def _forget_empty_session(self, db: sqlite3.Cursor, session_id: str) -> None:
        db.execute(
            "DELETE FROM session WHERE session_id = ?1 AND NOT EXISTS (SELECT 1 FROM reading WHERE session_id = ?1)",
            (session_id,),
        )

    # To look at -------------------------------------------------------------------------------------------------

    def depth(self) -> Depth:
        """How much waits for a receipt."""
        with _as_outbox_error():
            (rows,) = self._db.execute("SELECT count(*) FROM reading").fetchone()
            oldest = self._db.execute("SELECT put_at FROM reading ORDER BY seq LIMIT 1").fetchone()
        return Depth(rows, datetime.fromisoformat(oldest[0]) if oldest else None)

    def fate(self, reading_id: str) -> Fate | None:
        """What the cloud said became of a reading; None while no receipt has come."""
        with _as_outbox_error():
            row = self._db.execute("SELECT fate FROM receipted WHERE reading_id = ?", (reading_id,)).fetchone()
        return Fate(row[0]) if row else None

    def freed(self) -> dict[str, int]:
        """How many readings had which fate, since the outbox was made."""
        with _as_outbox_error():
            return dict(self._db.execute("SELECT fate, count(*) FROM receipted GROUP BY fate").fetchall())

    # Who was visited --------------------------------------------------------------------------------------------

    def seen(self, name: str) -> Seen | None:
        """Which device stood behind this name of the roster last time."""
        with _as_outbox_error():
            row = self._db.execute("SELECT device_id, firmware FROM visited WHERE name = ?", (name,)).fetchone()
        return Seen(*row) if row and row[0] else None

    def remember(self, name: str, seen: Seen) -> None:
        """Note which device stands behind this name now."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO visited (name, device_id, firmware) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET device_id = excluded.device_id, firmware = excluded.firmware",
                (name, seen.device_id, seen.firmware),
            )

    def ladder(self, name: str) -> Ladder:
        """How far the repairs of a device have gone."""
        with _as_outbox_error():
            row = self._db.execute("SELECT ladder FROM repair WHERE name = ?", (name,)).fetchone()
        return msgspec.json.decode(row[0], type=Ladder) if row else Ladder()

    def keep_ladder(self, name: str, ladder: Ladder) -> None:
        """Note how far they have gone now."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO repair VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ladder = excluded.ladder",
                (name, msgspec.json.encode(ladder)),
            )

    def record_visit(self, visit: VisitRow) -> None:
        """Keep the last visit of each device."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO visited (name, at, outcome, reason, received, new, holds, identity)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET at = excluded.at, outcome = excluded.outcome,"
                " reason = excluded.reason, received = excluded.received, new = excluded.new, holds = excluded.holds,"
                " identity = coalesce(excluded.identity, identity)",
                (
                    visit.name,
                    visit.at.isoformat(),
                    visit.outcome,
                    visit.reason,
                    visit.received,
                    visit.new,
                    visit.holds,
                    visit.identity,
                ),
            )

    def visits(self) -> dict[str, VisitRow]:
        """The last visit of each device, by its name in the roster."""
        with _as_outbox_error():
            rows = self._db.execute(
                "SELECT name, at, outcome, reason, received, new, holds, identity FROM visited WHERE at IS NOT NULL"
            ).fetchall()
        return {
            name: VisitRow(
                name=name,
                at=datetime.fromisoformat(at),
                outcome=outcome,
                reason=reason,
                received=received,
                new=new,
                holds=holds,
                identity=identity,
            )
            for name, at, outcome, reason, received, new, holds, identity in rows
        }

    # ------------------------------------------------------------------------------------------------------------

    def _make_schema(self, path: Path) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        while version in UPGRADES:
            self._db.executescript(f"BEGIN IMMEDIATE; {UPGRADES[version]} PRAGMA user_version = {version + 1}; COMMIT;")
            version += 1
        if version not in (0, SCHEMA_VERSION):
            raise OutboxError(f"{path} was written by another release (schema {version}); run that release")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        with _as_outbox_error(), closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    cursor.execute("ROLLBACK")


def _fit(rows: Iterable[tuple[int, int]]) -> Iterator[int]:
    """The first rows (seq, octets) that are one message, never none."""
    total = 0
    for seq, octets in rows:
        if total and total + octets > MAX_READINGS_OCTETS:
            return
        total += octets
        yield seq


def _json(wire: WireSession | WireReading | WirePrevious) -> bytes:
    return _ENCODER.encode(wire)


# The wire's own encoder: decimals stay strings.
_ENCODER = msgspec.json.Encoder(decimal_format="string")


@contextmanager
def _as_outbox_error() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise OutboxError(f"the outbox: {error}") from error
