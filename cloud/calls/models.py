"""A call as people see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """What came of a call."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``contact_id`` None: to the patient. ``number`` None: not one of the card. ``outcome`` None: under way."""

    call_id: UUID
    case_id: UUID
    account_id: UUID
    caller: str
    contact_id: UUID | None
    contact_name: str | None
    relation: str | None
    number: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    note: str

    def __post_init__(self) -> None:
        if self.outcome is not None:
            object.__setattr__(self, "outcome", Outcome(self.outcome))
