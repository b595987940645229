"""All SQL that reads the stored state of the fleet for its judgement."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from alerting.technical.fleet import Component, Fleet, Gateway, Holdings, RosterEntry, Use
from cloud.db.connect import Connection


def fleet(connection: Connection, judging_since: datetime, now: datetime) -> tuple[Fleet, Mapping[str, UUID]]:
    """Everything that is judged, and the patient of each assignment in it, who is nobody's business there."""
    uses, patients = _uses(connection, now)
    return (
        Fleet(
            judging_since=judging_since,
            components=_components(connection),
            gateways=_gateways(connection),
            roster=_roster(connection),
            holdings=_holdings(connection),
            uses=uses,
        ),
        patients,
    )


def _components(connection: Connection) -> Sequence[Component]:
    return [
        Component(
            name=name,
            kind=kind,
            seen_at=seen_at,
            broker=detail.get("broker"),
            since=_time(detail.get("since")),
            lag_s=float(detail.get("lag_s") or 0.0),
            certificates={
                whose: datetime.fromisoformat(until) for whose, until in detail.get("certificates", {}).items()
            },
        )
        for name, kind, seen_at, detail in connection.execute("SELECT name, kind, seen_at, detail FROM component")
    ]


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _gateways(connection: Connection) -> Sequence[Gateway]:
    with connection.cursor(row_factory=class_row(Gateway)) as cursor:
        return cursor.execute(_GATEWAYS).fetchall()


def _roster(connection: Connection) -> Sequence[RosterEntry]:
    with connection.cursor(row_factory=class_row(RosterEntry)) as cursor:
        return cursor.execute(_ROSTER).fetchall()


def _holdings(connection: Connection) -> Sequence[Holdings]:
    return [
        Holdings(
            device_id=device_id,
            label=label,
            holds=holds,
            missing=missing,
            gateway_id=gateway_id,
            complete_at=complete_at,
            told_at=told_at,
            holes=[(hole.lower, hole.upper - 1) for hole in holes],
            first_known=first_known,
            last_known=last_known,
            unread=unread,
            whole_at=whole_at,
        )
        for (
            device_id,
            label,
            holds,
            missing,
            gateway_id,
            complete_at,
            told_at,
            holes,
            first_known,
            last_known,
            unread,
            whole_at,
        ) in connection.execute(_HOLDINGS)
    ]


def _uses(connection: Connection, now: datetime) -> tuple[Sequence[Use], Mapping[str, UUID]]:
    rows = connection.execute(_USES, {"now": now}).fetchall()
    return [_use(row) for row in rows], {str(row[0]): row[1] for row in rows}


def _use(row: tuple[Any, ...]) -> Use:
    assignment_id, _, device_id, label, every, since, measured_at, held_at = row
    return Use(
        assignment_id=str(assignment_id),
        device_id=device_id,
        label=label,
        every=every,
        since=since,
        measured_at=measured_at,
        held_at=held_at,
    )


def zones(connection: Connection, patient_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Where these patients' walls are now: IANA names."""
    rows = connection.execute(
        "SELECT patient_id, time_zone FROM patient WHERE patient_id = ANY(%s)", (list(patient_ids),)
    )
    return dict(rows.fetchall())


# What a gateway shows, by its own word; else the last certificate that it was given.
_GATEWAYS = """
SELECT g.gateway_id, g.state, g.state_at, g.last_seen_at, g.outbox_depth, g.oldest_unsent_s, g.clock_synchronised,
       g.clock_offset_s, g.disk_free_octets, g.storage_error, g.readings_damaged,
       coalesce(g.certificate_until, c.not_after) AS certificate_until,
       CASE WHEN used.gateway_id IS NOT NULL THEN
           (SELECT max(resolved_at) FROM technical_alarm t
            WHERE t.gateway_id = g.gateway_id AND t.condition = 'gateway_away') END AS back_at
FROM gateway g
LEFT JOIN (SELECT gateway_id, max(not_after) AS not_after FROM gateway_certificate
           WHERE revoked_at IS NULL GROUP BY gateway_id) c USING (gateway_id)
LEFT JOIN (SELECT DISTINCT d.gateway_id FROM gateway_device d JOIN device_assignment a USING (device_id)
           WHERE a.expected_every IS NOT NULL) used USING (gateway_id)
WHERE g.revoked_at IS NULL
"""

_ROSTER = """
SELECT d.gateway_id, d.name, d.profile, d.told_at, d.device_id, d.visited_at, d.outcome, d.reason, d.identity,
       d.complete_at, d.heard_at, d.battery_low, d.repairs
FROM gateway_device d JOIN gateway g USING (gateway_id) WHERE g.revoked_at IS NULL
"""

_HOLDINGS = """
SELECT r.device_id, d.manufacturer || ' ' || d.model, r.holds, r.missing, r.complete_gateway_id, r.complete_at,
       r.complete_told_at, r.holes, r.first_known, r.last_known,
       (SELECT count(*) FROM quarantine q WHERE q.device_id = r.device_id AND q.reading_id IS NULL)
           + (SELECT count(*) FROM quarantine q
              WHERE q.gateway_id = r.complete_gateway_id AND q.reason_code = 'refused_by_database'),
       (SELECT s.ended_at FROM device_session s
        WHERE s.device_id = r.device_id AND s.complete AND s.session_id <> r.complete_session_id
          AND s.started_at < r.complete_at
        ORDER BY s.started_at DESC LIMIT 1)
FROM reconciliation r JOIN device d USING (device_id)
WHERE r.missing > 0
"""

_USES = """
SELECT assignment_id, patient_id, device_id, label, every, since, measured_at, held_at
FROM expected_use WHERE valid @> %(now)s
"""
