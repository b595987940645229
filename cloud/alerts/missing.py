"""All SQL of the case of a measurement that nobody made: one open case for each patient, as for every condition.

It is never closed by itself: no programme allows it yet. A measurement that comes is written into the case, and a
person closes it. From then on the patient's interval runs anew, and another silence is another case.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.lifecycle import Event, State, after
from alerting.limits import Priority
from alerting.technical.absence import MISSING_MEASUREMENT, Absence
from alerting.tiers import TERMS, Tier
from cloud.db.connect import Connection, as_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    case_id: UUID
    state: State
    sentence: str
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """``event`` is the name in the case's history."""

    patient_id: UUID
    case_id: UUID
    event: str
    from_state: State | None
    to_state: State
    sentence: str
    reason: Mapping[str, object]


def file(
    connection: Connection, absences: Mapping[UUID, Absence], measured: Mapping[UUID, datetime], at: datetime
) -> int:
    """Open the cases that are missing, and say in open ones what has happened since; gives how many changed.

    ``measured``: of patients who are not late with anything, when they last measured. The caller commits.
    """
    cases = _lock(connection, {*absences, *measured})
    changes = [*_raised(connection, {p: a for p, a in absences.items() if p not in cases}, at)]
    for patient_id, case in cases.items():
        if (absence := absences.get(patient_id)) is not None:
            if _episode(case.reason) != _episode(absence.reason):
                changes.append(_joined(patient_id, case, "join", absence.sentence, absence.reason))
        elif "measured_at" not in case.reason and measured[patient_id] > datetime.fromisoformat(case.reason["since"]):
            measured_at = measured[patient_id].isoformat()
            sentence = f"{case.sentence} Measured again since."
            changes.append(_joined(patient_id, case, "measured", sentence, {**case.reason, "measured_at": measured_at}))
    _record(connection, changes, at)
    return len(changes)


def _episode(reason: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes it another silence: since when, and with what. The evidence may change from visit to visit."""
    return (
        reason.get("since"),
        sorted(use["assignment_id"] for use in reason.get("uses", ())),
        reason.get("measured_at"),
    )


def _joined(patient_id: UUID, case: _Open, event: str, sentence: str, reason: Mapping[str, object]) -> _Change:
    return _Change(
        patient_id=patient_id,
        case_id=case.case_id,
        event=event,
        from_state=case.state,
        to_state=after(case.state, Event.JOIN),
        sentence=sentence,
        reason=reason,
    )


def _lock(connection: Connection, patient_ids: Iterable[UUID]) -> dict[UUID, _Open]:
    rows = connection.execute(
        "SELECT patient_id, case_id, state, sentence, reason FROM alert_case"
        " WHERE condition = %s AND patient_id = ANY(%s) AND state NOT IN ('resolved', 'expired')"
        " ORDER BY patient_id FOR UPDATE",
        (MISSING_MEASUREMENT, list(patient_ids)),
    )
    return {
        patient_id: _Open(case_id=case_id, state=State(state), sentence=sentence, reason=reason)
        for patient_id, case_id, state, sentence, reason in rows
    }


def _raised(connection: Connection, absences: Mapping[UUID, Absence], at: datetime) -> list[_Change]:
    if not absences:
        return []
    rows = [
        {
            "patient_id": patient_id,
            "condition": MISSING_MEASUREMENT,
            "sentence": absence.sentence,
            "reason": absence.reason,
            "priority": Priority.LOW,
            "deadline": at + TERMS[Tier.ROUTINE].acknowledge_within,
            "at": at,
        }
        for patient_id, absence in absences.items()
    ]
    return [
        _Change(
            patient_id=patient_id,
            case_id=case_id,
            event="raise",
            from_state=None,
            to_state=State.RAISED,
            sentence=absences[patient_id].sentence,
            reason=absences[patient_id].reason,
        )
        for patient_id, case_id in connection.execute(_OPEN_CASES, (as_rows(rows),))
    ]


def _record(connection: Connection, changes: Iterable[_Change], at: datetime) -> None:
    """Write the events, and what the case says now; tell whoever listens once this commits."""
    rows = [
        {
            "patient_id": change.patient_id,
            "case_id": change.case_id,
            "event": change.event,
            "from_state": change.from_state,
            "to_state": change.to_state,
            "sentence": change.sentence,
            "reason": change.reason,
            "at": at,
        }
        for change in changes
    ]
    if rows:
        connection.execute(_SAY, {"rows": as_rows(rows)})


_OPEN_CASES = """
INSERT INTO alert_case (patient_id, condition, priority, state, sentence, reason, opened_at, deadline, changed_at)
SELECT patient_id, condition, priority, 'raised', sentence, reason, at, deadline, at
FROM json_to_recordset(%s::json) AS r(patient_id uuid, condition text, priority text, sentence text, reason jsonb,
                                      deadline timestamptz, at timestamptz)
ORDER BY patient_id
ON CONFLICT (patient_id, condition) WHERE state NOT IN ('resolved', 'expired') DO NOTHING
RETURNING patient_id, case_id
"""

_SAY = """
WITH said AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r(patient_id uuid, case_id uuid, event text, from_state text,
                                                         to_state text, sentence text, reason jsonb, at timestamptz)
), updated AS (
    UPDATE alert_case c SET state = said.to_state, sentence = said.sentence, reason = said.reason, changed_at = said.at
    FROM said WHERE c.case_id = said.case_id AND said.from_state IS NOT NULL
), written AS (
    INSERT INTO case_event (case_id, at, event, from_state, to_state, data)
    SELECT case_id, at, event, from_state, to_state, jsonb_build_object('since', reason -> 'since') FROM said
    RETURNING event_id, case_id
)
SELECT pg_notify('live', json_build_object('type', 'case', 'case_id', written.case_id, 'patient_id', said.patient_id,
                                           'event_id', written.event_id)::text)
FROM written JOIN said USING (case_id)
"""
