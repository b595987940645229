"""The tables of the outbox, what is sealed in them, and the way from every earlier release's file to this one's.

Sealed is whatever tells a value, a time, or which device it came from. In the clear stand random ids, the lane and the
order of rows, the fates of readings, the names of the roster (which say nothing about a patient) and the counters of
repairs. Devices and readings are looked up by keyed hashes: the id of a reading is made from its content alone, and
content so small can be guessed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from gateway.sealing import KeyRefused, Seal, SealBroken, make_key, read_key
from gateway.wire.v1 import WireSession, device_identity

SEALED_SINCE = 5
SWEPT_SINCE = 6
SCHEMA_VERSION = 7
SCHEMA = """
CREATE TABLE key_check (               -- whether a key is the one that everything here was sealed under
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    sealed      BLOB NOT NULL
);
CREATE TABLE session (
    session_id  TEXT PRIMARY KEY,
    device      BLOB NOT NULL,         -- keyed hash of the device's id
    sealed      BLOB NOT NULL          -- WireSession, JSON
) WITHOUT ROWID;
CREATE INDEX session_of_device ON session (device);
CREATE TABLE reading (                 -- not yet receipted
    seq         INTEGER PRIMARY KEY,   -- order of arrival
    reading_key BLOB NOT NULL UNIQUE,  -- keyed hash of the reading's id
    session_id  TEXT NOT NULL REFERENCES session,
    lane        TEXT NOT NULL CHECK (lane IN ('live', 'backfill', 'damaged')),
    sealed      BLOB NOT NULL,         -- when it was put, a line feed, WireReading as JSON
    message_id  TEXT                   -- published under; NULL: never published
);
CREATE INDEX waiting ON reading (lane, seq) WHERE message_id IS NULL;
CREATE INDEX waiting_in_session ON reading (session_id, lane, seq) WHERE message_id IS NULL;
CREATE INDEX in_flight ON reading (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX of_session ON reading (session_id);
CREATE INDEX damaged ON reading (seq) WHERE lane = 'damaged';
CREATE TABLE receipted (               -- so that a meter's memory, read again, is not sent again
    reading_key BLOB PRIMARY KEY,
    fate        TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE ended (                   -- sessions that ended and are told once more; not yet receipted
    seq         INTEGER PRIMARY KEY,
    session_id  TEXT NOT NULL UNIQUE,
    device      BLOB NOT NULL,         -- as in session
    after_seq   INTEGER NOT NULL,      -- of what this device gave before; told when all of that has its receipts
    message_id  TEXT NOT NULL UNIQUE,
    claimed     INTEGER NOT NULL DEFAULT 0,
    sealed      BLOB NOT NULL          -- WireSession, JSON
);
CREATE TABLE device_cursor (
    device      BLOB NOT NULL,
    driver      TEXT NOT NULL,
    sealed      BLOB NOT NULL,         -- JSON, opaque to all but the driver
    PRIMARY KEY (device, driver)
) WITHOUT ROWID;
CREATE TABLE drained (                 -- the last visit to a device that went to its end
    device      BLOB NOT NULL,
    driver      TEXT NOT NULL,
    sealed      BLOB NOT NULL,         -- WirePrevious, JSON
    PRIMARY KEY (device, driver)
) WITHOUT ROWID;
CREATE TABLE visited (
    name        TEXT PRIMARY KEY,
    seen        BLOB,                  -- sealed outbox.Seen, JSON: what stood behind this name when it last answered
    visit       BLOB                   -- sealed outbox.VisitRow, JSON: how the last visit went
) WITHOUT ROWID;
CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), filler BLOB NOT NULL);
"""
# As it was in schema 3: counters tell nothing of a patient.
_REPAIR = """
CREATE TABLE repair (                  -- how far the repairs of the way to a Bluetooth device have gone
    name        TEXT PRIMARY KEY,
    ladder      BLOB NOT NULL          -- bond_ladder.Ladder, JSON
) WITHOUT ROWID;
"""
# New in schema 7.
_SINCE_7 = """
CREATE TABLE command (                 -- what the cloud asked for; so that nothing is done twice
    seq         INTEGER PRIMARY KEY,   -- order of arrival
    command_id  TEXT NOT NULL UNIQUE,
    sealed      BLOB NOT NULL          -- WireCommandState, JSON
);
CREATE TABLE paired (                  -- devices that were added from afar, beside those of the configuration
    name        TEXT PRIMARY KEY,
    sealed      BLOB NOT NULL          -- config.DeviceEntry, JSON
) WITHOUT ROWID;
CREATE TABLE measured (                -- of the last days, where the home is shown it; stays when its reading is freed
    seq         INTEGER PRIMARY KEY,
    reading_key BLOB NOT NULL UNIQUE,  -- as in reading
    device      BLOB NOT NULL,         -- as in session
    sealed      BLOB NOT NULL,         -- outbox.Measured, JSON
    received    BLOB                   -- sealed: when the cloud said that it has it
);
CREATE INDEX measured_with ON measured (device);
CREATE TABLE home_plan (               -- what is due in this home, as the cloud said last
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    sealed      BLOB NOT NULL          -- home.plan.Plan, JSON
);
"""
# From the schema of this number to the next; the one that seals is a function.
_UPGRADES = {
    1: "ALTER TABLE visited ADD COLUMN identity TEXT;",
    2: "CREATE TABLE repair (name TEXT PRIMARY KEY, ladder BLOB NOT NULL) WITHOUT ROWID;",
    3: "CREATE TABLE drained (device_id TEXT, driver TEXT, visit BLOB NOT NULL, PRIMARY KEY (device_id, driver))"
    " WITHOUT ROWID;",
}
_CHECK = b"pulsepost outbox"
# What a table of schema 4 is called while its rows are sealed.
_OLD = "unsealed_"
_UNSEALED = ("session", "reading", "receipted", "device_cursor", "drained", "visited")


class AnotherRelease(Exception):
    """A file of a release that we do not know; nothing was changed."""


def place(table: str, key: str | bytes, rest: str = "") -> bytes:
    """What a seal is bound to: the table and the row's key. Keys of two parts have a first part of fixed length."""
    return table.encode() + b"/" + (key if isinstance(key, bytes) else key.encode()) + rest.encode()


