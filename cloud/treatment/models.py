"""Medication and treatment changes, and what is typed to note them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationEntry:
    """``since`` None: nobody knows. ``dose`` is a text, as it was said."""

    drug: str
    dose: str
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Medication(MedicationEntry):
    """``entered_by`` and ``ended_by`` are display names; ``until`` is the last day on which it was taken."""

    medication_id: UUID
    entered_by: str
    entered_at: datetime
    ended_by: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEntry:
    """``changed_on``: on the patient's calendar."""

    changed_on: date
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentChange(ChangeEntry):
    """``withdrawn_at``: it was noted in error."""

    change_id: UUID
    noted_by: str
    noted_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """``now`` is taken today; ``before`` was. Newest first."""

    now: list[Medication]
    before: list[Medication]
    changes: list[TreatmentChange]
