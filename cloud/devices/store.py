"""All SQL of gateways, devices, assignments and sessions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.range import Range

from cloud.db.connect import Connection, as_rows, one
from cloud.devices.models import Assignment
from cloud.zones.store import zones_of
from device_drivers.identity import DeviceIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One visit of a gateway to a device."""

    session_id: str
    gateway_id: str
    device: DeviceIdentity
    profile: str
    started_at: datetime
    gateway_time: datetime | None
    device_time: datetime | None  # naive: the device's wall clock
    holds: int | None
    received_at: datetime


def enrol_gateway(connection: Connection, gateway_id: str, at: datetime) -> None:
    """Let a gateway in; one that was revoked is let in again. CheckViolation for an id that no topic can carry."""
    connection.execute(
        "INSERT INTO gateway (gateway_id, enrolled_at) VALUES (%s, %s)"
        " ON CONFLICT (gateway_id) DO UPDATE SET enrolled_at = excluded.enrolled_at, revoked_at = NULL",
        (gateway_id, at),
    )


def revoke_gateway(connection: Connection, gateway_id: str, at: datetime) -> None:
    """From now on what it sends is quarantined."""
    connection.execute("UPDATE gateway SET revoked_at = %s WHERE gateway_id = %s", (at, gateway_id))


def trusted_gateways(connection: Connection, gateway_ids: Collection[str]) -> frozenset[str]:
    """Those of the gateways that are enrolled and not revoked."""
    rows = connection.execute(
        "SELECT gateway_id FROM gateway WHERE gateway_id = ANY(%s) AND revoked_at IS NULL", (list(gateway_ids),)
    )
    return frozenset(row[0] for row in rows)


def register_device(connection: Connection, device: DeviceIdentity, profile: str | None = None) -> str:
    """Make a device known before its first session, so that it can be assigned; gives its device_id."""
    connection.execute(
        "INSERT INTO device (device_id, manufacturer, model, serial_number, system_id, address, firmware, profile)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (device_id) DO NOTHING",
        (
            device.device_id,
            device.manufacturer,
            device.model,
            device.serial_number,
            device.system_id,
            device.address,
            device.firmware,
            profile,
        ),
    )
    return device.device_id


def assign_device(
    connection: Connection,
    device_id: str,
    patient_id: UUID,
    since: datetime,
    *,
    until: datetime | None = None,
    user_index: int | None = None,
    clock_checked_at: datetime | None = None,
    clock_checked_by: UUID | None = None,
) -> UUID:
    """Say that a patient uses the device from ``since`` on, and who compared its clock with a watch, if anybody did.

    ExclusionViolation where the same device (and user slot) belongs to somebody then: end that assignment first.
    """
    row = connection.execute(
        "INSERT INTO device_assignment (device_id, user_index, patient_id, valid, clock_checked_at, clock_checked_by)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING assignment_id",
        (device_id, user_index, patient_id, Range(since, until, "[)"), clock_checked_at, clock_checked_by),
    ).fetchone()
    assignment_id: UUID = one(row)[0]
    return assignment_id


def end_assignment(connection: Connection, assignment_id: UUID, at: datetime) -> None:
    """The patient gave the device back; readings measured before ``at`` stay theirs."""
    connection.execute(
        "UPDATE device_assignment SET valid = tstzrange(lower(valid), %s, '[)') WHERE assignment_id = %s",
        (at, assignment_id),
    )


def check_clock(connection: Connection, assignment_id: UUID, at: datetime, by: UUID) -> None:
    """Somebody compared the device's clock with a watch and found it right, or set it right.

    For devices whose clock cannot be read: what they report from now on is taken at its word. The last check counts.
    """
    connection.execute(
        "UPDATE device_assignment SET clock_checked_at = %s, clock_checked_by = %s WHERE assignment_id = %s",
        (at, by, assignment_id),
    )


def assignments(connection: Connection, device_ids: Collection[str]) -> Mapping[str, Sequence[Assignment]]:
    """All assignments of these devices, ever, with the zones of their patients."""
    found: dict[str, list[Assignment]] = {}
    rows = connection.execute(_ASSIGNMENTS, (list(device_ids),)).fetchall()
    zones = zones_of(connection, {row[2] for row in rows})
    for device_id, user_index, patient_id, since, until, checked_at in rows:
        found.setdefault(device_id, []).append(
            Assignment(
                device_id=device_id,
                user_index=user_index,
                patient_id=patient_id,
                since=since,
                until=until,
                zones=zones[patient_id],
                clock_checked_at=checked_at,
            )
        )
    return found


_ASSIGNMENTS = """
SELECT device_id, user_index, patient_id, lower(valid), upper(valid), clock_checked_at
FROM device_assignment WHERE device_id = ANY(%s)
"""


def record_sessions(connection: Connection, sessions: Iterable[Session]) -> None:
    """Store sessions that are new, and what they tell about their devices; a known session changes nothing."""
    by_id = {session.session_id: session for session in sessions}
    rows = connection.execute(
        "SELECT session_id FROM device_session WHERE session_id = ANY(%s::uuid[])", (list(by_id),)
    )
    known = {row[0] for row in rows}
    new = [session for session_id, session in by_id.items() if UUID(session_id) not in known]
    if not new:
        return
    connection.execute(_UPSERT_DEVICES, (as_rows([_device_row(s) for s in _latest_by_device(new)]),))
    connection.execute(_INSERT_SESSIONS, (as_rows([_session_row(s) for s in new]),))


