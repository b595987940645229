"""Hours, slots, what is booked, what is wished for, and what the pages show of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.auth.models import CLINICAL, Role
from cloud.duty.models import Staff
from cloud.visits.models import Visit, Way

# Who makes appointments for patients, and whom patients can have one with.
BOOKING: Final = CLINICAL | {Role.COORDINATOR}
SEEING: Final = CLINICAL
# Nobody sits before an empty screen for longer. A proposal of this project.
OPENS_BEFORE: Final = timedelta(minutes=10)
# Who says when patients are seen.
KEEPING: Final = frozenset({Role.LEAD_NURSE, Role.COORDINATOR, Role.ADMINISTRATOR})


class State(StrEnum):
    """How an appointment stands. OFFERED: kept for somebody who waited, until they answer."""

    OFFERED = "offered"
    BOOKED = "booked"
    TOOK_PLACE = "took_place"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    LAPSED = "lapsed"


# What somebody of the staff says became of it.
ENDS: Final = (State.TOOK_PLACE, State.NO_SHOW, State.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Somebody sees patients: on a weekday (Monday is 0) between two days, or (None) on ``first_day`` alone.

    ``starts`` and ``ends`` are the site's wall clock, on one day; ``slot_minutes`` are minutes that pass.
    """

    hours_id: UUID
    account_id: UUID
    ways: Sequence[Way]
    place: str
    link: str
    weekday: int | None
    starts: time
    ends: time
    slot_minutes: int
    for_patients: bool
    first_day: date
    last_day: date | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "ways", tuple(Way(way) for way in self.ways))


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Nobody is seen between two instants: by this person, or (None) by anybody."""

    closure_id: UUID
    account_id: UUID | None
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Somebody has no time between two instants, whyever."""

    seen_by: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time at which somebody sees a patient, from ``starts_at`` on and before ``ends_at``."""

    seen_by: UUID
    starts_at: datetime
    ends_at: datetime
    ways: Sequence[Way]
    place: str = ""
    link: str = ""
    for_patients: bool = True

    @property
    def key(self) -> str:
        """What a form says of it."""
        return f"{self.seen_by} {self.starts_at:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What is to be booked; ``visit_id``: the invitation that it arranges."""

    seen_by: UUID
    starts_at: datetime
    ends_at: datetime
    way: Way
    place: str
    link: str
    visit_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """What a calendar says of an appointment: nothing of whom it is with, but ``seen_by_name``, a display name."""

    appointment_id: UUID
    seen_by_name: str
    way: Way
    place: str
    link: str
    starts_at: datetime
    ends_at: datetime
    state: State
    changed_at: datetime
    sequence: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "way", Way(self.way))
        object.__setattr__(self, "state", State(self.state))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """A lecture or an activity that a patient said they come to, for their calendar. ``kind``: of texts.EVENT_KINDS."""

    event_id: UUID
    kind: str
    place: str
    link: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    sequence: int
    is_cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment(Dated):
    """One as it stands. ``seen_by_name`` and ``booked_by`` are display names; ``time_zone`` is the patient's."""

    patient_id: UUID
    patient_name: str
    time_zone: str
    seen_by: UUID
    visit_id: UUID | None
    why: str | None
    answer_by: datetime | None
    booked_by: str | None
    booked_at: datetime
    remind_at: datetime | None
    reminded_at: datetime | None
    confirmed_at: datetime | None

    def is_to_come(self, now: datetime) -> bool:
        """Booked, and not over."""
        return self.state is State.BOOKED and self.ends_at > now

    def wants_an_end(self, now: datetime) -> bool:
        """It is over, and nobody has said what became of it."""
        return self.state is State.BOOKED and self.ends_at <= now

    @property
    def opens_at(self) -> datetime:
        """From when on the patient's page leads to a video consultation."""
        return self.starts_at - OPENS_BEFORE

    def is_reminded(self, now: datetime) -> bool:
        """The patient was reminded, and has not answered."""
        return self.is_to_come(now) and self.reminded_at is not None and self.confirmed_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A patient who does not hear in time that the staff moved or cancelled what was, or now is, at ``until``."""

    patient_id: UUID
    patient_name: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which slot would do, as typed; ``seen_by`` None: anybody's."""

    way: Way
    seen_by: UUID | None
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(Wanted):
    """Somebody waits for a freed slot."""

    wish_id: UUID
    patient_id: UUID
    time_zone: str
    visit_id: UUID | None
    asked_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "way", Way(self.way))

    def fits(self, slot: Slot, day_there: date) -> bool:
        """Whether the slot would do; ``day_there``: its day on the patient's calendar."""
        whom = self.seen_by is None or self.seen_by == slot.seen_by
        return whom and self.way in slot.ways and self.first_day <= day_there <= self.last_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a day: a free slot, an appointment of a patient in one's care, or (neither) that the time is taken."""

    starts_at: datetime
    ends_at: datetime
    slot: Slot | None = None
    appointment: Appointment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One person's day."""

    person: Staff
    entries: Sequence[Entry]

    @property
    def free(self) -> int:
        return sum(entry.slot is not None for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the site, midnight to midnight there."""

    day: date
    holiday: str | None
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Free slots of one day, on the reader's calendar."""

    day: date
    slots: Sequence[Slot]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPage:
    """All that is shown of one patient's appointments."""

    invitations: Sequence[Visit]
    to_come: Sequence[Appointment]
    offers: Sequence[Appointment]
    open_ends: Sequence[Appointment]
    past: Sequence[Appointment]
    no_shows: int
    wishes: Sequence[Wish]
    free: Sequence[Free]
    people: Sequence[Staff]
    ways: Sequence[Way]
    way: Way
    seen_by: UUID | None
    more_from: date | None
    site_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who sees patients when, in the site's zone. ``closures``: also of people who are away by the duty roster."""

    zone: tzinfo
    zone_name: str
    hours: Sequence[Hours]
    closures: Sequence[Closure]
    holidays: Mapping[date, str]
    people: Mapping[UUID, Staff]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHours:
    """Hours as typed; ``weekdays`` empty: of ``first_day`` alone."""

    account_id: UUID
    ways: Sequence[Way]
    place: str
    link: str
    weekdays: Sequence[int]
    starts: time
    ends: time
    slot_minutes: int
    for_patients: bool
    first_day: date
    last_day: date | None


class Refusal(StrEnum):
    """Why nothing was booked; the words are texts.APPOINTMENT_REFUSALS."""

    TAKEN = "taken"
    ELSEWHERE = "elsewhere"
    NO_SLOT = "no_slot"
    OVER = "over"
    TOO_MANY = "too_many"
    CLOSED = "closed"


class NotBooked(Exception):
    """It was not booked, or not moved: somebody was faster, or it cannot be."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why
