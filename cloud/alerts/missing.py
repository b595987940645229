"""The case of a measurement that nobody made: one open case for each patient, as for every condition.

It is never closed by itself: no programme allows it. A measurement that comes is written into the case, and a person
closes it. From then on the patient's silence counts anew, and another one is another case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerting.adherence import MISSING_MEASUREMENT, tier_of
from alerting.pipeline import Finding
from alerting.reasons import SilenceReason
from cloud.alerts import store
from cloud.alerts.models import PatientFinding
from cloud.alerts.service import file_findings
from cloud.alerts.store import StoredEvent
from cloud.db.connect import Connection, as_rows
from cloud.plans.store import rules_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A patient who is to be called, since nobody measured."""

    patient_id: UUID
    reason: SilenceReason


def file(connection: Connection, absent: Sequence[Absent], measured: Mapping[UUID, datetime], at: datetime) -> int:
    """Open the cases that are missing, and say in open ones what has happened since; gives how many events followed.

    ``measured``: of patients who are not late with anything, when they last measured. The caller commits.
    """
    events = [*_raise(connection, absent, at), *_note(connection, measured, at)]
    store.tell(connection, events)
    return len(events)


def _raise(connection: Connection, absent: Sequence[Absent], at: datetime) -> Sequence[StoredEvent]:
    if not absent:
        return ()
    rules = rules_of(connection, {one.patient_id for one in absent}, at)
    found = [
        PatientFinding(
            patient_id=one.patient_id,
            finding=Finding(
                condition=MISSING_MEASUREMENT,
                tier=tier_of(one.reason),
                reason=one.reason,
                at=one.reason.missed_since,
            ),
            terms=rules[one.patient_id].programme.terms,
            rests=False,
        )
        for one in absent
    ]
    return file_findings(connection, found, at)


def _note(connection: Connection, measured: Mapping[UUID, datetime], at: datetime) -> Sequence[StoredEvent]:
    """Write into open cases, once after each silence, that the patient measured again."""
    if not measured:
        return ()
    rows = as_rows([{"patient_id": patient_id, "measured_at": when} for patient_id, when in measured.items()])
    noted = connection.execute(_NOTE, {"rows": rows, "condition": MISSING_MEASUREMENT, "at": at})
    return [StoredEvent(event_id=i, case_id=case_id, patient_id=patient_id) for i, case_id, patient_id in noted]


_NOTE = """
WITH found AS (
    SELECT c.case_id, c.patient_id, c.state, r.measured_at
    FROM alert_case c
    JOIN json_to_recordset(%(rows)s::json) AS r(patient_id uuid, measured_at timestamptz) USING (patient_id)
    CROSS JOIN LATERAL (
        SELECT max(effective_time) AS missed_since, max(raised_at) AS raised_at FROM alert a
        WHERE a.case_id = c.case_id) last
    WHERE c.condition = %(condition)s AND c.state NOT IN ('resolved', 'expired') AND r.measured_at > last.missed_since
      AND NOT EXISTS (SELECT FROM case_event e
                      WHERE e.case_id = c.case_id AND e.event = 'measured' AND e.at >= last.raised_at)
    ORDER BY c.patient_id
    FOR UPDATE OF c
), written AS (
    INSERT INTO case_event (case_id, at, event, from_state, to_state, data)
    SELECT case_id, %(at)s, 'measured', state, state, jsonb_build_object('measured_at', measured_at) FROM found
    RETURNING event_id, case_id
)
SELECT written.event_id, written.case_id, found.patient_id FROM written JOIN found USING (case_id)
"""
