"""A clinic's telephone systems, what is asked of them, and what they tell of calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

# Whoever has waited longer dials by hand: the page says so, and the telephone is not made to ring any more.
ASKED_WITHIN: Final = timedelta(seconds=15)
# A call whose end nobody told us rings on nobody's page for ever. A proposal of this project.
LONGEST_CALL: Final = timedelta(hours=2)


class Ringing(StrEnum):
    """How it stands with a telephone that was to ring."""

    WAITING = "waiting"
    ASKING = "asking"
    RINGS = "rings"
    SHOWN = "shown"  # the system shows the number, and does not dial it
    FAILED = "failed"
    UNCLEAR = "unclear"
    LATE = "late"


class Heard(StrEnum):
    """What a system tells of a call."""

    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One telephone system. ``sealed``: its secrets."""

    system_id: UUID
    name: str
    kind: str
    settings: Mapping[str, str]
    sealed: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """The telephone on somebody's desk."""

    system_id: UUID
    system: str
    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a system, verified. ``number`` E.164; None: withheld, or none that can be read.

    ``place``: where the recording is; ``sha256`` of it, by ``hashed_by``.
    """

    event_id: str
    signed_at: datetime
    what: Heard
    remote_id: str
    at: datetime
    direction: str = "in"
    number: str | None = None
    extension: str | None = None
    ring_id: UUID | None = None
    place: str | None = None
    sha256: bytes | None = None
    hashed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A telephone that somebody asked to ring."""

    ring_id: UUID
    patient_id: UUID
    number: str
    asked_at: datetime
    state: Ringing
    why: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", Ringing(self.state))

    def stands(self, now: datetime) -> Ringing:
        """LATE where nobody has taken it up for too long."""
        is_late = self.state in (Ringing.WAITING, Ringing.ASKING) and now - self.asked_at > ASKED_WITHIN
        return Ringing.LATE if is_late else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What the jobs need to have a telephone ring, or to say that it is over."""

    ring_id: UUID
    system: System
    extension: str
    number: str
    asked_at: datetime
    state: Ringing
    remote_id: str | None
    finished_at: datetime | None
    began_at: datetime | None
    ended_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A call on the page of whoever's telephone it is. ``names``: their patients with that number."""

    telephone_call_id: UUID
    direction: str
    number: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    patient_id: UUID | None
    call_id: UUID | None
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry of the call log that a call may be."""

    call_id: UUID
    started_at: datetime
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Where the recording of a call is; without a reference ``state`` says why."""

    recording_id: UUID
    patient_id: UUID
    state: str
    reference: str | None = field(repr=False)
    sha256: bytes | None
    hashed_by: str | None
    told_at: datetime
    keep_until: datetime
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A call as the system told of it, with its entry of the call log. ``answers``: of the script, given meanwhile."""

    telephone_call_id: UUID
    direction: str
    number: str | None
    person: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    joined_by: str | None
    call_id: UUID | None
    case_id: UUID | None
    outcome: str | None
    note: str | None
    answers: Sequence[tuple[str, str]] = ()
    candidates: Sequence[Candidate] = ()
    recording: Recording | None = None

    @property
    def spoken_for(self) -> timedelta | None:
        """How long they spoke; None where nobody answered, or it is not over."""
        return self.ended_at - self.answered_at if self.answered_at and self.ended_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What the patient said about recording, and who wrote it down."""

    decision: str
    method: str
    asked_at: datetime
    entered_by: str
    entered_at: datetime
