"""Who is on duty: weekly shifts by the site's wall clock, dated exceptions, people who are away and who stands in.

Wall-clock times become instants by one rule, for the end of a shift as for the beginning of the next: a time that the
clock skips in spring is the moment when it has moved on, one that it shows twice in autumn is the first. So nobody is
missing and nobody doubled at either edge; a shift from 22:00 to 06:00 lasts 7 or 9 hours then.

All spans include their start and not their end. Instants are aware.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from uuid import UUID


class DutyRole(StrEnum):
    """For what somebody is on duty; the names are those of the accounts' roles."""

    NURSE = "nurse"
    DOCTOR = "doctor"  # the doctor on call
    LEAD_NURSE = "lead_nurse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From a wall-clock time to another; one that is not later than the start is on the next day."""

    starts: time
    ends: time

    def span(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """The instants of a shift that begins on ``day``."""
        last = day if self.ends > self.starts else day + timedelta(days=1)
        return instant_of(day, self.starts, zone), instant_of(last, self.ends, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyShift:
    """One person's shift on one weekday (Monday is 0), on days from ``first_day`` to ``last_day``, both included.

    ``order`` is the on-call order: whoever has the lowest is called first, several may have the same.
    """

    role: DutyRole
    account_id: UUID
    weekday: int
    hours: Hours
    first_day: date
    last_day: date | None = None
    order: int = 1

    def on(self, day: date) -> bool:
        """Whether it begins on this day, holidays aside."""
        in_force = self.first_day <= day and (self.last_day is None or day <= self.last_day)
        return in_force and day.weekday() == self.weekday


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedShift:
    """One person's shift on one day: the roster of a holiday, or one more than usual."""

    role: DutyRole
    account_id: UUID
    day: date
    hours: Hours
    order: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """Not a working day. With a roster of its own no weekly shift begins on it; one of the day before goes on."""

    day: date
    name: str
    own_roster: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The person is away; ``cover`` stands in for them in all their shifts (None: nobody). Two of these are a swap."""

    account_id: UUID
    starts: datetime
    ends: datetime
    cover: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """All that says who is on duty, at one site. ``known``: roles that have a roster, of which nothing is in here."""

    zone: tzinfo
    weekly: Sequence[WeeklyShift] = ()
    dated: Sequence[DatedShift] = ()
    holidays: Sequence[Holiday] = ()
    absences: Sequence[Absence] = ()
    known: frozenset[DutyRole] = frozenset()

    def knows(self, role: DutyRole) -> bool:
        """Whether anybody ever made a roster for the role. What has run out is a hole, and not "no roster"."""
        return role in self.known or any(x.role is role for x in self.weekly) or any(x.role is role for x in self.dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One person on duty, for as long as nothing changes about it. ``instead_of``: whose shift it is, if another's."""

    role: DutyRole
    account_id: UUID
    starts: datetime
    ends: datetime
    order: int = 1
    instead_of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Nobody is on duty for the role in this span."""

    role: DutyRole
    starts: datetime
    ends: datetime


def instant_of(day: date, at: time, zone: tzinfo) -> datetime:
    """The instant (UTC) of a wall-clock time: the first of two; where the clock skips it, when it has moved on."""
    wall = datetime.combine(day, at)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # In a gap: read with the offset from after it, the time lies before the change; with the one from before, after it.
    before, after = int(wall.replace(tzinfo=zone, fold=1).timestamp()), int(first.timestamp())
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
    return datetime.fromtimestamp(after, UTC)


def turns(roster: Roster, role: DutyRole, start: datetime, end: datetime) -> tuple[Turn, ...]:
    """Everybody's turns that touch the span, whole, by start and on-call order; who is away is replaced or left out."""
    found = [
        turn
        for shift, (starts, ends) in _shifts(roster, role, start, end)
        for turn in _manned(shift, starts, ends, roster.absences)
        if turn.ends > start and turn.starts < end
    ]
    return tuple(sorted(found, key=lambda turn: (turn.starts, turn.order, turn.account_id)))


def on_duty(roster: Roster, role: DutyRole, at: datetime) -> tuple[Turn, ...]:
    """Whoever is on duty at this instant, in on-call order; each person once."""
    now = [turn for turn in turns(roster, role, at, at + timedelta(microseconds=1)) if turn.starts <= at < turn.ends]
    by_person: dict[UUID, Turn] = {}
    for turn in sorted(now, key=lambda turn: (turn.order, turn.starts, turn.account_id)):
        by_person.setdefault(turn.account_id, turn)
    return tuple(by_person.values())


def holes(roster: Roster, role: DutyRole, start: datetime, end: datetime) -> tuple[Hole, ...]:
    """The parts of the span in which nobody is on duty for the role, in order."""
    found: list[Hole] = []
    covered_until = start
    for turn in turns(roster, role, start, end):
        if turn.starts > covered_until:
            found.append(Hole(role=role, starts=covered_until, ends=turn.starts))
        covered_until = max(covered_until, turn.ends)
    if covered_until < end:
        found.append(Hole(role=role, starts=covered_until, ends=end))
    return tuple(found)


def next_change_at(roster: Roster, roles: Iterable[DutyRole], at: datetime, within: timedelta) -> datetime | None:
    """The first instant after ``at`` and within the span from which others are on duty; None: nothing changes."""
    roles = tuple(roles)
    until = at + within
    edges = {
        edge
        for role in roles
        for turn in turns(roster, role, at, until)
        for edge in (turn.starts, turn.ends)
        if at < edge <= until
    }
    now = {role: _people(roster, role, at) for role in roles}
    return next(
        (edge for edge in sorted(edges) if any(_people(roster, role, edge) != now[role] for role in roles)), None
    )


def _offset(timestamp: int, zone: tzinfo) -> timedelta | None:
    return datetime.fromtimestamp(timestamp, zone).utcoffset()


def clash(
    one: WeeklyShift | DatedShift, other: WeeklyShift | DatedShift, own_roster: Collection[date] = frozenset()
) -> bool:
    """Whether one person would be on duty twice for the same role, by wall clock.

    On days of ``own_roster`` no weekly shift begins. Two weekly shifts clash whatever the holidays are.
    """
    if (one.account_id, one.role) != (other.account_id, other.role):
        return False
    if isinstance(one, DatedShift):
        return _clashes_with(one, other, own_roster)
    if isinstance(other, DatedShift):
        return _clashes_with(other, one, own_roster)
    first = max(one.first_day, other.first_day)
    last = min(one.last_day or date.max, other.last_day or date.max)
    if first > last:
        return False
    # Shifts of a week repeat: what does not clash within two weeks from the first common day never does.
    until = min(last, first + timedelta(days=14)) if last - first > timedelta(days=14) else last
    days = [first + timedelta(days=n - 1) for n in range((until - first).days + 3)]
    spans, others = ([_wall(shift.hours, day) for day in days if shift.on(day)] for shift in (one, other))
    return any(a[0] < b[1] and b[0] < a[1] for a in spans for b in others)


def _clashes_with(dated: DatedShift, other: WeeklyShift | DatedShift, own_roster: Collection[date]) -> bool:
    begins, ends = _wall(dated.hours, dated.day)
    if isinstance(other, DatedShift):
        days = [other.day]
    else:
        around = (dated.day + timedelta(days=n) for n in (-1, 0, 1))
        days = [day for day in around if other.on(day) and day not in own_roster]
    return any(begins < b and a < ends for a, b in (_wall(other.hours, day) for day in days))


def _wall(hours: Hours, day: date) -> tuple[datetime, datetime]:
    last = day if hours.ends > hours.starts else day + timedelta(days=1)
    return datetime.combine(day, hours.starts), datetime.combine(last, hours.ends)


def _people(roster: Roster, role: DutyRole, at: datetime) -> tuple[tuple[int, UUID], ...]:
    return tuple((turn.order, turn.account_id) for turn in on_duty(roster, role, at))


def _shifts(
    roster: Roster, role: DutyRole, start: datetime, end: datetime
) -> Iterator[tuple[WeeklyShift | DatedShift, tuple[datetime, datetime]]]:
    # A shift may have begun the day before, and zones differ by up to a day from UTC.
    first = start.astimezone(roster.zone).date() - timedelta(days=2)
    days = (end.astimezone(roster.zone).date() - first).days + 2
    own = {holiday.day for holiday in roster.holidays if holiday.own_roster}
    weekly: dict[int, list[WeeklyShift]] = {}
    for shift in roster.weekly:
        if shift.role is role:
            weekly.setdefault(shift.weekday, []).append(shift)
    for day in (first + timedelta(days=n) for n in range(days)):
        # Many begin at the same time, and a clock takes its time to be read.
        spans: dict[Hours, tuple[datetime, datetime]] = {}
        for shift in weekly.get(day.weekday(), ()):
            if day not in own and shift.on(day):
                span = spans.get(shift.hours) or spans.setdefault(shift.hours, shift.hours.span(day, roster.zone))
                yield shift, span
    for dated in roster.dated:
        if dated.role is role and first <= dated.day <= first + timedelta(days=days):
            yield dated, dated.hours.span(dated.day, roster.zone)


def _manned(
    shift: WeeklyShift | DatedShift, starts: datetime, ends: datetime, absences: Sequence[Absence]
) -> Iterator[Turn]:
    """The shift in parts between which somebody goes away or comes back; a part that nobody covers is left out."""
    if not absences:
        if starts < ends:
            yield _turn(shift, shift.account_id, starts, ends)
        return
    edges = {edge for absence in absences for edge in (absence.starts, absence.ends) if starts < edge < ends}
    cuts = [starts, *sorted(edges), ends]
    last: Turn | None = None
    for begins, finishes in pairwise(cuts):
        if begins >= finishes:
            continue
        person = _present(shift.account_id, begins, absences)
        if last is not None and last.account_id == person:
            last = _turn(shift, person, last.starts, finishes)
            continue
        if last is not None:
            yield last
        last = None if person is None else _turn(shift, person, begins, finishes)
    if last is not None:
        yield last


def _turn(shift: WeeklyShift | DatedShift, person: UUID, starts: datetime, ends: datetime) -> Turn:
    return Turn(
        role=shift.role,
        account_id=person,
        starts=starts,
        ends=ends,
        order=shift.order,
        instead_of=None if person == shift.account_id else shift.account_id,
    )


def _present(person: UUID, at: datetime, absences: Sequence[Absence]) -> UUID | None:
    """The person, or whoever stands in: the cover's own absence counts, too. None where that leads to nobody."""
    asked: set[UUID] = set()
    current: UUID | None = person
    while current is not None and current not in asked:
        asked.add(current)
        away = [a for a in absences if a.account_id == current and a.starts <= at < a.ends]
        if not away:
            return current
        # Two absences at once: one with a cover counts.
        current = next((a.cover for a in away if a.cover is not None), None)
    return None
