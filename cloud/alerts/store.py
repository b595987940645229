"""All SQL of findings (``alert``) and of the cases that they open or join."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.life import Life
from alerting.lifecycle import State
from alerting.tiers import PRIORITY_OF, Tier, graver
from cloud.alerts.models import Case, Episode, Key, PatientFinding
from cloud.db.connect import Connection, as_rows

# What tells a finding: patient, condition, the time that it is about, and the reading, where it is one.
Identity = tuple[UUID, str, datetime, UUID | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """A case event with the id that it got."""

    event_id: int
    case_id: UUID
    patient_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """When and at which tier a person last closed a case."""

    at: datetime
    tier: Tier


def identity(found: PatientFinding) -> Identity:
    """What two of the same have in common, whatever their tier."""
    reading_id = UUID(found.reading_id) if found.reading_id is not None else None
    return found.patient_id, found.finding.condition, found.finding.at, reading_id


def lock_open_cases(connection: Connection, keys: Collection[Key]) -> Mapping[Key, Case]:
    """The open cases among these patients and conditions, locked in the order of their key until the commit."""
    locked = connection.execute(_LOCK_OPEN, (_as_keys(keys),)).fetchall()
    # Read afterwards: a statement that waits for a lock sees the alerts as they were before it waited.
    rows = connection.execute(_READ_CASES, ([case_id for (case_id,) in locked],)) if locked else ()
    return {
        (patient_id, condition): Case(case_id=case_id, life=_life(*life), spoken_at=spoken_at)
        for patient_id, condition, case_id, spoken_at, *life in rows
    }


def known(connection: Connection, found: Iterable[PatientFinding]) -> Mapping[Identity, Tier]:
    """Those of these findings that were written down before, with the gravest tier that they had."""
    rows = [{"patient_id": p, "condition": c, "at": at, "reading_id": r} for p, c, at, r in map(identity, found)]
    tiers: dict[Identity, Tier] = {}
    for *key, tier in connection.execute(_KNOWN, (as_rows(rows),)):
        of: Identity = (key[0], key[1], key[2], key[3])
        tiers[of] = graver(tiers.get(of, Tier(tier)), Tier(tier))
    return tiers


def cases_of(connection: Connection, patient_id: UUID, reading_ids: Sequence[str]) -> Mapping[tuple[UUID, str], UUID]:
    """The newest case of each of these readings, by the condition."""
    if not reading_ids:
        return {}
    rows = connection.execute(
        "SELECT reading_id, condition, case_id FROM alert WHERE patient_id = %s AND reading_id = ANY(%s::uuid[])"
        " ORDER BY raised_at, alert_id",
        (patient_id, list(reading_ids)),
    )
    return {(reading_id, condition): case_id for reading_id, condition, case_id in rows}


def last_closed(connection: Connection, keys: Collection[Key]) -> Mapping[Key, Closed]:
    """The last case that a person closed, of each of these that ever had one."""
    rows = connection.execute(_LAST_CLOSED, (_as_keys(keys),)) if keys else ()
    return {(patient_id, condition): Closed(at=at, tier=Tier(tier)) for patient_id, condition, at, tier in rows}


def open_cases(connection: Connection, episodes: Sequence[Episode], at: datetime) -> frozenset[UUID]:
    """Insert new cases; those that another worker opened first are missing from the answer."""
    if not episodes:
        return frozenset()
    rows = [
        {
            "patient_id": episode.events[0].cause.patient_id,
            "condition": episode.events[0].cause.finding.condition,
            "closed_as": episode.closed_as,
            **_figures(episode, at),
        }
        for episode in episodes
    ]
    return frozenset(case_id for (case_id,) in connection.execute(_OPEN, (as_rows(rows),)))


def update_cases(connection: Connection, episodes: Sequence[Episode], at: datetime) -> None:
    """Write what findings did to cases that are locked."""
    if episodes:
        connection.execute(_UPDATE_CASES, (as_rows([_figures(e, at) for e in episodes]),))


def record(connection: Connection, episodes: Sequence[Episode], at: datetime) -> Sequence[StoredEvent]:
    """Write the findings and the events of cases that are locked or just opened; have the escalation look at them."""
    if not episodes:
        return ()
    patients = {e.case.case_id: event.cause.patient_id for e in episodes for event in e.events}
    rows = {
        "alerts": as_rows([row for e in episodes for row in _alert_rows(e, at)]),
        "events": as_rows([row for e in episodes for row in _event_rows(e, at)]),
    }
    stored = connection.execute(_RECORD, rows)
    events = [StoredEvent(event_id=i, case_id=case_id, patient_id=patients[case_id]) for i, case_id in stored]
    waiting = sorted(episode.case.case_id for episode in episodes if episode.wakes)
    if waiting:
        connection.execute("SELECT wake_case(case_id, %s) FROM unnest(%s::uuid[]) AS case_id", (at, waiting))
    return events


def tell(connection: Connection, events: Sequence[StoredEvent]) -> None:
    """The console's live stream hears of these once this commits: ids only."""
    if events:
        rows = [
            {"type": "case", "case_id": e.case_id, "patient_id": e.patient_id, "event_id": e.event_id} for e in events
        ]
        connection.execute(
            "SELECT pg_notify('live', notice::text) FROM json_array_elements(%s::json) AS notice", (as_rows(rows),)
        )


