"""What a patient is reminded of, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID


class Kind(StrEnum):
    """The kinds that can be switched on and off; of appointments the appointments' room reminds."""

    MEASURE = "measure"
    NUDGE = "nudge"
    MEDICATION = "medication"


# Where nobody chose: a measurement that was missed is spoken of with the patient first, and then with a nurse.
ON_UNLESS_SAID: Final = frozenset({Kind.NUDGE})
# A dose that nobody spoke of for longer is no matter of a reminder any more; what is taken so long after its time is
# that dose, after midnight, too (a proposal).
DOSE_FOR: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whether the patient is reminded of this kind. ``set_by`` None: nobody chose."""

    kind: Kind
    is_on: bool
    set_by: str | None = None
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """When a medication is to be taken. ``drug`` is for the patient and the care team alone.

    ``is_quiet``: in the patient's quiet hours, which a reminder waits for.
    """

    time_id: UUID
    medication_id: UUID
    drug: str
    dose: str
    at: time
    taken_days: Sequence[date]
    is_quiet: bool = False

    def is_taken(self, day: date) -> bool:
        return day in self.taken_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminders:
    """All that the page shows. ``medication``: what can be given times, (id, name); ``quiet``: from and until."""

    choices: Sequence[Choice]
    doses: Sequence[Dose]
    medication: Sequence[tuple[UUID, str]]
    quiet: tuple[time, time]
