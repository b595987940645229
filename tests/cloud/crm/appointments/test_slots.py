"""Slots out of hours, at both edges of summer time and anywhere else."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.appointments.models import Closure, Hours, Slot, Taken
from cloud.crm.appointments.slots import by_day, free, slots
from tests.cloud.crm.appointments.made import MONDAY, hours

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
# Both edges, one of half an hour, one at midnight, and none at all.
ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Shanghai")
]
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


def walls(found: Sequence[Slot], zone: ZoneInfo = COPENHAGEN) -> list[str]:
    return [f"{slot.starts_at.astimezone(zone):%H:%M}" for slot in found]


def test_hours_of_every_week_are_cut_into_slots_on_their_weekday_alone() -> None:
    nine_to_ten = hours(time(9), time(10, 5), minutes=20)
    assert walls(slots([nine_to_ten], COPENHAGEN, MONDAY, 7)) == ["09:00", "09:20", "09:40"]
    assert slots([nine_to_ten], COPENHAGEN, MONDAY + timedelta(days=1), 6) == []


def test_hours_of_a_day_are_kept_on_a_holiday_and_those_of_every_week_are_not() -> None:
    weekly, dated = (
        hours(time(9), time(10), minutes=60),
        hours(time(14), time(15), minutes=60, weekday=None, first=MONDAY),
    )
    found = slots([weekly, dated], COPENHAGEN, MONDAY, 1, holidays={MONDAY})
    assert walls(found) == ["14:00"]


def test_hours_hold_from_their_first_day_to_their_last() -> None:
    some = hours(time(9), time(10), minutes=60, first=MONDAY, last=MONDAY + timedelta(days=7))
    found = slots([some], COPENHAGEN, MONDAY - timedelta(days=14), 60)
    assert [slot.starts_at.date() for slot in found] == [MONDAY, MONDAY + timedelta(days=7)]


def test_what_a_closure_touches_is_no_slot_of_whom_it_is_for() -> None:
    one, other = (hours(time(9), time(11), minutes=60, whom=UUID(int=n)) for n in (1, 2))
    noon = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    theirs = Closure(closure_id=uuid4(), account_id=UUID(int=1), starts=noon, ends=noon + timedelta(minutes=10))
    found = slots([one, other], COPENHAGEN, MONDAY, 1, closures=[theirs])
    assert [(slot.seen_by.int, wall) for slot, wall in zip(found, walls(found), strict=True)] == [
        (2, "09:00"), (1, "10:00"), (2, "10:00"),
    ]  # fmt: skip
    everybodys = Closure(closure_id=uuid4(), account_id=None, starts=noon, ends=noon + timedelta(hours=3))
    assert slots([one, other], COPENHAGEN, MONDAY, 1, closures=[everybodys]) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (SPRING, ["01:00", "01:30", "03:00", "03:30"]),
        (AUTUMN, ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"]),
    ],
)
def test_at_an_edge_of_summer_time_no_slot_is_missing_doubled_longer_or_shorter(day: date, expected: list[str]) -> None:
    night = hours(time(1), time(4), minutes=30, weekday=None, first=day)
    found = slots([night], COPENHAGEN, day, 1)
    assert walls(found) == expected
    assert {slot.ends_at - slot.starts_at for slot in found} == {timedelta(minutes=30)}


def test_what_overlaps_something_taken_is_not_free_and_what_only_touches_it_is() -> None:
    found = slots([hours(time(9), time(10), minutes=20)], COPENHAGEN, MONDAY, 1)
    busy = Taken(seen_by=UUID(int=1), starts_at=found[1].starts_at, ends_at=found[1].ends_at)
    before = found[0].starts_at - timedelta(hours=1)
    assert free(found, [busy], before) == [found[0], found[2]]
    assert free(found, [], found[0].starts_at) == list(found[1:]), "what begins now is over"


def clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


SOME_HOURS = st.builds(
    lambda start, length, minutes, weekday, day, whom: hours(
        clock(start),
        clock(min(start + length, 1439)),
        minutes=minutes,
        weekday=None if weekday == 7 else weekday,
        first=day,
        whom=UUID(int=whom),
    ),
    st.integers(0, 1400),
    st.integers(5, 600),
    st.integers(5, 120),
    st.integers(0, 7),
    st.sampled_from([SPRING, AUTUMN, SPRING - timedelta(days=1), AUTUMN + timedelta(days=1), date(2027, 4, 4)]),
    st.integers(1, 2),
).filter(lambda each: each.ends > each.starts)


@given(
    st.lists(SOME_HOURS, max_size=4),
    st.sampled_from(ZONES),
    st.sampled_from([SPRING, AUTUMN, date(2027, 3, 14), date(2027, 11, 7), date(2027, 4, 4)]),
    st.sets(st.integers(0, 6)),
)
def test_whatever_the_hours_and_the_zone_each_slot_is_whole_within_them_and_none_overlaps(
    kept: list[Hours], zone: ZoneInfo, around: date, closed: set[int]
) -> None:
    first = around - timedelta(days=3)
    holidays = {first + timedelta(days=n) for n in closed}
    found = slots(kept, zone, first, 7, holidays=holidays)
    assert list(found) == sorted(found, key=lambda slot: (slot.starts_at, slot.seen_by, slot.ends_at))
    for each in kept:
        mine = list(slots([each], zone, first, 7, holidays=holidays))
        length, expected = timedelta(minutes=each.slot_minutes), []
        for day in (first + timedelta(days=n) for n in range(7)):
            is_day = day == each.first_day if each.weekday is None else (
                day.weekday() == each.weekday and day >= each.first_day and day not in holidays
            )  # fmt: skip
            if is_day:
                begin, end = span(day, each, zone)
                expected += [begin + n * length for n in range((end - begin) // length)]
        assert [slot.starts_at for slot in mine] == expected
        assert {slot.ends_at - slot.starts_at for slot in mine} <= {length}
        assert all(one.ends_at <= other.starts_at for one, other in pairwise(mine))
    # What was booked of one takes from all of that person, and from nobody else.
    if found:
        booked = Taken(seen_by=found[0].seen_by, starts_at=found[0].starts_at, ends_at=found[0].ends_at)
        left = free(found, [booked], datetime(2000, 1, 1, tzinfo=UTC))
        assert found[0] not in left
        assert [slot for slot in found if slot.seen_by != booked.seen_by] == [
            slot for slot in left if slot.seen_by != booked.seen_by
        ]
        assert sum(len(day) for day in by_day(found, zone).values()) == len(found)


@cache
def minutes(day: date, zone: ZoneInfo) -> Sequence[tuple[datetime, datetime]]:
    """Each minute that passes around that day, with what the zone's clock shows then."""
    start = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    passing = (start + timedelta(minutes=n) for n in range(60 * 56))
    return [(at, at.astimezone(zone).replace(tzinfo=None)) for at in passing]


def span(day: date, each: Hours, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where hours begin and end, by looking at the clock each minute: when it first shows the time, or a later one."""
    found = [
        next(at for at, wall in minutes(day, zone) if wall >= datetime.combine(day, edge))
        for edge in (each.starts, each.ends)
    ]
    return found[0], found[1]
