"""All SQL of gateways, devices, assignments and sessions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.range import Range

from cloud.db.connect import Connection, as_rows, one
from cloud.devices.models import Assignment
from cloud.zones.store import zones_of
from device_drivers.identity import DeviceIdentity


class Session(msgspec.Struct, frozen=True, kw_only=True):
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
    ended_at: datetime | None = None
    complete: bool = False  # it went to its end, and all that it gave was sent before
    received: int | None = None  # how many readings the device gave


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
        (
            device_id,
            user_index,
            patient_id,
            Range(since, until, "[)"),
            clock_checked_at,
            clock_checked_by,
        ),
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
    for device_id, user_index, patient_id, since, until, checked_at, shared in rows:
        found.setdefault(device_id, []).append(
            Assignment(
                device_id=device_id,
                user_index=user_index,
                patient_id=patient_id,
                since=since,
                until=until,
                zones=zones[patient_id],
                clock_checked_at=checked_at,
                shared=shared,
            )
        )
    return found


_ASSIGNMENTS = """
SELECT device_id, user_index, patient_id, lower(valid), upper(valid), clock_checked_at, shared
FROM device_assignment WHERE device_id = ANY(%s)
"""


def record_sessions(connection: Connection, sessions: Iterable[Session]) -> Sequence[Session]:
    """Store sessions that are new, with devices that are new, and the end of known ones; gives those that told us so.

    A session that is complete stays so. Known devices are left to ``tallies.update_devices``.
    """
    by_id: dict[str, Session] = {}
    for session in sessions:
        if (told := by_id.get(session.session_id)) is None or session.complete or not told.complete:
            by_id[session.session_id] = session
    if not by_id:
        return ()
    rows = connection.execute(
        "SELECT replace(session_id::text, '-', ''), complete FROM device_session"
        " WHERE session_id = ANY(string_to_array(%s, ',')::uuid[])",
        (",".join(by_id),),
    )
    known: dict[str, bool] = dict(rows.fetchall())
    telling = [s for s in by_id.values() if known.get(_digits(s)) in ((None, False) if s.complete else (None,))]
    if not telling:
        return ()
    if any(_digits(session) not in known for session in telling):
        connection.execute(_INSERT_DEVICES, (as_rows([_device_row(s) for s in _latest_by_device(telling)]),))
    connection.execute(_UPSERT_SESSIONS, (as_rows([_session_row(s) for s in telling]),))
    return telling


def _digits(session: Session) -> str:
    return session.session_id.replace("-", "")


def _latest_by_device(sessions: Iterable[Session]) -> Iterable[Session]:
    return {s.device.device_id: s for s in sorted(sessions, key=seen_at)}.values()


def seen_at(session: Session) -> datetime:
    """By the gateway's clock, but not later than by ours: else a clock that ran ahead once would outdate all after."""
    return min(session.ended_at or session.started_at, session.received_at)


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
        "seen_at": seen_at(session),
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
        "ended_at": session.ended_at,
        "complete": session.complete,
        "received": session.received,
    }


# Ordered, so that two workers with the same new devices, or sessions, wait for each other in the same order.
_INSERT_DEVICES = """
INSERT INTO device (device_id, manufacturer, model, serial_number, system_id, address, firmware, profile, last_seen_at)
SELECT device_id, manufacturer, model, serial_number, system_id, address, firmware, profile, seen_at
FROM json_to_recordset(%s::json) AS r(device_id text, manufacturer text, model text, serial_number text, system_id text,
                                      address text, firmware text, profile text, seen_at timestamptz)
ORDER BY device_id
ON CONFLICT (device_id) DO NOTHING
"""

_UPSERT_SESSIONS = """
INSERT INTO device_session AS known (session_id, gateway_id, device_id, profile, started_at, gateway_time, device_time,
                                     holds, received_at, ended_at, complete, received)
SELECT session_id, gateway_id, device_id, profile, started_at, gateway_time, device_time, holds, received_at, ended_at,
       complete, received
FROM json_to_recordset(%s::json) AS r(session_id uuid, gateway_id text, device_id text, profile text,
                                      started_at timestamptz, gateway_time timestamptz, device_time timestamp,
                                      holds integer, received_at timestamptz, ended_at timestamptz, complete boolean,
                                      received integer)
ORDER BY session_id
ON CONFLICT (session_id) DO UPDATE SET
    ended_at = excluded.ended_at,
    complete = true,
    received = excluded.received,
    holds = coalesce(excluded.holds, known.holds)
WHERE excluded.complete AND NOT known.complete AND excluded.gateway_id = known.gateway_id
"""
