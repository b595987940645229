"""What gateways say about themselves and their devices. Nothing rests on one status: the next replaces it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloud.db.connect import Connection, as_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """A device of a gateway's roster, as its last visit found it; see ``WireDeviceState``."""

    name: str
    profile: str
    transport: str | None = None
    device_id: str | None = None
    visited_at: datetime | None = None
    outcome: str | None = None
    reason: str | None = None
    identity: str | None = None
    complete_at: datetime | None = None
    holds: int | None = None
    heard_at: datetime | None = None
    battery_low: bool | None = None
    repairs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """What a gateway, or the broker for it, said about itself. ``at``: by the gateway's own clock."""

    gateway_id: str
    state: str
    received_at: datetime
    at: datetime | None = None
    software: str | None = None
    outbox_depth: int | None = None
    oldest_unsent_s: int | None = None
    started_at: datetime | None = None
    clock_synchronised: bool | None = None
    disk_free_octets: int | None = None
    storage_error: str | None = None
    readings_damaged: int | None = None
    certificate_until: datetime | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    devices: Sequence[DeviceState] = ()


def record_status(connection: Connection, statuses: Iterable[GatewayStatus]) -> frozenset[str]:
    """Bring the rows of these gateways and their rosters up to date; gives those that are enrolled.

    A last will says that the gateway is away, and leaves all else as the gateway last told it. A status that is older
    than what the row says changes nothing.
    """
    rows: dict[str, dict[str, object]] = {}
    rosters: dict[str, GatewayStatus] = {}
    for status in sorted(statuses, key=lambda s: s.received_at):
        row = rows.setdefault(status.gateway_id, {"gateway_id": status.gateway_id})
        row |= {"state": status.state, "state_at": status.received_at}
        if status.state == "online":
            row |= _told(status)
            rosters[status.gateway_id] = status
    if not rows:
        return frozenset()
    with connection.transaction():
        said = connection.execute(_UPDATE_GATEWAYS, (as_rows(list(rows.values())),))
        written: dict[str, bool] = dict(said.fetchall())
        fresh = [status for gateway_id, status in rosters.items() if written.get(gateway_id)]
        _replace_rosters(connection, fresh)
    return frozenset(written)


def _told(status: GatewayStatus) -> dict[str, object]:
    return {
        "seen_at": status.received_at,
        **({"software": status.software} if status.software is not None else {}),
        "outbox_depth": status.outbox_depth,
        "oldest_unsent_s": status.oldest_unsent_s,
        "started_at": status.started_at,
        "clock_synchronised": status.clock_synchronised,
        "clock_offset_s": (status.at - status.received_at).total_seconds() if status.at else None,
        "disk_free_octets": status.disk_free_octets,
        "storage_error": status.storage_error,
        "readings_damaged": status.readings_damaged,
        "certificate_until": status.certificate_until,
        "versions": status.versions,
    }


def _replace_rosters(connection: Connection, statuses: Iterable[GatewayStatus]) -> None:
    rows = [
        {"gateway_id": status.gateway_id, "told_at": status.received_at, **_device_row(device)}
        for status in sorted(statuses, key=lambda s: s.gateway_id)
        for device in {device.name: device for device in status.devices}.values()
    ]
    gateways = [{"gateway_id": status.gateway_id} for status in statuses]
    if gateways:
        connection.execute(_FORGET_DEVICES, {"gateways": as_rows(gateways), "devices": as_rows(rows)})
    if rows:
        connection.execute(_UPSERT_DEVICES, (as_rows(rows),))


def _device_row(device: DeviceState) -> dict[str, object]:
    return {
        "name": device.name,
        "profile": device.profile,
        "transport": device.transport,
        "device_id": device.device_id,
        "visited_at": device.visited_at,
        "outcome": device.outcome,
        "reason": device.reason,
        "identity": device.identity,
        "complete_at": device.complete_at,
        "holds": device.holds,
        "heard_at": device.heard_at,
        "battery_low": device.battery_low,
        "repairs": device.repairs,
    }


