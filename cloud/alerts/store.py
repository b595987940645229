"""All SQL of alerts and of the cases that they open or join."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerting.lifecycle import State
from alerting.limits import Priority
from cloud.alerts.models import Case, Episode
from cloud.db.connect import Connection, as_rows

Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """A case event with the id that it got."""

    event_id: int
    case_id: UUID
    patient_id: UUID


def lock_open_cases(connection: Connection, keys: Collection[Key]) -> Mapping[Key, Case]:
    """The open cases among these patients and conditions, locked in the order of their key until the commit."""
    locked = connection.execute(_LOCK_OPEN, (as_rows([{"patient_id": p, "condition": c} for p, c in keys]),)).fetchall()
    # Read afterwards: a statement that waits for a lock sees the alerts as they were before it waited.
    rows = connection.execute(_READ_CASES, ([case_id for (case_id,) in locked],)) if locked else ()
    return {
        (patient_id, condition): Case(
            case_id=case_id,
            state=State(state),
            priority=Priority(priority),
            deadline=deadline,
            spoken_at=spoken_at,
        )
        for patient_id, condition, case_id, state, priority, deadline, spoken_at in rows
    }


def known_alerts(connection: Connection, reading_ids: Collection[str]) -> frozenset[tuple[UUID, str]]:
    """(reading_id, condition) of the alerts that these readings already raised."""
    rows = connection.execute(
        "SELECT reading_id, condition FROM alert WHERE reading_id = ANY(%s::uuid[])", (list(reading_ids),)
    )
    return frozenset((reading_id, condition) for reading_id, condition in rows)


def open_cases(connection: Connection, episodes: Mapping[Key, Episode], at: datetime) -> frozenset[Key]:
    """Insert new cases; those that another worker opened first are missing from the answer."""
    if not episodes:
        return frozenset()
    rows = [
        {
            "case_id": episode.case.case_id,
            "patient_id": patient_id,
            "condition": condition,
            **_figures(episode, at),
        }
        for (patient_id, condition), episode in episodes.items()
    ]
    won = connection.execute(_OPEN, (as_rows(rows),))
    return frozenset((patient_id, condition) for patient_id, condition in won)


def update_cases(connection: Connection, episodes: Sequence[Episode], at: datetime) -> None:
    """Write what alerts did to cases that are locked."""
    if episodes:
        rows = [{"case_id": e.case.case_id, **_figures(e, at)} for e in episodes]
        connection.execute(_UPDATE_CASES, (as_rows(rows),))


def record(connection: Connection, episodes: Sequence[Episode], at: datetime) -> Sequence[StoredEvent]:
    """Write the alerts and the events of cases that are locked or just opened."""
    if not episodes:
        return ()
    connection.execute(_INSERT_ALERTS, (as_rows([row for e in episodes for row in _alert_rows(e, at)]),))
    patients = {e.case.case_id: event.cause.patient_id for e in episodes for event in e.events}
    stored = connection.execute(_INSERT_EVENTS, (as_rows([row for e in episodes for row in _event_rows(e, at)]),))
    return [StoredEvent(event_id=i, case_id=case_id, patient_id=patients[case_id]) for i, case_id in stored]


def _figures(episode: Episode, at: datetime) -> dict[str, object]:
    case, speaks = episode.case, episode.speaks
    return {
        "state": case.state,
        "priority": case.priority,
        "deadline": case.deadline,
        "sentence": speaks.alert.reason.sentence if speaks else None,
        "reason": speaks.alert.reason if speaks else None,
        "at": at,
    }


def _alert_rows(episode: Episode, at: datetime) -> Sequence[dict[str, object]]:
    return [
        {
            "case_id": episode.case.case_id,
            "patient_id": event.cause.patient_id,
            "condition": event.cause.alert.condition,
            "priority": event.cause.alert.priority,
            "reading_id": event.cause.reading_id,
            "effective_time": event.cause.effective_time,
            "reason": event.cause.alert.reason,
            "sentence": event.cause.alert.reason.sentence,
            "at": at,
        }
        for event in episode.events
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
                "priority": event.cause.alert.priority,
                "late": event.cause.alert.late,
            },
        }
        for event in episode.events
    ]


_LOCK_OPEN = """
SELECT c.case_id
FROM alert_case c
JOIN json_to_recordset(%s::json) AS r(patient_id uuid, condition text) USING (patient_id, condition)
WHERE c.state NOT IN ('resolved', 'expired')
ORDER BY c.patient_id, c.condition
FOR UPDATE OF c
"""

_READ_CASES = """
SELECT c.patient_id, c.condition, c.case_id, c.state, c.priority, c.deadline,
       coalesce((SELECT max(a.effective_time) FROM alert a WHERE a.case_id = c.case_id AND a.priority = c.priority),
                c.opened_at)
FROM alert_case c
WHERE c.case_id = ANY(%s)
"""

_OPEN = """
INSERT INTO alert_case (case_id, patient_id, condition, priority, state, sentence, reason, opened_at, deadline,
                        changed_at)
SELECT case_id, patient_id, condition, priority, state, sentence, reason, at, deadline, at
FROM json_to_recordset(%s::json) AS r(case_id uuid, patient_id uuid, condition text, priority text, state text,
                                      sentence text, reason jsonb, deadline timestamptz, at timestamptz)
ORDER BY patient_id, condition
ON CONFLICT (patient_id, condition) WHERE state NOT IN ('resolved', 'expired') DO NOTHING
RETURNING patient_id, condition
"""

_UPDATE_CASES = """
UPDATE alert_case c SET
    state = r.state,
    priority = r.priority,
    deadline = r.deadline,
    sentence = coalesce(r.sentence, c.sentence),
    reason = coalesce(r.reason, c.reason),
    changed_at = r.at
FROM json_to_recordset(%s::json) AS r(case_id uuid, state text, priority text, deadline timestamptz, sentence text,
                                      reason jsonb, at timestamptz)
WHERE c.case_id = r.case_id
"""

_INSERT_ALERTS = """
INSERT INTO alert (case_id, patient_id, condition, priority, reading_id, effective_time, reason, sentence, raised_at)
SELECT case_id, patient_id, condition, priority, reading_id, effective_time, reason, sentence, at
FROM json_to_recordset(%s::json) AS r(case_id uuid, patient_id uuid, condition text, priority text, reading_id uuid,
                                      effective_time timestamptz, reason jsonb, sentence text, at timestamptz)
"""

_INSERT_EVENTS = """
INSERT INTO case_event (case_id, at, event, from_state, to_state, data)
SELECT case_id, at, event, from_state, to_state, data
FROM json_to_recordset(%s::json) AS r(case_id uuid, at timestamptz, event text, from_state text, to_state text,
                                      data jsonb)
RETURNING event_id, case_id
"""
