"""What a batch of readings tells about its devices: who was seen, how much is known of what they hold.

One statement a batch, and the last of its transaction that waits for a row: devices are shared by all workers, so they
are locked in one order and for as long as the commit takes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloud.db.connect import Connection, as_rows
from cloud.devices.store import Session, seen_at

# A Bluetooth sequence number has 16 bits, and nothing else is one. What is beyond is no position in a memory; and kept,
# numbers far apart would make of one device a row without end, written anew with each batch.
LARGEST_SEQUENCE_NUMBER = 2**16 - 1


@dataclass(slots=True)
class Tally:
    """Readings of one device that the ledger did not know before.

    ``measured_at``: effective time of the newest that became an observation of a patient. ``held_at``: when the last
    of them that may be a patient's went into quarantine.
    """

    readings: int = 0
    sequences: list[int] = field(default_factory=list)
    measured_at: datetime | None = None
    held_at: datetime | None = None

    def add(self, sequence_number: int | None) -> None:
        """One more reading is known."""
        self.readings += 1
        if sequence_number is not None and 0 <= sequence_number <= LARGEST_SEQUENCE_NUMBER:
            self.sequences.append(sequence_number)

    def measured(self, at: datetime) -> None:
        """A patient used the device then."""
        self.measured_at = max(self.measured_at, at) if self.measured_at else at

    def held(self, at: datetime) -> None:
        """A reading went into quarantine then."""
        self.held_at = max(self.held_at, at) if self.held_at else at


def update_devices(connection: Connection, told: Iterable[Session], tallies: "dict[str, Tally]") -> None:
    """Bring the devices of a batch up to date: ``told`` are its sessions that are new or have just ended."""
    rows: dict[str, dict[str, object]] = {}
    statement = _COUNT
    for session in sorted(told, key=seen_at):
        row = rows.setdefault(session.device.device_id, {"device_id": session.device.device_id})
        row |= _seen(session)
        statement = _UPDATE_DEVICES
        if session.complete:
            row |= _completed(session)
    for device_id, tally in tallies.items():
        row = rows.setdefault(device_id, {"device_id": device_id})
        row |= {
            "readings": tally.readings,
            "sequences": multirange(tally.sequences),
            "measured_at": tally.measured_at,
            "held_at": tally.held_at,
        }
    if rows:
        connection.execute(statement, (as_rows(list(rows.values())),))


def _seen(session: Session) -> dict[str, object]:
    device = session.device
    facts = {"system_id": device.system_id, "address": device.address, "firmware": device.firmware}
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return {"seen_at": seen_at(session), "profile": session.profile, **known}


def _completed(session: Session) -> dict[str, object]:
    return {
        "complete_session_id": session.session_id,
        "complete_gateway_id": session.gateway_id,
        "complete_at": seen_at(session),
        "complete_told_at": session.received_at,
        "holds": session.holds,
    }


def multirange(numbers: Collection[int]) -> str | None:
    """The numbers as an int8multirange literal of PostgreSQL; None for no numbers."""
    if not numbers:
        return None
    return "{" + ",".join(f"[{first},{last + 1})" for first, last in _runs(sorted(set(numbers)))) + "}"


def _runs(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    """First and last of each unbroken run in ascending numbers."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


# Most batches tell of no visit that was not told before.
_COUNT = """
WITH told AS MATERIALIZED (
    SELECT r.*
    FROM json_to_recordset(%s::json) AS r(device_id text, readings integer, sequences int8multirange,
                                          measured_at timestamptz, held_at timestamptz)
    JOIN device USING (device_id) ORDER BY device_id FOR NO KEY UPDATE OF device
)
UPDATE device SET
    readings_known = device.readings_known + told.readings,
    known_sequences = device.known_sequences + coalesce(told.sequences, '{}'),
    last_measured_at = greatest(device.last_measured_at, told.measured_at),
    last_held_at = greatest(device.last_held_at, told.held_at)
FROM told
WHERE device.device_id = told.device_id
"""

# An older visit that is told later changes nothing of what the newest one said.
_UPDATE_DEVICES = """
WITH told AS MATERIALIZED (
    SELECT r.*
    FROM json_to_recordset(%s::json) AS r(
        device_id text, system_id text, address text, firmware text, profile text, seen_at timestamptz,
        complete_session_id uuid, complete_gateway_id text, complete_at timestamptz, complete_told_at timestamptz,
        holds integer, readings integer, sequences int8multirange, measured_at timestamptz, held_at timestamptz)
    JOIN device USING (device_id) ORDER BY device_id FOR NO KEY UPDATE OF device
)
UPDATE device SET
    (system_id, address, firmware, profile, last_seen_at) = (
        SELECT coalesce(told.system_id, device.system_id), coalesce(told.address, device.address),
               coalesce(told.firmware, device.firmware), told.profile, told.seen_at
        WHERE told.seen_at >= coalesce(device.last_seen_at, told.seen_at)
        UNION ALL
        SELECT device.system_id, device.address, device.firmware, device.profile, device.last_seen_at
        WHERE told.seen_at >= coalesce(device.last_seen_at, told.seen_at) IS NOT TRUE),
    (complete_session_id, complete_gateway_id, complete_at, complete_told_at, holds) = (
        SELECT told.complete_session_id, told.complete_gateway_id, told.complete_at, told.complete_told_at, told.holds
        WHERE told.complete_at >= coalesce(device.complete_at, told.complete_at)
        UNION ALL
        SELECT device.complete_session_id, device.complete_gateway_id, device.complete_at, device.complete_told_at,
               device.holds
        WHERE told.complete_at >= coalesce(device.complete_at, told.complete_at) IS NOT TRUE),
    readings_known = device.readings_known + coalesce(told.readings, 0),
    known_sequences = device.known_sequences + coalesce(told.sequences, '{}'),
    last_measured_at = greatest(device.last_measured_at, told.measured_at),
    last_held_at = greatest(device.last_held_at, told.held_at)
FROM told
WHERE device.device_id = told.device_id
"""
