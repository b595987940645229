"""What is counted, over which months, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from alerting.tiers import Tier
from cloud.auth.models import Role
from cloud.crm.surveys.models import Satisfaction

# Figures are of the whole centre: for whoever answers for it.
LEADING: Final = frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR})
# Fewer than these are not told apart: who knows the ward would know who it is. n is told of everything else.
FEWEST: Final = 5
MOST_MONTHS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole months of the site's calendar, both included; ``starts`` and ``ends`` on its wall clock."""

    first: date
    last: date
    starts: datetime
    ends: datetime
    zone: str

    @property
    def months(self) -> tuple[date, ...]:
        """The first day of each."""
        found = [self.first]
        while found[-1] < self.last:
            found.append((found[-1] + timedelta(days=31)).replace(day=1))
        return tuple(found)


class Wait(NamedTuple):
    """People were to be told of a case: how grave it was then, and what followed. Of a year there are very many."""

    programme_id: str
    tier: Tier
    started_at: datetime
    acknowledged_at: datetime | None
    contacted_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Half were within ``p50``, 95 in 100 within ``p95``; None: none, or too few to tell."""

    n: int
    p50: timedelta | None
    p95: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """How soon something was done. ``late``: of ``promised``, who waited beyond the deadline, done since or not.

    None: of too few to tell.
    """

    spread: Spread
    late: int | None
    promised: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFigures:
    """Of one tier, or of several with too few cases each."""

    tiers: tuple[Tier, ...]
    n: int
    acknowledged: Promise
    contacted: Promise


class Work(NamedTuple):
    """What one person did in one quarter of an hour. Of a year there are very many."""

    account_id: UUID
    quarter: datetime
    acts: int
    taken: int
    closed: int
    calls: int
    messages: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What one person did in shifts of these hours. ``hours`` None: when they were not on the roster."""

    account_id: UUID
    name: str
    role: str
    hours: str | None
    shifts: int
    acts: int
    taken: int
    closed: int
    calls: int
    messages: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCounts:
    """A programme in a month, as the jobs counted it."""

    month: date
    programme_id: str
    display_name: str
    patients: int
    measured: int
    averaged: int
    controlled: int
    scheduled: int
    due: int
    made: int
    readings: int
    cases: int
    counted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeFigures:
    """A programme in a month, or several of few patients each: ``names``. A share of fewer than FEWEST is None."""

    month: date
    programme_ids: tuple[str, ...]
    names: tuple[str, ...]
    patients: int
    measured: int
    averaged: int
    controlled: Decimal | None
    scheduled: int
    due: int
    adherence: Decimal | None
    readings: int
    cases: int
    counted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """Appointments that have ended, by how they were to be; several ways where there were few of each."""

    ways: tuple[str, ...]
    n: int
    no_shows: int
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All of a period. What is of too few to be shown at all is left out, and ``few`` says so."""

    period: Period
    tiers: Sequence[TierFigures]
    few_cases: bool
    workload: Sequence[Workload]
    programmes: Sequence[ProgrammeFigures]
    few_patients: bool
    attended: Sequence[Attended]
    few_appointments: bool
    satisfaction: Sequence[Satisfaction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure as it is exported: what, of whom in general, how many it rests on, and its value."""

    figure: str
    first_month: str
    last_month: str
    programme: str = ""
    tier: str = ""
    role: str = ""
    account_id: str = ""
    hours: str = ""
    way: str = ""
    survey: str = ""
    n: int
    value: float | None
    unit: str


COLUMNS: Final = tuple(field.name for field in fields(Row))
