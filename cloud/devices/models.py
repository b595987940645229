"""What is known about a device's users."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A patient used a device from ``since`` (inclusive) to ``until`` (exclusive; None: still).

    ``user_index`` is a cuff's user slot; None means whoever uses it.
    """

    device_id: str
    user_index: int | None
    patient_id: UUID
    since: datetime | None
    until: datetime | None

    def covers(self, time: datetime) -> bool:
        """Whether the assignment was valid then."""
        return (self.since is None or self.since <= time) and (self.until is None or time < self.until)


def patient_at(assignments: Iterable[Assignment], user_index: int | None, time: datetime) -> UUID | None:
    """Who used the device at that time; the assignment of the user slot goes before that of the whole device."""
    whole: UUID | None = None
    for assignment in assignments:
        if not assignment.covers(time):
            continue
        if assignment.user_index is None:
            whole = assignment.patient_id
        elif assignment.user_index == user_index:
            return assignment.patient_id
    return whole
