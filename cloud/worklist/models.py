"""A case as people see it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerting.lifecycle import CLOSED, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case with what a row shows. ``measured_at`` is of its latest reading, ``readings`` how many it has."""

    case_id: UUID
    patient_id: UUID
    patient_name: str
    time_zone: str
    condition: str
    priority: str
    state: State
    owner: UUID | None
    owner_name: str | None
    sentence: str
    opened_at: datetime
    deadline: datetime
    changed_at: datetime
    measured_at: datetime | None
    readings: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED

    @property
    def is_waiting(self) -> bool:
        """Nobody works on it: its deadline counts."""
        return self.state in (State.RAISED, State.ESCALATED)

    @property
    def order(self) -> str:
        """Where it stands in the worklist: priority, then deadline. Sorts as text, for the page to do the same."""
        rank = {"high": 0, "medium": 1}.get(self.priority, 2)
        return f"{rank} {self.deadline:%Y-%m-%dT%H:%M:%S.%f} {self.case_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why a case was not changed: ``code`` names the words in ``texts.CONFLICTS``."""

    code: str
    case: Case
