"""Slots out of hours. Pure.

Wall-clock times become instants by the one rule of ``alerting.duty.instant_of``: what the clock skips in spring is the
moment when it has moved on, what it shows twice in autumn is the first. Hours from 01:00 to 04:00 last two or four
hours then; they are cut into slots of minutes that pass, so that no slot is longer or shorter than it says, and none
overlap. What is left at the end of hours is too short for a slot, and is none.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from uuid import UUID

from alerting.duty import instant_of
from cloud.crm.appointments.models import Closure, Hours, Slot, Taken

Span = tuple[datetime, datetime]


def slots(
    hours: Iterable[Hours],
    zone: tzinfo,
    first: date,
    days: int,
    *,
    holidays: Collection[date] = frozenset(),
    closures: Iterable[Closure] = (),
) -> Sequence[Slot]:
    """All slots that begin on these days of the site, by start and person, taken or not.

    On a holiday no hours of every week are kept; those of that day alone are. A slot that a closure touches is none.
    Of two hours of one person that overlap, both give their slots: what is booked of one takes the other's.
    """
    closed = list(closures)
    found = [
        slot
        for day in (first + timedelta(days=n) for n in range(days))
        for each in hours
        if _is_kept(each, day, holidays)
        for slot in _of_day(each, day, zone)
        if not any(_is_closed(slot, closure) for closure in closed)
    ]
    return sorted(found, key=lambda slot: (slot.starts_at, slot.seen_by, slot.ends_at))


def free(found: Iterable[Slot], taken: Iterable[Taken], after: datetime) -> Sequence[Slot]:
    """Those that begin later than ``after``, and in which their person has time."""
    busy: dict[UUID, list[Span]] = {}
    for one in taken:
        busy.setdefault(one.seen_by, []).append((one.starts_at, one.ends_at))
    return [
        slot
        for slot in found
        if slot.starts_at > after
        and not any(starts < slot.ends_at and slot.starts_at < ends for starts, ends in busy.get(slot.seen_by, ()))
    ]


def by_day(found: Iterable[Slot], zone: tzinfo) -> Mapping[date, Sequence[Slot]]:
    """By the day on this zone's calendar, in order."""
    days: dict[date, list[Slot]] = {}
    for slot in found:
        days.setdefault(slot.starts_at.astimezone(zone).date(), []).append(slot)
    return days


def _is_kept(hours: Hours, day: date, holidays: Collection[date]) -> bool:
    if hours.weekday is None:
        return day == hours.first_day
    in_force = hours.first_day <= day and (hours.last_day is None or day <= hours.last_day)
    return in_force and day.weekday() == hours.weekday and day not in holidays


def _of_day(hours: Hours, day: date, zone: tzinfo) -> Iterator[Slot]:
    length = timedelta(minutes=hours.slot_minutes)
    starts, ends = instant_of(day, hours.starts, zone), instant_of(day, hours.ends, zone)
    while starts + length <= ends:
        yield Slot(
            seen_by=hours.account_id,
            starts_at=starts,
            ends_at=starts + length,
            ways=hours.ways,
            place=hours.place,
            link=hours.link,
            for_patients=hours.for_patients,
        )
        starts += length


def _is_closed(slot: Slot, closure: Closure) -> bool:
    whose = closure.account_id is None or closure.account_id == slot.seen_by
    return whose and closure.starts < slot.ends_at and slot.starts_at < closure.ends