def version_of(database: sqlite3.Connection) -> int:
    """The number of the file's schema; 0: it is new."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def bring_up_to_date(database: sqlite3.Connection, path: Path, key_file: Path) -> Seal:
    """Make the tables, or take an earlier release's over; the seal under which everything then is.

    Each step is one transaction. AnotherRelease, KeyRefused, OSError, sqlite3.Error: whatever was there is there still.
    """
    version = version_of(database)
    if version > SCHEMA_VERSION:
        raise AnotherRelease(f"{path} was written by another release (schema {version}); run that release")
    seal = known_key(path, key_file) if version >= SEALED_SINCE else _first_key(key_file)
    if version == 0:
        # Free pages are given back to the disk where it is short; nothing else would shrink the file.
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        with _one_transaction(database, SCHEMA + _REPAIR + _SINCE_7):
            _keep_check(database, seal)
            _set_version(database, SCHEMA_VERSION)
        return seal
    for number in range(version, SEALED_SINCE - 1):
        with _one_transaction(database, _UPGRADES[number]):
            _set_version(database, number + 1)
    if version < SEALED_SINCE:
        _seal_all(database, seal)
    if version < SWEPT_SINCE:
        _sweep(database)
    if version < SCHEMA_VERSION:
        with _one_transaction(database, _SINCE_7):
            _set_version(database, SCHEMA_VERSION)
    check_key(database, seal, key_file)
    return seal


def known_key(path: Path, key_file: Path) -> Seal:
    """The key of what is sealed already. KeyRefused where it is not there: another would open nothing."""
    try:
        return Seal(read_key(key_file))
    except FileNotFoundError as error:
        raise KeyRefused(
            f"the key {key_file} is missing, and {path} is sealed under it; put the file back from where it was kept"
            f" (nothing is lost until then). Where it is gone for good, move {path} away: devices are read anew from"
            " their memories, and readings that waited there and that no device still holds are lost"
        ) from error


def check_key(database: sqlite3.Connection, seal: Seal, key_file: Path) -> None:
    """KeyRefused where the key is another than the one that everything was sealed under."""
    row = database.execute("SELECT sealed FROM key_check").fetchone()
    if row is None:
        raise KeyRefused(f"the outbox does not say which key it was sealed under: it is damaged; keep {key_file}")
    try:
        seal.open(row[0], place("key_check", ""))
    except SealBroken as error:
        raise KeyRefused(
            f"{key_file} is not the key that the outbox was sealed under; put the right one back (nothing is lost)"
        ) from error


def _first_key(key_file: Path) -> Seal:
    try:
        return Seal(read_key(key_file))
    except FileNotFoundError:
        return Seal(make_key(key_file))


@contextmanager
def _one_transaction(database: sqlite3.Connection, script: str = "") -> Iterator[None]:
    """Begun with a script; written whole, or not at all."""
    try:
        database.executescript(f"BEGIN IMMEDIATE; {script}")
        yield
        database.execute("COMMIT")
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


def _set_version(database: sqlite3.Connection, version: int) -> None:
    database.execute(f"PRAGMA user_version = {version}")


def _keep_check(database: sqlite3.Connection, seal: Seal) -> None:
    database.execute("INSERT INTO key_check VALUES (1, ?)", (seal.seal(_CHECK, place("key_check", "")),))


# From schema 4 to 5: every row into a table that is sealed ------------------------------------------------------------


def _seal_all(database: sqlite3.Connection, seal: Seal) -> None:
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute("PRAGMA secure_delete = ON")
    old = " ".join(f"ALTER TABLE {table} RENAME TO {_OLD}{table};" for table in _UNSEALED)
    # Their indexes keep the names that the new ones need.
    indexes = " ".join(f"DROP INDEX {i};" for i in ("waiting", "waiting_in_session", "in_flight", "of_session"))
    with _one_transaction(database, f"{old} {indexes} {SCHEMA}"):
        _keep_check(database, seal)
        for insert, rows in _sealed_rows(database, seal):
            database.executemany(insert, rows)
        for table in _UNSEALED[::-1]:
            database.execute(f"DROP TABLE {_OLD}{table}")
        _set_version(database, SEALED_SINCE)
    database.execute("PRAGMA foreign_keys = ON")


def _sealed_rows(database: sqlite3.Connection, seal: Seal) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    """What to insert, and with which rows: one by one, so that a full outbox does not fill the memory."""

    def old(columns: str, table: str) -> sqlite3.Cursor:
        return database.execute(f"SELECT {columns} FROM {_OLD}{table}")  # noqa: S608 (ours)

    yield (
        "INSERT INTO session VALUES (?, ?, ?)",
        (
            (session_id, device_of(seal, wire), seal.seal(wire, place("session", session_id)))
            for session_id, wire in old("session_id, wire", "session")
        ),
    )
    yield (
        "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?)",
        (
            (seq, key, session_id, lane, seal.seal(with_time(put_at, wire), place("reading", key)), message_id)
            for seq, reading_id, session_id, lane, put_at, wire, message_id in old("*", "reading")
            for key in (seal.keyed(reading_id),)
        ),
    )
    yield (
        "INSERT INTO receipted VALUES (?, ?)",
        ((seal.keyed(reading_id), fate) for reading_id, fate in old("reading_id, fate", "receipted")),
    )
    yield (
        "INSERT INTO device_cursor VALUES (?, ?, ?)",
        (
            (device, driver, seal.seal(cursor, place("cursor", device, driver)))
            for device_id, driver, cursor in old("device_id, driver, cursor", "device_cursor")
            for device in (seal.keyed(device_id),)
        ),
    )
    yield (
        "INSERT INTO drained VALUES (?, ?, ?)",
        (
            (device, driver, seal.seal(visit, place("drained", device, driver)))
            for device_id, driver, visit in old("device_id, driver, visit", "drained")
            for device in (seal.keyed(device_id),)
        ),
    )
    yield (
        "INSERT INTO visited VALUES (?, ?, ?)",
        (
            (name, _sealed(seal, seen, place("seen", name)), _sealed(seal, visit, place("visit", name)))
            for name, seen, visit in map(_visited, old("*", "visited"))
        ),
    )


def _sealed(seal: Seal, octets: bytes | None, where: bytes) -> bytes | None:
    return None if octets is None else seal.seal(octets, where)


def _visited(row: tuple[Any, ...]) -> tuple[str, bytes | None, bytes | None]:
    name, device_id, firmware, at, outcome, reason, received, new, holds, identity = row
    seen = {"device_id": device_id, "firmware": firmware} if device_id else None
    visit = {
        "name": name,
        "at": at,
        "outcome": outcome,
        "reason": reason,
        "received": received,
        "new": new,
        "holds": holds,
        "identity": identity,
    }
    return name, msgspec.json.encode(seen) if seen else None, msgspec.json.encode(visit) if at else None


def device_of(seal: Seal, session: bytes) -> bytes:
    """The keyed hash of the device of a session (JSON)."""
    return seal.keyed(device_identity(msgspec.json.decode(session, type=WireSession).device).device_id)


def with_time(put_at: str, wire: bytes) -> bytes:
    """What is sealed of a reading."""
    return put_at.encode() + b"\n" + wire


# From 5 to 6: no octet of the old rows stays in the files ------------------------------------------------------------


def _sweep(database: sqlite3.Connection) -> None:
    """Write the file anew and empty its log. A kill before the end: the next start does it."""
    database.execute("PRAGMA auto_vacuum = INCREMENTAL")
    database.execute("VACUUM")
    (busy, _, _) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("somebody else has it open, so what it held unsealed cannot be removed")
    _set_version(database, SWEPT_SINCE)
