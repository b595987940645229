"""An event (a lecture or an activity), a place at it, a group, and who is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

LONGEST_TITLE: Final = 120
LONGEST_PLAN: Final = 1000
LONGEST_NAME: Final = 100
LONGEST_ABOUT: Final = 500
LONGEST_SHOWN_AS: Final = 60
LONGEST_SAID: Final = 500
MOST_PLACES: Final = 1000
MARKS: Final = (1, 2, 3, 4, 5)

# A day before, so that whoever cannot come makes room; and for a week afterwards they may say how it was (proposals).
REMIND_BEFORE: Final = timedelta(hours=24)
EVALUATE_WITHIN: Final = timedelta(days=7)


class Kind(StrEnum):
    LECTURE = "lecture"
    ACTIVITY = "activity"


class Audience(StrEnum):
    """Who may enrol by themselves; INVITED: nobody but who was invited."""

    ALL = "all"
    GROUP = "group"
    INVITED = "invited"


class SeatState(StrEnum):
    INVITED = "invited"
    COMING = "coming"
    CANNOT = "cannot"
    ATTENDED = "attended"
    ABSENT = "absent"


class MemberState(StrEnum):
    ASKED = "asked"
    IN = "in"
    DECLINED = "declined"
    LEFT = "left"


class NoPlace(Exception):
    """All places are taken; or more are than a change would leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """What is typed. ``group_id``: of an event for a group."""

    kind: Kind
    title: str
    plan: str
    language: str
    place: str
    link: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    audience: Audience
    group_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(NewEvent):
    """``coming``: how many places are taken, by whomever. ``useful``, ``clear``: means; None of fewer than five."""

    event_id: UUID
    group_name: str | None
    made_by: str
    changed_at: datetime
    sequence: int
    cancelled_at: datetime | None
    coming: int
    invited: int
    attended: int
    answers: int
    useful: Decimal | None
    clear: Decimal | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "audience", Audience(self.audience))

    @property
    def left(self) -> int:
        return max(0, self.capacity - self.coming)

    def standing(self, now: datetime) -> str:
        """to_come, now, over or cancelled."""
        if self.cancelled_at is not None:
            return "cancelled"
        return "to_come" if now < self.starts_at else "now" if now < self.ends_at else "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What one patient said about an event, and what became of it."""

    seat_id: UUID
    event_id: UUID
    patient_id: UUID
    patient_name: str
    state: SeatState
    changed_at: datetime
    is_evaluated: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", SeatState(self.state))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEvent:
    """An event as a patient sees it; ``state`` None: they may enrol."""

    event: Event
    seat_id: UUID | None
    state: SeatState | None
    is_evaluated: bool

    def may_enrol(self, now: datetime) -> bool:
        """Whether they can say that they come: there is a place, and it has not begun."""
        return (
            self.event.standing(now) == "to_come"
            and self.event.left > 0
            and self.state in (None, SeatState.INVITED, SeatState.CANNOT)
        )

    def may_evaluate(self, now: datetime) -> bool:
        """Whether they can say how it was: it is over, and they came, or nobody said that they did not."""
        return (
            self.event.standing(now) == "over"
            and now < self.event.ends_at + EVALUATE_WITHIN
            and self.state in (SeatState.COMING, SeatState.ATTENDED)
            and not self.is_evaluated
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is typed: 1 (not at all) to 5 (very)."""

    useful: int
    clear: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A remark of a patient in one's care."""

    patient_name: str
    useful: int
    clear: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """``members``: how many are in it, by whomever they are cared for."""

    group_id: UUID
    name: str
    about: str
    programme: str | None
    made_by: str
    made_at: datetime
    closed_at: datetime | None
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A patient in one's care who was asked. ``shown_as``: by which name the others may see them."""

    member_id: UUID
    patient_id: UUID
    patient_name: str
    state: MemberState
    shown_as: str | None
    asked_at: datetime
    answered_by: str | None
    answered_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", MemberState(self.state))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGroup:
    """A group as a patient sees it: those of the others who want to be seen, by the names they chose."""

    group_id: UUID
    name: str
    about: str
    state: MemberState
    shown_as: str | None
    members: int
    others: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", MemberState(self.state))