def _latest_by_device(sessions: Iterable[Session]) -> Iterable[Session]:
    # One row a device: an upsert may not touch the same row twice.
    return {s.device.device_id: s for s in sorted(sessions, key=_seen_at)}.values()


def _seen_at(session: Session) -> datetime:
    """By the gateway's clock, but not later than by ours: else a clock that ran ahead once would outdate all after."""
    return min(session.started_at, session.received_at)


def _device_row(session: Session) -> dict[str, object]:
    device = session.device
    return {
        "device_id": device.device_id,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "serial_number": device.serial_number,
        "system_id": device.system_id,
        "address": device.address,
        "firmware": device.firmware,
        "profile": session.profile,
        "seen_at": _seen_at(session),
    }


def _session_row(session: Session) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "gateway_id": session.gateway_id,
        "device_id": session.device.device_id,
        "profile": session.profile,
        "started_at": session.started_at,
        "gateway_time": session.gateway_time,
        "device_time": session.device_time,
        "holds": session.holds,
        "received_at": session.received_at,
    }


# Ordered, so that two workers lock the same devices in the same order.
_UPSERT_DEVICES = """
INSERT INTO device AS known (device_id, manufacturer, model, serial_number, system_id, address, firmware, profile,
                             last_seen_at)
SELECT device_id, manufacturer, model, serial_number, system_id, address, firmware, profile, seen_at
FROM json_to_recordset(%s::json) AS r(device_id text, manufacturer text, model text, serial_number text, system_id text,
                                      address text, firmware text, profile text, seen_at timestamptz)
ORDER BY device_id
ON CONFLICT (device_id) DO UPDATE SET
    system_id = coalesce(excluded.system_id, known.system_id),
    address = coalesce(excluded.address, known.address),
    firmware = coalesce(excluded.firmware, known.firmware),
    profile = excluded.profile,
    last_seen_at = excluded.last_seen_at
WHERE known.last_seen_at IS NULL OR known.last_seen_at <= excluded.last_seen_at
"""

_INSERT_SESSIONS = """
INSERT INTO device_session (session_id, gateway_id, device_id, profile, started_at, gateway_time, device_time, holds,
                            received_at)
SELECT session_id, gateway_id, device_id, profile, started_at, gateway_time, device_time, holds, received_at
FROM json_to_recordset(%s::json) AS r(session_id uuid, gateway_id text, device_id text, profile text,
                                      started_at timestamptz, gateway_time timestamptz, device_time timestamp,
                                      holds integer, received_at timestamptz)
ORDER BY session_id
ON CONFLICT (session_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """What a gateway, or the broker for it, said about itself."""

    gateway_id: str
    state: str
    received_at: datetime
    software: str | None
    outbox_depth: int | None
    oldest_unsent_s: int | None


def record_status(connection: Connection, statuses: Iterable[GatewayStatus]) -> frozenset[str]:
    """Bring the rows of these gateways up to date; gives those that are enrolled. A will does not mean 'seen'."""
    rows: dict[str, dict[str, object]] = {}
    for status in sorted(statuses, key=lambda s: s.received_at):
        row = rows.setdefault(status.gateway_id, {"gateway_id": status.gateway_id})
        row |= {"state": status.state, "state_at": status.received_at}
        if status.software is not None:
            row["software"] = status.software
        if status.state == "online":
            row |= {
                "seen_at": status.received_at,
                "outbox_depth": status.outbox_depth,
                "oldest_unsent_s": status.oldest_unsent_s,
            }
    return frozenset(row[0] for row in connection.execute(_UPDATE_STATUS, (as_rows(list(rows.values())),)))


# Locked in order first; a status that is older than what the row says changes nothing.
_UPDATE_STATUS = """
WITH said AS MATERIALIZED (
    SELECT r.* FROM json_to_recordset(%s::json) AS r(gateway_id text, state text, state_at timestamptz,
                                                     seen_at timestamptz, software text, outbox_depth integer,
                                                     oldest_unsent_s integer)
    JOIN gateway USING (gateway_id) ORDER BY gateway_id FOR UPDATE OF gateway
), updated AS (
    UPDATE gateway SET
        state = said.state,
        state_at = said.state_at,
        last_seen_at = coalesce(said.seen_at, gateway.last_seen_at),
        software = coalesce(said.software, gateway.software),
        outbox_depth = CASE WHEN said.seen_at IS NULL THEN gateway.outbox_depth ELSE said.outbox_depth END,
        oldest_unsent_s = CASE WHEN said.seen_at IS NULL THEN gateway.oldest_unsent_s ELSE said.oldest_unsent_s END
    FROM said
    WHERE gateway.gateway_id = said.gateway_id
      AND (gateway.state_at IS NULL OR gateway.state_at <= said.state_at)
)
SELECT gateway_id FROM said
"""
