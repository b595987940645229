"""A follow-up, the plans from which they are made, and what a hospital wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class What(StrEnum):
    """What is to be done; a questionnaire is sent by itself."""

    CALL = "call"
    QUESTIONNAIRE = "questionnaire"
    VISIT = "visit"
    CHECK = "check"


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``after_days``: from the day on which the plan begins."""

    what: What
    after_days: int
    questionnaire: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """English texts, translated where they are shown, and kept in the patient's record as they were chosen."""

    plan_id: str
    version: int
    title: str
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharge:
    """What was typed of a summary."""

    discharged_on: date
    about: str
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One that was taken."""

    discharged_on: date
    about: str
    entered_by: str
    entered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """``owner`` None: whoever of the care team comes first. ``made_by`` None: the patient, who asked for a call.

    Names are display names.
    """

    follow_up_id: UUID
    patient_id: UUID
    patient_name: str
    time_zone: str
    what: What
    questionnaire: str | None
    note: str
    due_on: date
    owner: str | None
    owner_id: UUID | None
    made_by: str | None
    state: State
    why: str
    ended_by: str | None
    ended_at: datetime | None
    is_of_summary: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", What(self.what))
        object.__setattr__(self, "state", State(self.state))

    def standing(self, today: date) -> str:
        """open, due, overdue, done or skipped on this day of the patient's."""
        if self.state is not State.OPEN:
            return self.state.value
        return "overdue" if self.due_on < today else "due" if self.due_on == today else "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What a nurse sees: of their patients, by how pressing it is. ``is_all``: there are no more than these."""

    overdue: Sequence[FollowUp]
    due: Sequence[FollowUp]
    coming: Sequence[FollowUp]
    is_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """How many are due today, and since before, on the patients' calendars."""

    today: int
    overdue: int
