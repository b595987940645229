"""The order of the stages, from a reading to alerts; reads top to bottom.

Pure: no clock, no database. Same input, same output.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.evaluate import Reason, violations
from alerting.limits import AlarmLimit, Priority
from device_drivers.readings import Reading, Sample

# A reading older than this when it reaches us pages nobody: it opens a retrospective item (proposal, standards 4.3).
LATE_AFTER = timedelta(hours=6)

# Acknowledge within (proposal, standards 4.4: P2, P3; P4 the next working day).
ACKNOWLEDGE_WITHIN = {
    Priority.HIGH: timedelta(minutes=15),
    Priority.MEDIUM: timedelta(hours=2),
    Priority.LOW: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a nurse must act on, before it has a case."""

    condition: str
    priority: Priority
    reason: Reason
    deadline: datetime  # acknowledge by
    late: bool


def alerts(
    reading: Reading, effective_time: datetime, received_at: datetime, limits: Iterable[AlarmLimit]
) -> tuple[Alert, ...]:
    """Alerts of one attributed reading, against the limits in force for its patient."""
    if reading.sample is not Sample.PATIENT:
        return ()
    late = received_at - effective_time > LATE_AFTER
    return tuple(
        Alert(
            condition=violation.condition,
            priority=Priority.LOW if late else violation.priority,
            reason=violation.reason,
            deadline=received_at + ACKNOWLEDGE_WITHIN[Priority.LOW if late else violation.priority],
            late=late,
        )
        for violation in violations(reading, limits)
    )