# Locked in order first. The second column: whether this status told of the gateway itself, and was the newest.
_UPDATE_GATEWAYS = """
WITH said AS MATERIALIZED (
    SELECT r.*
    FROM json_to_recordset(%s::json) AS r(
        gateway_id text, state text, state_at timestamptz, seen_at timestamptz, software text, outbox_depth integer,
        oldest_unsent_s integer, started_at timestamptz, clock_synchronised boolean, clock_offset_s double precision,
        disk_free_octets bigint, storage_error text, readings_damaged integer, certificate_until timestamptz,
        versions jsonb)
    JOIN gateway USING (gateway_id) ORDER BY gateway_id FOR NO KEY UPDATE OF gateway
), updated AS (
    UPDATE gateway SET
        state = said.state,
        state_at = said.state_at,
        (last_seen_at, software, outbox_depth, oldest_unsent_s, started_at, clock_synchronised, clock_offset_s,
         disk_free_octets, storage_error, readings_damaged, certificate_until, versions) = (
            SELECT said.seen_at, coalesce(said.software, gateway.software), said.outbox_depth, said.oldest_unsent_s,
                   said.started_at, said.clock_synchronised, said.clock_offset_s, said.disk_free_octets,
                   said.storage_error, said.readings_damaged, said.certificate_until, coalesce(said.versions, '{}')
            WHERE said.seen_at IS NOT NULL
            UNION ALL
            SELECT gateway.last_seen_at, gateway.software, gateway.outbox_depth, gateway.oldest_unsent_s,
                   gateway.started_at, gateway.clock_synchronised, gateway.clock_offset_s, gateway.disk_free_octets,
                   gateway.storage_error, gateway.readings_damaged, gateway.certificate_until, gateway.versions
            WHERE said.seen_at IS NULL)
    FROM said
    WHERE gateway.gateway_id = said.gateway_id
      AND (gateway.state_at IS NULL OR gateway.state_at <= said.state_at)
    RETURNING gateway.gateway_id, said.seen_at IS NOT NULL AS told
)
SELECT said.gateway_id, coalesce(updated.told, false) FROM said LEFT JOIN updated USING (gateway_id)
"""

_FORGET_DEVICES = """
DELETE FROM gateway_device d
USING json_to_recordset(%(gateways)s::json) AS g(gateway_id text)
WHERE d.gateway_id = g.gateway_id
  AND (d.gateway_id, d.name) NOT IN (
      SELECT r.gateway_id, r.name FROM json_to_recordset(%(devices)s::json) AS r(gateway_id text, name text))
"""

# A gateway speaks of a device that it has brought us a session of, and of no other: it could else tell of the battery
# and the visits of somebody else's. Before its first session has come, a device is one that has not answered yet.
_UPSERT_DEVICES = """
INSERT INTO gateway_device (gateway_id, name, profile, transport, device_id, visited_at, outcome, reason, identity,
                            complete_at, holds, heard_at, battery_low, repairs, told_at)
SELECT gateway_id, name, profile, transport,
       CASE WHEN EXISTS (SELECT FROM device_session s
                         WHERE s.device_id = r.device_id AND s.gateway_id = r.gateway_id) THEN device_id END,
       visited_at, outcome, reason, identity, complete_at, holds,
       heard_at, battery_low, coalesce(repairs, '{}'), told_at
FROM json_to_recordset(%s::json) AS r(
    gateway_id text, name text, profile text, transport text, device_id text, visited_at timestamptz, outcome text,
    reason text, identity text, complete_at timestamptz, holds integer, heard_at timestamptz, battery_low boolean,
    repairs jsonb, told_at timestamptz)
ON CONFLICT (gateway_id, name) DO UPDATE SET
    profile = excluded.profile,
    transport = excluded.transport,
    device_id = excluded.device_id,
    visited_at = excluded.visited_at,
    outcome = excluded.outcome,
    reason = excluded.reason,
    identity = excluded.identity,
    complete_at = excluded.complete_at,
    holds = excluded.holds,
    heard_at = excluded.heard_at,
    battery_low = excluded.battery_low,
    repairs = excluded.repairs,
    told_at = excluded.told_at
"""
