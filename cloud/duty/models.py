"""The roster as it is stored and as its page shows it; and a gap in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from alerting.duty import DutyRole, Hole, Hours, Roster, Turn
from alerting.working_time import WorkingDays
from cloud.auth.models import Role

# Whose account may be on duty as what. A nurse may stand in for the lead nurse, and a lead nurse works as a nurse.
MAY_BE: Mapping[DutyRole, frozenset[Role]] = {
    DutyRole.NURSE: frozenset({Role.NURSE, Role.LEAD_NURSE}),
    DutyRole.DOCTOR: frozenset({Role.DOCTOR}),
    DutyRole.LEAD_NURSE: frozenset({Role.LEAD_NURSE, Role.NURSE}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyPerson:
    """Somebody who is on duty now. ``until`` is None where no roster says it: everybody of the role is on duty then."""

    account_id: UUID
    display_name: str
    role: DutyRole
    order: int = 1
    until: datetime | None = None
    instead_of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Somebody of the staff, by name and role."""

    account_id: UUID
    display_name: str
    role: Role

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The roster with the calendar of the site and whom it names. ``is_placed``: somebody said in which zone we are."""

    roster: Roster
    working: WorkingDays
    zone_name: str
    is_placed: bool
    staff: Mapping[UUID, Staff]

    def people(self, role: DutyRole) -> list[DutyPerson]:
        """Everybody of the role: who is on duty where there is no roster for it."""
        of_role = [person for person in self.staff.values() if person.role.value == role.value]
        return [
            DutyPerson(account_id=person.account_id, display_name=person.display_name, role=role)
            for person in sorted(of_role, key=lambda person: (person.display_name, person.account_id))
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift as stored. ``weekday`` is None for one of a single day."""

    shift_id: UUID
    role: DutyRole
    account_id: UUID
    weekday: int | None
    starts: time
    ends: time
    first_day: date
    last_day: date | None
    order: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", DutyRole(self.role))

    @property
    def hours(self) -> Hours:
        return Hours(starts=self.starts, ends=self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShift:
    """A shift that somebody wants to add; ``weekday`` None: of ``first_day`` alone."""

    role: DutyRole
    account_id: UUID
    weekday: int | None
    hours: Hours
    first_day: date
    last_day: date | None
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayEntry:
    """Somebody will be away, as typed."""

    account_id: UUID
    starts: datetime
    ends: datetime
    cover: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEntry:
    """Where we are and when we work, as typed. ``phone``: whom patients call, E.164; empty: nobody is named."""

    time_zone: str
    working_days: Sequence[int]
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Somebody is away, as stored."""

    absence_id: UUID
    account_id: UUID
    starts: datetime
    ends: datetime
    cover: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayRow:
    """A holiday, as stored."""

    day: date
    name: str
    own_roster: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One role on one day: turns that begin then (on the first day also those that go on), and where nobody is."""

    has_roster: bool
    turns: Sequence[Turn]
    holes: Sequence[Hole]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the page, midnight to midnight of the site."""

    day: date
    holiday: str | None
    cells: Mapping[DutyRole, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleNow:
    """Who is on duty for a role now. ``has_roster`` False: everybody of the role in the patient's care team."""

    role: DutyRole
    has_roster: bool
    people: Sequence[DutyPerson]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPage:
    """All that the page shows. ``holes``: of nurses and doctors. ``shifts``: those that differ in weekday alone."""

    plan: Plan
    today: date
    now: Sequence[RoleNow]
    days: Sequence[Day]
    holes: int
    shifts: Sequence[Sequence[Shift]]
    absences: Sequence[Away]
    holidays: Sequence[HolidayRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyGap:
    """Nobody could be told of a role since then. ``cases``: how many that ran into it wait; ``zone``: the site's."""

    gap_id: UUID
    role: DutyRole
    why: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by_name: str | None
    cases: int
    zone: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", DutyRole(self.role))
