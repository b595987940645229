"""All SQL that reads the stored state of the fleet for its judgement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from alerting.technical.fleet import Component, Fleet, Gateway, Holdings, RosterEntry, Use
from cloud.db.connect import Connection, as_rows
from cloud.fleet.schedules import Key, Overdue


def fleet(connection: Connection, judging_since: datetime, uses: Sequence[Use]) -> Fleet:
    """Everything that is judged."""
    return Fleet(
        judging_since=judging_since,
        components=_components(connection),
        gateways=_gateways(connection),
        roster=_roster(connection),
        holdings=_holdings(connection),
        uses=uses,
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


def uses(connection: Connection, late: Sequence[Overdue], now: datetime) -> Sequence[tuple[Overdue, Use]]:
    """The devices with which these measurements are made: those that have made such, else all that never made any."""
    if not late:
        return ()
    by_key = {one.key: one for one in late}
    asked = as_rows([{"patient_id": patient_id, "kind": kind} for patient_id, kind in by_key])
    found: dict[Key, list[tuple[bool, Use]]] = {}
    for patient_id, kind, assignment_id, device_id, label, since, held_at, is_known in connection.execute(
        USES, {"asked": asked, "now": now}
    ):
        one = by_key[patient_id, kind]
        use = use_of(one, assignment_id, device_id, label, since, held_at)
        found.setdefault(one.key, []).append((is_known, use))
    return [(by_key[key], use) for key, of in found.items() for use in chosen(of)]


def use_of(
    one: Overdue, assignment_id: UUID, device_id: str, label: str, since: datetime, held_at: datetime | None
) -> Use:
    """The use of a device that such a measurement is made with."""
    return Use(
        assignment_id=str(assignment_id),
        device_id=device_id,
        label=label,
        since=max(since, one.since),
        missed_since=one.reason.missed_since,
        reached=one.reason.limit,
        measured_at=one.measured_at,
        held_at=held_at,
    )


def chosen(of: Sequence[tuple[bool, Use]]) -> Sequence[Use]:
    """Those known to measure this kind; where there is none, any of which nothing is known."""
    known = [use for is_known, use in of if is_known]
    return known or [use for _, use in of]


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
           WHERE a.patient_id IN (SELECT patient_id FROM measurement_slot)) used USING (gateway_id)
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

USES = """
SELECT r.patient_id, r.kind, a.assignment_id, a.device_id, d.manufacturer || ' ' || d.model,
       coalesce(lower(a.valid), d.first_seen_at), d.last_held_at, made.kind
FROM json_to_recordset(%(asked)s::json) AS r(patient_id uuid, kind text)
JOIN device_assignment a ON a.patient_id = r.patient_id AND a.valid @> %(now)s::timestamptz
JOIN device d USING (device_id)
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM ledger l WHERE l.device_id = a.device_id AND l.kind = r.kind) AS kind) made
WHERE made.kind OR NOT EXISTS (SELECT FROM ledger l WHERE l.device_id = a.device_id)
ORDER BY a.assignment_id
"""
