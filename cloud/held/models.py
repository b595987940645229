"""A reading that does not count yet, and what was said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from alerting.reasons import UnfamiliarReason
from alerting.sentences import sentence
from cloud.alerts.reasons import from_json

# So long the patient alone is asked (a proposal of this project); then, or where nobody can ask them, the nurse is.
PATIENT_IS_ASKED_FOR: Final = timedelta(hours=4)


class Answer(StrEnum):
    """To "was it you?"."""

    YES = "yes"
    NO = "no"  # and of nobody whom we know
    OTHER = "other"  # somebody else of the house; released once somebody says who


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReading:
    """``patient_id`` is whose it would be by the device, ``reported_time`` what the device said.

    ``by_patient``: the patient answered, and nobody of the staff. ``has_account``: they can be asked on their own page.
    """

    reading_id: UUID
    patient_id: UUID
    patient_name: str
    time_zone: str
    has_account: bool
    device_id: str
    device: str
    user_index: int | None
    effective_time: datetime
    reported_time: str
    received_at: datetime
    unit: str
    systolic: Decimal
    diastolic: Decimal
    pulse: Decimal | None
    reason: Mapping[str, Any]
    asked_at: datetime
    answer: Answer | None
    answered_at: datetime | None
    answered_by: str | None
    by_patient: bool
    answered_why: str | None
    other_patient_id: UUID | None

    def __post_init__(self) -> None:
        if self.answer is not None:
            object.__setattr__(self, "answer", Answer(self.answer))

    @property
    def sentence(self) -> str:
        """Why it is asked, in English; with ``reason`` a page says it in the reader's language."""
        reason = from_json(self.reason)
        return sentence(reason) if isinstance(reason, UnfamiliarReason) else ""

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to say whose it is."""
        return self.answer is None or (self.answer is Answer.OTHER and self.other_patient_id is None)

    def is_the_nurses(self, now: datetime) -> bool:
        """Whether the question is now the nurse's: the patient cannot answer it alone, or has not."""
        if self.answer is Answer.OTHER and self.other_patient_id is None:
            return True
        return self.answer is None and (not self.has_account or now >= self.asked_at + PATIENT_IS_ASKED_FOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A patient whose it may be. ``has_device``: they had this device then, too."""

    patient_id: UUID
    display_name: str
    has_device: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuff:
    """A blood-pressure monitor that a patient has now; ``shared``: somebody said that others use it, too."""

    assignment_id: UUID
    name: str
    serial_number: str | None
    user_index: int | None
    shared: bool
    others: int  # other patients who have it, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a page shows of one patient: open questions first, then what is nobody's of ours or was answered."""

    open: Sequence[HeldReading]
    answered: Sequence[HeldReading]
    people: Sequence[Person]
    cuffs: Sequence[Cuff]
