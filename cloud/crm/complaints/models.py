"""A complaint or a suggestion, the table of its states, and what is shown of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.auth.models import Role

# Who reads complaints at all; whose is said by the database (0028_voices.sql).
HANDLING: Final = frozenset({Role.NURSE, Role.LEAD_NURSE, Role.DOCTOR, Role.COORDINATOR})
# To whom one can be given.
OWNING: Final = HANDLING


class Kind(StrEnum):
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"


class State(StrEnum):
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    IN_WORK = "in_work"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"


class Act(StrEnum):
    """What changes the state. REOPEN is the patient's, too."""

    ACKNOWLEDGE = "acknowledge"
    BEGIN = "begin"
    ANSWER = "answer"
    CLOSE = "close"
    REOPEN = "reopen"


# The one table: whatever is not in it cannot be done. An answer may be mended until it is closed.
STATES: Final[Mapping[tuple[State, Act], State]] = {
    (State.RECEIVED, Act.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.REOPENED, Act.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Act.BEGIN): State.IN_WORK,
    (State.IN_WORK, Act.ANSWER): State.ANSWERED,
    (State.ANSWERED, Act.ANSWER): State.ANSWERED,
    (State.ANSWERED, Act.CLOSE): State.CLOSED,
    (State.ANSWERED, Act.REOPEN): State.REOPENED,
    (State.CLOSED, Act.REOPEN): State.REOPENED,
}
OPEN: Final = frozenset({State.RECEIVED, State.ACKNOWLEDGED, State.IN_WORK, State.REOPENED})
# Nobody has told the patient yet that it is here.
UNACKNOWLEDGED: Final = frozenset({State.RECEIVED, State.REOPENED})


class Outcome(StrEnum):
    """What became of it; the first three and the last of a complaint, the next two of a suggestion."""

    JUSTIFIED = "justified"
    PARTLY = "partly"
    NOT_JUSTIFIED = "not_justified"
    TAKEN_UP = "taken_up"
    NOT_TAKEN_UP = "not_taken_up"
    WITHDRAWN = "withdrawn"


OUTCOMES: Final[Mapping[Kind, Sequence[Outcome]]] = {
    Kind.COMPLAINT: (Outcome.JUSTIFIED, Outcome.PARTLY, Outcome.NOT_JUSTIFIED, Outcome.WITHDRAWN),
    Kind.SUGGESTION: (Outcome.TAKEN_UP, Outcome.NOT_TAKEN_UP, Outcome.WITHDRAWN),
}


def acts(state: State) -> Sequence[Act]:
    """What can be done now, in the order of the table."""
    return tuple(act for (of, act) in STATES if of is state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One as it was typed. ``about``: somebody of the staff; None: nobody is named."""

    kind: Kind
    body: str
    wants_call: bool
    harm: bool
    about: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Names are display names; ``taken_by`` None: the patient wrote it. ``leads``: whoever asks answers for it."""

    complaint_id: UUID
    number: int
    patient_id: UUID
    patient_name: str
    time_zone: str
    in_care: bool
    kind: Kind
    way: str
    body: str
    wants_call: bool
    harm: bool
    taken_by: str | None
    received_at: datetime
    state: State
    owner: str | None
    owner_id: UUID | None
    acknowledge_by: datetime
    answer_by: datetime
    overdue_at: datetime | None
    outcome: Outcome | None
    words: str | None
    answered_by: str | None
    answered_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    leads: bool
    has_page: bool
    themes: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "state", State(self.state))
        object.__setattr__(self, "outcome", Outcome(self.outcome) if self.outcome else None)

    @property
    def due(self) -> datetime:
        """By when something has to happen next."""
        return self.acknowledge_by if self.state in UNACKNOWLEDGED else self.answer_by

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_overdue(self, now: datetime) -> bool:
        return self.is_open and self.due <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The same as the patient reads it."""

    complaint_id: UUID
    number: int
    kind: Kind
    body: str
    received_at: datetime
    state: State
    answer_by: datetime
    outcome: Outcome | None
    words: str | None
    answered_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "state", State(self.state))
        object.__setattr__(self, "outcome", Outcome(self.outcome) if self.outcome else None)

    @property
    def can_be_reopened(self) -> bool:
        return self.state in (State.ANSWERED, State.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A line of the history. ``by`` None: by a link, or of itself."""

    at: datetime
    event: str
    by: str | None
    to_state: State
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Of whom it speaks."""

    account_id: UUID
    name: str
    added_by: str | None
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A complaint with all that its page shows. ``staff``: who can own it or be its subject, by id."""

    complaint: Complaint
    history: Sequence[Happened]
    subjects: Sequence[Subject]
    staff: Mapping[UUID, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Overdue ones first; ``over``: answered and closed, the newest first."""

    overdue: Sequence[Complaint]
    open: Sequence[Complaint]
    over: Sequence[Complaint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many complaints wait for one person, those that are overdue among them; and comments of surveys not read."""

    complaints: int
    overdue: int
    comments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A theme in a month: complaints and suggestions, comments of surveys, findings of audits."""

    theme: str
    month: date
    counts: Mapping[str, int]

    @property
    def n(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done about a theme."""

    theme: str
    body: str
    done_on: date
    written_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """``name`` and what it is: a ZIP."""

    name: str
    octets: bytes
    parts: Mapping[str, int]
