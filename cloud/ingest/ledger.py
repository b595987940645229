"""All SQL of the ledger: which readings we know, and what became of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

import msgspec
import psycopg

from cloud.db.connect import Connection, as_rows, one
from cloud.db.copying import Table, bytea, text, timestamptz, uuid
from gateway.wire import v1


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One reading that the ledger is asked to take."""

    reading_id: str  # 32 hex digits
    fate: v1.Fate
    reason: str | None
    gateway_id: str
    device_id: str
    session_id: str
    kind: str
    reported_time: str
    raw: bytes
    read_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What became of a reading when it first came."""

    fate: v1.Fate
    reason: str | None


# By reading_id (32 hex digits): what to enter, and what was known of it before.
Register: TypeAlias = Callable[[Connection, Mapping[str, Entry]], Mapping[str, Known]]


class Contended(Exception):
    """Another worker entered one of these readings since we looked. Nothing is stored; ``register_contended`` waits."""


def register(connection: Connection, entries: Mapping[str, Entry]) -> Mapping[str, Known]:
    """Enter the readings that are unknown; gives the fates of the others.

    Contended where another worker does the same at this moment: this one looks first and enters then, which is faster
    than to have the server sort it out row by row.
    """
    known = _recall(connection, entries)
    try:
        # Rows begin with their reading_id, so that two workers with the same readings take them in the same order.
        _TABLE.copy(connection, sorted(_row(entry) for reading_id, entry in entries.items() if reading_id not in known))
    except psycopg.errors.UniqueViolation as error:
        raise Contended from error
    return known


def register_contended(connection: Connection, entries: Mapping[str, Entry]) -> Mapping[str, Known]:
    """The same, but it waits for a worker that has the same readings."""
    if not entries:
        return {}
    rows = connection.execute(_REGISTER, (as_rows([_as_json(entry) for entry in entries.values()]),))
    new = {row[0] for row in rows}
    return _recall(connection, {reading_id: entry for reading_id, entry in entries.items() if reading_id not in new})


def doubt(connection: Connection, entries: Iterable[tuple[str, str]]) -> None:
    """Of these readings (device_id, reading_id), just entered as stored: they do not count before somebody says so.

    The ledger's reason says "doubted" until then.
    """
    doubted = [*entries]
    if doubted:
        devices, readings = zip(*doubted, strict=True)
        connection.execute("SELECT doubt_readings(%s, %s::uuid[])", ([*devices], [*readings]))


def release(connection: Connection, device_id: str, reading_id: str) -> bool:
    """A reading that was held back counts from now on. False where it does already: it is not to be stored again."""
    row = connection.execute("SELECT release_reading(%s, %s)", (device_id, reading_id)).fetchone()
    return bool(one(row)[0])


def _recall(connection: Connection, entries: Mapping[str, Entry]) -> Mapping[str, Known]:
    if not entries:
        return {}
    by_device: dict[str, list[str]] = {}
    for reading_id, entry in entries.items():
        by_device.setdefault(entry.device_id, []).append(reading_id)
    asked = {device_id: ",".join(reading_ids) for device_id, reading_ids in by_device.items()}
    rows = connection.execute(_RECALL, (as_rows(asked),))
    return {reading_id: Known(v1.Fate(fate), reason) for reading_id, fate, reason in rows}


def _as_json(entry: Entry) -> dict[str, object]:
    return msgspec.structs.asdict(entry) | {"raw": "\\x" + entry.raw.hex()}


def _row(entry: Entry) -> bytes:
    return b"".join(
        (
            uuid(entry.reading_id),
            text(entry.reported_time),
            bytea(entry.raw),
            timestamptz(entry.read_at),
            _shared(
                entry.fate,
                entry.reason,
                entry.gateway_id,
                entry.device_id,
                entry.session_id,
                entry.kind,
                entry.received_at,
            ),
        )
    )


# The readings of a message have these in common.
@lru_cache(maxsize=64)
def _shared(
    fate: str, reason: str | None, gateway_id: str, device_id: str, session_id: str, kind: str, received_at: datetime
) -> bytes:
    return b"".join(
        (
            text(fate),
            text(reason),
            text(gateway_id),
            text(device_id),
            uuid(session_id),
            text(kind),
            timestamptz(received_at),
        )
    )


_TABLE = Table(
    "ledger",
    (
        "reading_id",
        "reported_time",
        "raw",
        "read_at",
        "fate",
        "reason",
        "gateway_id",
        "device_id",
        "session_id",
        "kind",
        "received_at",
    ),
)

# One walk through the index a device; OFFSET 0, so that the planner does not think of reading the whole table instead.
# Ids as one text: in a list each would be looked through for what has to be quoted.
_RECALL = """
SELECT replace(found.reading_id::text, '-', ''), found.fate, found.reason
FROM json_each_text(%s::json) AS asked(device_id, reading_ids)
CROSS JOIN LATERAL (
    SELECT reading_id, fate, reason FROM ledger
    WHERE ledger.device_id = asked.device_id
      AND ledger.reading_id = ANY(string_to_array(asked.reading_ids, ',')::uuid[])
    OFFSET 0
) AS found
"""

# Ordered as well.
_REGISTER = """
INSERT INTO ledger (reading_id, fate, reason, gateway_id, device_id, session_id, kind, reported_time, raw, read_at,
                    received_at)
SELECT reading_id, fate, reason, gateway_id, device_id, session_id, kind, reported_time, raw, read_at, received_at
FROM json_to_recordset(%s::json) AS r(reading_id uuid, fate text, reason text, gateway_id text, device_id text,
                                      session_id uuid, kind text, reported_time text, raw bytea, read_at timestamptz,
                                      received_at timestamptz)
ORDER BY reading_id
ON CONFLICT (device_id, reading_id) DO NOTHING
RETURNING replace(reading_id::text, '-', '')
"""
