"""Destinations, and what is on its way to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5


class What(StrEnum):
    """What an event is about."""

    PATIENT = "patient"
    CASE = "case"
    VISIT = "visit"
    APPOINTMENT = "appointment"
    CALL = "call"
    COMPLAINT = "complaint"
    SURVEY = "survey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One outside CRM. ``sealed``: its secrets, under PULSEPOST_CRM_KEY."""

    destination_id: UUID
    name: str
    kind: str
    settings: Mapping[str, str]
    sealed: bytes | None = field(repr=False)
    max_age: timedelta
    active: bool
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How it stands. ``failures`` in a row, of different events; ``failing``: the last that failed."""

    failures: int = 0
    failing: UUID | None = None
    down_since: datetime | None = None
    down_why: str | None = None
    not_before: datetime | None = None
    probes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One event for one destination, in our hands until ``leased_until``. ``attempts`` counts this try."""

    seq: int
    event_id: UUID
    destination_id: UUID
    patient_id: UUID
    subject: UUID
    type: str
    at: datetime
    what: What
    thing_id: UUID
    reference: UUID
    data: Mapping[str, object]
    attempts: int
    unclear_since: datetime | None
    since: datetime
    leased_until: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", What(self.what))

    def key(self, verb: str) -> str:
        """The idempotency key of one verb: the same on each try, by whichever process."""
        return key_of(self.event_id, verb)


def key_of(event_id: UUID, verb: str) -> str:
    """Of one verb that follows from an event."""
    return str(uuid5(event_id, verb))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What we know the patient and the thing by over there; None: it is not there, as far as we know.

    ``is_theirs``: the contact was there before us. ``is_there``: the note or the call of this very event. ``is_past``:
    what happened afterwards was told already, as where a dead letter is tried again: this one would undo it.
    """

    contact: str | None = None
    is_theirs: bool = False
    todo: str | None = None
    is_there: bool = False
    is_past: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A destination as its page shows it. ``host``: where it leads, without what might be secret."""

    destination_id: UUID
    name: str
    kind: str
    settings: Mapping[str, str]
    active: bool
    down_since: datetime | None
    down_why: str | None
    not_before: datetime | None
    last_done_at: datetime | None
    waiting: int
    oldest: datetime | None
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What could not be delivered; of whom, nobody is told here."""

    seq: int
    destination_id: UUID
    type: str
    at: datetime
    attempts: int
    last_error: str | None
    ended_at: datetime
    replay_why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """For the banner."""

    name: str
    since: datetime


class Outcome(StrEnum):
    """What became of a hint."""

    NOTED = "noted"  # on the case's timeline
    ECHO = "echo"  # of what we did ourselves
    UNKNOWN = "unknown"  # nothing of ours
    NOTHING = "nothing"  # nothing follows from it
    NOT_SO = "not_so"  # looked at again, it is not so


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A hint that waits."""

    destination_id: UUID
    event_id: str
    kind: str
    remote_id: str
    echo_of: str | None
    heard_at: datetime
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a remote todo is of ours."""

    patient_id: UUID
    reference: UUID
    thing_id: UUID
    completed_at: datetime | None
