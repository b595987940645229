"""A course as its trainees see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alerting.dispositions import MEANINGS, Disposition
from alerting.synthetic.scenes import NEEDS_SOMEBODY, Kind
from alerting.tiers import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """One case of a training patient, and what became of it. ``taken_at``: when somebody first took it."""

    case_id: UUID
    patient_id: UUID
    condition: str
    tier: Tier
    state: str
    opened_at: datetime
    taken_at: datetime | None
    disposition: str | None

    @property
    def taken_after(self) -> timedelta | None:
        return self.taken_at - self.opened_at if self.taken_at is not None else None

    @property
    def was_acted_on(self) -> bool:
        """Closed as something that was done for the patient."""
        known = {code.value for code in Disposition}
        return self.disposition in known and MEANINGS[Disposition(self.disposition)].actionable


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was true: of which kind, which crisis, and when."""

    kind: Kind
    crisis: str | None
    at: datetime

    @property
    def needs_somebody(self) -> bool:
        return self.kind in NEEDS_SOMEBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """One patient of a course. ``told`` is None until the course has ended."""

    patient_id: UUID
    display_name: str
    time_zone: str
    cases: Sequence[Worked]
    told: Told | None

    @property
    def was_acted_on(self) -> bool:
        return any(case.was_acted_on for case in self.cases)

    @property
    def fits(self) -> bool:
        """Something was done exactly where somebody had to."""
        return self.told is not None and self.told.needs_somebody == self.was_acted_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The courses of one person hold the patients whom they learn on."""

    course_id: UUID
    started_at: datetime
    ended_at: datetime | None
    patients: Sequence[Learnt]

    @property
    def fitting(self) -> int:
        return sum(one.fits for one in self.patients)