def _as_keys(keys: Iterable[Key]) -> str:
    return as_rows([{"patient_id": patient_id, "condition": condition} for patient_id, condition in keys])


def _life(state: str, tier: str, *rest: Any) -> Life:
    return Life(state=State(state), tier=Tier(tier), **dict(zip(_LIFE, rest, strict=True)))


def _figures(episode: Episode, at: datetime) -> dict[str, object]:
    life, speaks = episode.case.life, episode.speaks
    return {
        "case_id": episode.case.case_id,
        "state": life.state,
        "tier": life.tier,
        "priority": PRIORITY_OF[life.tier],
        **{name: getattr(life, name) for name in _LIFE},
        "sentence": speaks.sentence if speaks else None,
        "reason": speaks.reason if speaks else None,
        "at": at,
    }


def _alert_rows(episode: Episode, at: datetime) -> Sequence[dict[str, object]]:
    return [
        {
            "case_id": episode.case.case_id,
            "patient_id": found.patient_id,
            "condition": found.finding.condition,
            "tier": found.tier,
            "priority": PRIORITY_OF[found.tier],
            "reading_id": found.reading_id,
            "effective_time": found.finding.at,
            "reason": found.reason,
            "sentence": found.sentence,
            "at": at,
        }
        for found in episode.findings
    ]


def _event_rows(episode: Episode, at: datetime) -> Sequence[dict[str, object]]:
    return [
        {
            "case_id": episode.case.case_id,
            "at": at,
            "event": event.event,
            "from_state": event.from_state,
            "to_state": event.to_state,
            "data": {
                "reading_id": event.cause.reading_id,
                "tier": event.cause.tier,
                "priority": PRIORITY_OF[event.cause.tier],
                "late": event.cause.tier is Tier.RETROSPECTIVE,
            },
        }
        for event in episode.events
    ]


# The columns of ``Life`` beside state and tier, in the order in which they are read.
_LIFE = (
    "raised_at", "deadline", "contact_by", "next_at", "round", "step", "escalated_to", "owner", "lease_until",
    "offered_to", "contacted_at", "silenced_until", "silenced_by", "silenced_why",
)  # fmt: skip

_LOCK_OPEN = """
SELECT c.case_id
FROM alert_case c
JOIN json_to_recordset(%s::json) AS r(patient_id uuid, condition text) USING (patient_id, condition)
WHERE c.state NOT IN ('resolved', 'expired')
ORDER BY c.patient_id, c.condition
FOR UPDATE OF c
"""

_READ_CASES = """
SELECT c.patient_id, c.condition, c.case_id,
       coalesce((SELECT max(a.effective_time) FROM alert a WHERE a.case_id = c.case_id AND a.tier = c.tier),
                c.opened_at),
       c.state, c.tier, c.raised_at, c.deadline, c.contact_by, c.next_at, c.round, c.step, c.escalated_to, c.owner,
       c.lease_until, c.offered_to, c.contacted_at, c.silenced_until, c.silenced_by, c.silenced_why
FROM alert_case c
WHERE c.case_id = ANY(%s)
"""

