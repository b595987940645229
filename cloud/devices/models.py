"""What is known about a device's users."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from device_drivers.wall_clocks import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A patient used a device from ``since`` (inclusive) to ``until`` (exclusive; None: still).

    ``user_index`` is a cuff's user slot; None means whoever uses it. ``zones``: where the patient's walls were.
    ``clock_checked_at``: when somebody last compared the device's clock with a watch and found it right. ``shared``:
    somebody said that others measure with it, too.
    """

    device_id: str
    user_index: int | None
    patient_id: UUID
    since: datetime | None
    until: datetime | None
    zones: Zones
    clock_checked_at: datetime | None = None
    shared: bool = False

    def covers(self, time: datetime) -> bool:
        """Whether the assignment was valid then."""
        return (self.since is None or self.since <= time) and (self.until is None or time < self.until)


def assignment_at(assignments: Iterable[Assignment], user_index: int | None, time: datetime) -> Assignment | None:
    """Whose the device was at that time; the assignment of the user slot goes before that of the whole device."""
    whole: Assignment | None = None
    for assignment in assignments:
        if not assignment.covers(time):
            continue
        if assignment.user_index is None:
            whole = assignment
        elif assignment.user_index == user_index:
            return assignment
    return whole


def assignment_throughout(
    assignments: Sequence[Assignment], user_index: int | None, oldest: datetime, newest: datetime
) -> Assignment | None:
    """Whose the device was from one time to another, both included; None where that changed, or was nobody's."""
    for assignment in assignments:
        for edge in (assignment.since, assignment.until):
            if edge is not None and oldest < edge <= newest:
                return None
    return assignment_at(assignments, user_index, oldest)


def is_shared(assignments: Iterable[Assignment], time: datetime) -> bool:
    """Whether more than one person measured with the device then: two patients have it, or somebody said so."""
    valid = [assignment for assignment in assignments if assignment.covers(time)]
    return any(a.shared for a in valid) or len({a.patient_id for a in valid}) > 1


def patient_at(assignments: Iterable[Assignment], user_index: int | None, time: datetime) -> UUID | None:
    """Who used the device at that time."""
    assignment = assignment_at(assignments, user_index, time)
    return assignment.patient_id if assignment else None
