"""A visit, and what is typed to ask for one."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Way(StrEnum):
    """Where patient and doctor meet."""

    CLINIC = "clinic"
    TELEPHONE = "telephone"
    VIDEO = "video"
    HOME = "home"


class Outcome(StrEnum):
    """How a visit ended."""

    TOOK_PLACE = "took_place"
    DID_NOT_HAPPEN = "did_not_happen"
    CALLED_OFF = "called_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """``by_day``: the last day that will do, on the patient's calendar. ``why`` is read by the patient."""

    way: Way
    by_day: date
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Asked):
    """``starts_at`` None: no appointment is booked for it. Names are display names; ``outcome`` None: it is to come."""

    visit_id: UUID
    patient_id: UUID
    patient_name: str
    time_zone: str
    asked_by: str
    asked_at: datetime
    starts_at: datetime | None
    set_by: str | None
    outcome: Outcome | None
    ended_by: str | None
    ended_at: datetime | None

    def is_late(self, today: date) -> bool:
        """Nobody arranged it in time."""
        return self.outcome is None and self.starts_at is None and self.by_day < today