_KNOWN = """
SELECT a.patient_id, a.condition, a.effective_time, a.reading_id, a.tier
FROM json_to_recordset(%s::json) AS r(patient_id uuid, condition text, at timestamptz, reading_id uuid)
JOIN alert a ON a.patient_id = r.patient_id AND a.condition = r.condition AND a.effective_time = r.at
            AND a.reading_id IS NOT DISTINCT FROM r.reading_id
"""

_LAST_CLOSED = """
SELECT DISTINCT ON (c.patient_id, c.condition) c.patient_id, c.condition, coalesce(c.resolved_at, c.changed_at), c.tier
FROM alert_case c
JOIN json_to_recordset(%s::json) AS r(patient_id uuid, condition text) USING (patient_id, condition)
WHERE c.state IN ('resolved', 'expired') AND c.closed_automatically IS NULL
ORDER BY c.patient_id, c.condition, coalesce(c.resolved_at, c.changed_at) DESC
"""

_OPEN = """
INSERT INTO alert_case (case_id, patient_id, condition, tier, priority, state, sentence, reason, opened_at, raised_at,
                        deadline, contact_by, next_at, changed_at, resolved_at, closed_automatically)
SELECT case_id, patient_id, condition, tier, priority, state, sentence, reason, at, raised_at,
       deadline, contact_by, next_at, at, CASE WHEN closed_as IS NOT NULL THEN at END, closed_as
FROM json_to_recordset(%s::json) AS r(case_id uuid, patient_id uuid, condition text, tier text, priority text,
                                      state text, sentence text, reason jsonb, raised_at timestamptz,
                                      deadline timestamptz, contact_by timestamptz, next_at timestamptz,
                                      closed_as text, at timestamptz)
ORDER BY patient_id, condition
ON CONFLICT (patient_id, condition) WHERE state NOT IN ('resolved', 'expired') DO NOTHING
RETURNING case_id
"""

_UPDATE_CASES = """
UPDATE alert_case c SET
    state = r.state,
    tier = r.tier,
    priority = r.priority,
    raised_at = r.raised_at,
    deadline = r.deadline,
    contact_by = r.contact_by,
    next_at = r.next_at,
    round = r.round,
    step = r.step,
    escalated_to = r.escalated_to,
    owner = r.owner,
    lease_until = r.lease_until,
    offered_to = r.offered_to,
    contacted_at = r.contacted_at,
    silenced_until = r.silenced_until,
    silenced_by = r.silenced_by,
    silenced_why = r.silenced_why,
    sentence = coalesce(r.sentence, c.sentence),
    reason = coalesce(r.reason, c.reason),
    changed_at = r.at
FROM json_to_recordset(%s::json) AS r(case_id uuid, state text, tier text, priority text, raised_at timestamptz,
                                      deadline timestamptz, contact_by timestamptz, next_at timestamptz,
                                      round integer, step smallint, escalated_to text, owner uuid,
                                      lease_until timestamptz, offered_to uuid, contacted_at timestamptz,
                                      silenced_until timestamptz, silenced_by uuid, silenced_why text,
                                      sentence text, reason jsonb, at timestamptz)
WHERE c.case_id = r.case_id
"""

_RECORD = """
WITH found AS (
    INSERT INTO alert (case_id, patient_id, condition, tier, priority, reading_id, effective_time, reason, sentence,
                       raised_at)
    SELECT case_id, patient_id, condition, tier, priority, reading_id, effective_time, reason, sentence, at
    FROM json_to_recordset(%(alerts)s::json) AS r(case_id uuid, patient_id uuid, condition text, tier text,
                                                  priority text, reading_id uuid, effective_time timestamptz,
                                                  reason jsonb, sentence text, at timestamptz)
)
INSERT INTO case_event (case_id, at, event, from_state, to_state, data)
SELECT case_id, at, event, from_state, to_state, data
FROM json_to_recordset(%(events)s::json) AS r(case_id uuid, at timestamptz, event text, from_state text, to_state text,
                                              data jsonb)
RETURNING event_id, case_id
"""
