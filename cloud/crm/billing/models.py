"""Rules of billing codes, what they are held against, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.auth.models import CLINICAL, Role

# Who sees lists of evidence; an administrator is in no care team, and sees counts alone.
BILLING: Final = frozenset({Role.LEAD_NURSE, Role.COORDINATOR, Role.ADMINISTRATOR})
CLOSING: Final = frozenset({Role.LEAD_NURSE, Role.COORDINATOR})
EVIDENCE: Final = CLINICAL | {Role.COORDINATOR}


class Basis(StrEnum):
    """What a code counts."""

    DAYS = "days"  # of the patient's calendar with a valid reading of a device, in a supply period
    MINUTES = "minutes"  # of clinical staff, in a calendar month of the patient


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRule:
    """One code. ``further``: it counts once for each so many beyond what ``beyond`` needs, which must be supported.

    ``excluded_by``: where one of these is supported for the same time, this one is not.
    """

    code: str
    basis: Basis
    at_least: int
    at_most: int | None = None
    further: int | None = None
    beyond: str | None = None
    interactive: bool = False
    excluded_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """The rules of a time: they hold for what lies as a whole between ``since`` and ``until`` (None: it goes on)."""

    version: str
    since: date
    until: date | None
    supply_days: int  # of a supply period
    codes: tuple[CodeRule, ...]
    source: str
    source_read: date

    def holds(self, first: date, last: date) -> bool:
        """Whether both days, and so all between them, are of its time."""
        return self.since <= first and (self.until is None or last <= self.until)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, by its first day."""

    first: date

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def before(self) -> "Month":
        """The month before it."""
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    def __str__(self) -> str:
        return self.first.isoformat()[:7]


@dataclass(frozen=True, slots=True)
class Worked:
    """Minutes of one person, from ``starts`` until before ``ends``."""

    starts: datetime
    ends: datetime
    interactive: bool


class State(StrEnum):
    """What is to be said of a code."""

    SUPPORTED = "supported"  # the time is over, and all that the rule asks for is there
    REACHED = "reached"  # it would be, if the time were over
    NOT_YET = "not_yet"  # something lacks, and may still come
    LACKING = "lacking"  # the time is over, and something lacks: not claimed
    EXCLUDED = "excluded"  # another code takes its place
    NO_RULE = "no_rule"  # no rules are known for this time: not claimed


class Why(StrEnum):
    """What lacks, where something does."""

    DAYS = "days"
    MINUTES = "minutes"
    CONVERSATION = "conversation"  # nobody spoke with the patient in that month
    OTHER_CODE = "other_code"
    NO_RULE = "no_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One code for one time. ``figure``: days or whole minutes; ``needed`` for the next, and ``missing`` to there."""

    code: str
    basis: Basis
    state: State
    first: date
    last: date
    figure: int
    needed: int
    missing: int = 0
    units: int = 0
    why: Why | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A month of a patient. ``minutes`` are whole ones; ``days``: readings of each day that lines rest on."""

    rulebook: str | None
    lines: tuple[Line, ...]
    minutes: int
    spoken: bool
    days: Mapping[date, int]
    entries: tuple[UUID, ...] = ()

    @property
    def supported(self) -> tuple[Line, ...]:
        """What could be claimed."""
        return tuple(line for line in self.lines if line.state is State.SUPPORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a patient beside readings and minutes.

    ``supplied_since`` and ``supplied_until``: from when to when they had a device, each time that they took part.
    """

    patient_id: UUID
    display_name: str
    time_zone: str
    supplied_since: Sequence[datetime]
    supplied_until: Sequence[datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A frozen month."""

    evidence: Evidence
    rulebook: str
    closed_by: str
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMonth:
    """A patient's month as it is shown: frozen where ``closed``. ``changed``: what is known now says something else."""

    patient: Known
    month: Month
    starts: datetime
    ends: datetime
    evidence: Evidence
    closed: Closed | None
    changed: bool
    is_over: bool


class Activity(StrEnum):
    """What minutes were spent on."""

    CALL = "call"
    VIDEO = "video"
    MESSAGE = "message"
    REVIEW = "review"  # of readings and of the case


# A longer one was forgotten, more likely than spoken (proposal; migrations/sql/0025_billing.sql has it, too).
LONGEST_CALL: Final = timedelta(minutes=60)
# In real time, both ways: what a conversation can be had by.
LIVE: Final = frozenset({Activity.CALL, Activity.VIDEO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Minutes as they are typed."""

    starts: datetime
    ends: datetime
    activity: Activity
    interactive: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """An entry of the ledger as people see it."""

    entry_id: UUID
    patient_id: UUID
    account_id: UUID
    name: str
    starts: datetime
    ends: datetime
    activity: str
    interactive: bool
    origin: str
    call_id: UUID | None
    case_id: UUID | None
    note: str
    written_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_why: str | None

    @property
    def seconds(self) -> int:
        """How long it was."""
        return int((self.ends - self.starts).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReading:
    """That a device measured, when, and which: no value. ``zone``: where the patient was then."""

    reading_id: UUID
    kind: str
    day: date
    at: datetime
    zone: str
    device: str
    counts: bool
    why_not: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodDays:
    """What was measured on the days of a supply period. ``first`` and ``last`` None: on those of none of them."""

    first: date | None
    last: date | None
    days: Mapping[date, Sequence[DeviceReading]]

    @property
    def counted(self) -> int:
        """On how many days there is a reading that counts."""
        return sum(any(one.counts for one in readings) for readings in self.days.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbookedCall:
    """A call in which somebody was reached, of which nothing was booked."""

    call_id: UUID
    name: str
    account_id: UUID
    started_at: datetime
    ended_at: datetime

    @property
    def is_long(self) -> bool:
        """It was not booked for its length (``book_call`` of 0025)."""
        return self.ended_at - self.started_at > LONGEST_CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Of a closed month: how many patients have a code supported, and how often; None: too few to be told apart."""

    code: str
    patients: int | None
    units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of patients' months."""

    month: Month
    shown: Sequence[PatientMonth]
    page: int
    pages: int
    patients: int
