"""All SQL of the ledger: which readings we know, and what became of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cloud.db.connect import Connection, as_rows
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
    raw: str  # hex, as \\x...
    read_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What became of a reading when it first came."""

    fate: v1.Fate
    reason: str | None


def register(connection: Connection, entries: Sequence[Entry]) -> frozenset[str]:
    """Take the entries whose reading is unknown; gives the ids of those. It waits for a worker that has the same."""
    if not entries:
        return frozenset()
    return frozenset(row[0] for row in connection.execute(_REGISTER, (as_rows(entries),)))


def recall(connection: Connection, reading_ids: Collection[str]) -> Mapping[str, Known]:
    """The fates of readings that are known."""
    if not reading_ids:
        return {}
    rows = connection.execute(
        "SELECT replace(reading_id::text, '-', ''), fate, reason FROM ledger WHERE reading_id = ANY(%s::uuid[])",
        (list(reading_ids),),
    )
    return {reading_id: Known(v1.Fate(fate), reason) for reading_id, fate, reason in rows}


# Ordered by reading_id, so that two workers with the same readings wait for each other in the same order.
_REGISTER = """
INSERT INTO ledger (reading_id, fate, reason, gateway_id, device_id, session_id, kind, reported_time, raw, read_at,
                    received_at)
SELECT reading_id, fate, reason, gateway_id, device_id, session_id, kind, reported_time, raw, read_at, received_at
FROM json_to_recordset(%s::json) AS r(reading_id uuid, fate text, reason text, gateway_id text, device_id text,
                                      session_id uuid, kind text, reported_time text, raw bytea, read_at timestamptz,
                                      received_at timestamptz)
ORDER BY reading_id
ON CONFLICT (reading_id) DO NOTHING
RETURNING replace(reading_id::text, '-', '')
"""
