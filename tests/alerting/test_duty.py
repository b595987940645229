"""Who is on duty: shifts by the wall clock over both changes of it, holidays, people away, holes, the next change."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.duty import (
    Absence,
    DatedShift,
    DutyRole,
    Holiday,
    Hours,
    Roster,
    WeeklyShift,
    clash,
    holes,
    instant_of,
    next_change_at,
    on_duty,
    turns,
)

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
ANN, BEN, CAT = (UUID(int=n) for n in (1, 2, 3))
NIGHT = Hours(starts=time(22), ends=time(6))
DAY = Hours(starts=time(6), ends=time(22))
ALWAYS = Hours(starts=time(0), ends=time(0))
SINCE = date(2026, 1, 1)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # the clock changes at 01:00 UTC


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant by Copenhagen's wall clock."""
    return instant_of(day, time(hour, minute), COPENHAGEN)


def weekly(
    person: UUID,
    hours: Hours,
    weekdays: tuple[int, ...] = tuple(range(7)),
    role: DutyRole = DutyRole.NURSE,
    order: int = 1,
    last_day: date | None = None,
) -> list[WeeklyShift]:
    """The same shift on each of these weekdays."""
    return [
        WeeklyShift(
            role=role, account_id=person, weekday=day, hours=hours, first_day=SINCE, last_day=last_day, order=order
        )
        for day in weekdays
    ]


ROUND_THE_CLOCK = Roster(zone=COPENHAGEN, weekly=[*weekly(ANN, NIGHT), *weekly(BEN, DAY)])


def people(roster: Roster, at: datetime, role: DutyRole = DutyRole.NURSE) -> list[UUID]:
    """Who is on duty, in on-call order."""
    return [turn.account_id for turn in on_duty(roster, role, at)]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(SPRING, 7), (AUTUMN, 9), (date(2026, 6, 1), 8), (date(2026, 3, 30), 8), (date(2026, 10, 26), 8)],
)
def test_a_night_lasts_as_long_as_the_clock_makes_it(day: date, hours: int) -> None:
    before = day - timedelta(days=1)
    [turn] = turns(ROUND_THE_CLOCK, DutyRole.NURSE, local(before, 23), local(before, 23, 1))

    assert (turn.starts, turn.ends) == (local(before, 22), local(day, 6))
    assert turn.ends - turn.starts == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("at", "instant"),
    [
        (time(1, 59), datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        (time(2), datetime(2026, 3, 29, 1, tzinfo=UTC)),  # skipped, as all until 03:00: when the clock has moved on
        (time(2, 30), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (time(2, 59), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (time(3), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (time(3, 1), datetime(2026, 3, 29, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_that_the_clock_skips_is_when_it_has_moved_on(at: time, instant: datetime) -> None:
    assert instant_of(SPRING, at, COPENHAGEN) == instant


@pytest.mark.parametrize(
    ("at", "instant"),
    [
        (time(1, 59), datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
        (time(2), datetime(2026, 10, 25, 0, tzinfo=UTC)),  # shown twice, as all until 03:00: the first
        (time(2, 59), datetime(2026, 10, 25, 0, 59, tzinfo=UTC)),
        (time(3), datetime(2026, 10, 25, 2, tzinfo=UTC)),
    ],
)
def test_a_time_that_the_clock_shows_twice_is_the_first(at: time, instant: datetime) -> None:
    assert instant_of(AUTUMN, at, COPENHAGEN) == instant


def test_a_day_that_a_zone_skips_whole_is_the_moment_of_the_change() -> None:
    apia = ZoneInfo("Pacific/Apia")
    change = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert instant_of(date(2011, 12, 30), time(12), apia) == change
    assert instant_of(date(2011, 12, 31), time(0), apia) == change


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("edge", [time(2), time(2, 30), time(3)])
def test_shifts_that_meet_in_the_changed_hour_leave_nobody_out_and_double_nobody(day: date, edge: time) -> None:
    roster = Roster(
        zone=COPENHAGEN,
        weekly=[*weekly(ANN, Hours(starts=time(22), ends=edge)), *weekly(BEN, Hours(starts=edge, ends=time(22)))],
    )
    start, end = local(day - timedelta(days=1), 12), local(day + timedelta(days=1), 12)

    assert holes(roster, DutyRole.NURSE, start, end) == ()
    at = start
    while at < end:
        assert len(people(roster, at)) == 1
        at += timedelta(minutes=10)


@pytest.mark.parametrize(
    ("at", "who"),
    [
        (local(date(2026, 6, 1), 5, 59), ANN),
        (local(date(2026, 6, 1), 6), BEN),
        (local(date(2026, 6, 1), 21, 59), BEN),
        (local(date(2026, 6, 1), 22), ANN),
    ],
)
def test_a_shift_includes_its_start_and_not_its_end(at: datetime, who: UUID) -> None:
    assert people(ROUND_THE_CLOCK, at) == [who]


def test_several_people_on_one_shift_are_called_in_their_order_each_once() -> None:
    roster = Roster(
        zone=COPENHAGEN,
        weekly=[*weekly(CAT, DAY, order=2), *weekly(BEN, DAY), *weekly(ANN, ALWAYS, order=3), *weekly(BEN, ALWAYS)],
    )
    assert people(roster, local(date(2026, 6, 1), 12)) == [BEN, CAT, ANN]


def test_a_shift_is_worked_from_its_first_day_to_its_last() -> None:
    roster = Roster(zone=COPENHAGEN, weekly=weekly(ANN, DAY, last_day=date(2026, 6, 10)))
    found = {day: people(roster, local(date(2026, 6, day), 12)) for day in (9, 10, 11)}
    assert found == {9: [ANN], 10: [ANN], 11: []}
    assert people(roster, local(date(2025, 12, 31), 12)) == []


# Christmas Day, a Friday.
CHRISTMAS = date(2026, 12, 25)


def test_a_holiday_has_its_own_roster_and_the_night_before_goes_on() -> None:
    roster = Roster(
        zone=COPENHAGEN,
        weekly=ROUND_THE_CLOCK.weekly,
        dated=[
            DatedShift(role=DutyRole.NURSE, account_id=CAT, day=CHRISTMAS, hours=Hours(starts=time(6), ends=time(18)))
        ],
        holidays=[Holiday(day=CHRISTMAS, name="Christmas", own_roster=True)],
    )
    assert people(roster, local(CHRISTMAS, 5)) == [ANN]
    assert people(roster, local(CHRISTMAS, 6)) == [CAT]
    [hole] = holes(roster, DutyRole.NURSE, local(CHRISTMAS, 0), local(date(2026, 12, 27), 0))
    assert (hole.starts, hole.ends) == (local(CHRISTMAS, 18), local(date(2026, 12, 26), 6))


def test_a_holiday_without_a_roster_of_its_own_changes_no_shift() -> None:
    holiday = Holiday(day=CHRISTMAS, name="Christmas", own_roster=False)
    roster = Roster(zone=COPENHAGEN, weekly=ROUND_THE_CLOCK.weekly, holidays=[holiday])
    assert people(roster, local(CHRISTMAS, 12)) == [BEN]


MONDAY = date(2026, 6, 1)


def away(person: UUID, start: datetime, end: datetime, cover: UUID | None = None) -> Absence:
    return Absence(account_id=person, starts=start, ends=end, cover=cover)


def with_absences(*absences: Absence) -> Roster:
    return Roster(zone=COPENHAGEN, weekly=ROUND_THE_CLOCK.weekly, absences=absences)


def test_who_is_away_leaves_a_hole_exactly_as_long() -> None:
    roster = with_absences(away(BEN, local(MONDAY, 8), local(MONDAY, 10)))
    [hole] = holes(roster, DutyRole.NURSE, local(MONDAY, 0), local(MONDAY, 23))
    assert (hole.starts, hole.ends) == (local(MONDAY, 8), local(MONDAY, 10))


def test_whoever_stands_in_is_on_duty_instead() -> None:
    roster = with_absences(away(BEN, local(MONDAY, 8), local(MONDAY, 10), CAT))
    [turn] = on_duty(roster, DutyRole.NURSE, local(MONDAY, 9))
    assert (turn.account_id, turn.instead_of) == (CAT, BEN)
    assert holes(roster, DutyRole.NURSE, local(MONDAY, 0), local(MONDAY, 23)) == ()


def test_two_covers_are_a_swap() -> None:
    tuesday = MONDAY + timedelta(days=1)
    roster = with_absences(
        away(BEN, local(MONDAY, 6), local(MONDAY, 22), ANN), away(ANN, local(MONDAY, 22), local(tuesday, 6), BEN)
    )
    assert people(roster, local(MONDAY, 12)) == [ANN]
    assert people(roster, local(MONDAY, 23)) == [BEN]


@pytest.mark.parametrize(
    ("covers", "who"),
    [
        ([(BEN, CAT), (CAT, ANN)], [ANN]),  # the cover is away, too, and has one
        ([(BEN, CAT), (CAT, None)], []),
        ([(BEN, CAT), (CAT, BEN)], []),  # each for the other at the same time: nobody
        ([(BEN, None), (BEN, CAT)], [CAT]),
    ],
)
def test_covers_are_followed_to_somebody_who_is_there(covers: list[tuple[UUID, UUID | None]], who: list[UUID]) -> None:
    start, end = local(MONDAY, 0), local(MONDAY + timedelta(days=1), 0)
    roster = with_absences(*(away(person, start, end, cover) for person, cover in covers))
    assert people(roster, local(MONDAY, 12)) == who


@pytest.mark.parametrize(
    ("at", "change"),
    [
        (local(MONDAY, 5, 59), local(MONDAY, 6)),
        (local(MONDAY, 6), local(MONDAY, 22)),
        (local(SPRING, 0), local(SPRING, 6)),
    ],
)
def test_the_next_change_is_the_next_edge_at_which_others_are_on_duty(at: datetime, change: datetime) -> None:
    assert next_change_at(ROUND_THE_CLOCK, DutyRole, at, timedelta(days=2)) == change


def test_nothing_changes_where_one_person_follows_themselves_or_nobody_is_there() -> None:
    always = Roster(zone=COPENHAGEN, weekly=weekly(ANN, ALWAYS))
    assert next_change_at(always, DutyRole, local(MONDAY, 1), timedelta(days=7)) is None
    assert next_change_at(Roster(zone=COPENHAGEN), DutyRole, local(MONDAY, 1), timedelta(days=7)) is None


def test_a_roster_that_has_run_out_is_a_hole_and_not_no_roster() -> None:
    assert not Roster(zone=COPENHAGEN).knows(DutyRole.NURSE)
    assert Roster(zone=COPENHAGEN, known=frozenset({DutyRole.NURSE})).knows(DutyRole.NURSE)
    assert ROUND_THE_CLOCK.knows(DutyRole.NURSE)
    assert not ROUND_THE_CLOCK.knows(DutyRole.DOCTOR)


def dated(day: date, hours: Hours, person: UUID = ANN) -> DatedShift:
    return DatedShift(role=DutyRole.NURSE, account_id=person, day=day, hours=hours)


@pytest.mark.parametrize(
    ("one", "other", "clashes"),
    [
        (weekly(ANN, NIGHT, (0,))[0], weekly(ANN, DAY, (1,))[0], False),  # 06:00 meets 06:00
        (weekly(ANN, NIGHT, (0,))[0], weekly(ANN, Hours(starts=time(5), ends=time(9)), (1,))[0], True),
        (weekly(ANN, NIGHT, (6,))[0], weekly(ANN, Hours(starts=time(5), ends=time(9)), (0,))[0], True),  # over the week
        (weekly(ANN, DAY, (0,))[0], weekly(BEN, DAY, (0,))[0], False),
        (weekly(ANN, DAY, (0,))[0], weekly(ANN, DAY, (0,), role=DutyRole.LEAD_NURSE)[0], False),
        (weekly(ANN, DAY, (0,), last_day=date(2026, 5, 31))[0], dated(date(2026, 6, 1), DAY), False),
        (weekly(ANN, DAY, (0,))[0], dated(date(2026, 6, 1), DAY), True),
        (weekly(ANN, DAY, (0,))[0], dated(date(2026, 5, 31), NIGHT), False),
        (weekly(ANN, DAY, (0,))[0], dated(date(2026, 5, 31), Hours(starts=time(22), ends=time(7))), True),
        (dated(MONDAY, DAY), dated(MONDAY, NIGHT), False),
        (dated(MONDAY, DAY), dated(MONDAY, ALWAYS), True),
    ],
)
def test_one_person_cannot_be_on_duty_twice_for_a_role(
    one: WeeklyShift | DatedShift, other: WeeklyShift | DatedShift, clashes: bool
) -> None:
    assert clash(one, other) is clashes
    assert clash(other, one) is clashes


def test_on_a_holiday_with_its_own_roster_only_what_goes_on_from_the_day_before_clashes() -> None:
    friday, night_before = weekly(ANN, DAY, (4,))[0], weekly(ANN, NIGHT, (3,))[0]
    own = {CHRISTMAS}
    assert clash(dated(CHRISTMAS, DAY), friday)
    assert not clash(dated(CHRISTMAS, DAY), friday, own)
    assert clash(dated(CHRISTMAS, Hours(starts=time(5), ends=time(9))), night_before, own)


# Any roster at all ----------------------------------------------------------------------------------------------------

ZONES = st.sampled_from([ZoneInfo(name) for name in ("Europe/Copenhagen", "America/New_York", "Asia/Kolkata", "UTC")])
PEOPLE = st.sampled_from([ANN, BEN, CAT])
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
HOURS = st.builds(Hours, starts=TIMES, ends=TIMES)
# Around both changes of the clock, in Europe and in America.
DAYS = st.one_of(
    st.dates(date(2026, 3, 5), date(2026, 4, 1)),
    st.dates(date(2026, 10, 22), date(2026, 11, 4)),
)
INSTANTS = st.builds(lambda day, at: datetime.combine(day, at, tzinfo=UTC), DAYS, TIMES)
ABSENCES = st.builds(
    lambda person, start, hours, cover: Absence(
        account_id=person, starts=start, ends=start + timedelta(hours=hours), cover=None if cover == person else cover
    ),
    PEOPLE,
    INSTANTS,
    st.integers(1, 200),
    st.one_of(st.none(), PEOPLE),
)
ROSTERS = st.builds(
    Roster,
    zone=ZONES,
    weekly=st.lists(
        st.builds(
            WeeklyShift,
            role=st.just(DutyRole.NURSE),
            account_id=PEOPLE,
            weekday=st.integers(0, 6),
            hours=HOURS,
            first_day=DAYS,
            last_day=st.one_of(st.none(), DAYS),
            order=st.integers(1, 3),
        ),
        max_size=12,
    ),
    dated=st.lists(
        st.builds(DatedShift, role=st.just(DutyRole.NURSE), account_id=PEOPLE, day=DAYS, hours=HOURS), max_size=4
    ),
    holidays=st.lists(st.builds(Holiday, day=DAYS, name=st.just("x"), own_roster=st.booleans()), max_size=3),
    absences=st.lists(ABSENCES, max_size=4),
)


@given(ROSTERS, INSTANTS)
def test_a_hole_is_exactly_where_nobody_is_on_duty(roster: Roster, start: datetime) -> None:
    end = start + timedelta(days=4)
    found = holes(roster, DutyRole.NURSE, start, end)
    edges = {start, *(edge for hole in found for edge in (hole.starts, hole.ends))}
    edges |= {edge for turn in turns(roster, DutyRole.NURSE, start, end) for edge in (turn.starts, turn.ends)}

    for at in (edge + step for edge in edges for step in (timedelta(seconds=-1), timedelta(), timedelta(seconds=1))):
        if start <= at < end:
            in_hole = any(hole.starts <= at < hole.ends for hole in found)
            assert in_hole is not bool(people(roster, at))


@given(ROSTERS, INSTANTS)
def test_between_two_changes_the_same_people_are_on_duty(roster: Roster, at: datetime) -> None:
    within = timedelta(days=3)
    change = next_change_at(roster, DutyRole, at, within)
    until = change or at + within
    now = people(roster, at)

    assert change is None or change > at
    for part in (0.25, 0.5, 0.75, 0.999):
        assert people(roster, at + (until - at) * part) == now
    if change is not None:
        there = [(turn.order, turn.account_id) for turn in on_duty(roster, DutyRole.NURSE, change)]
        assert there != [(turn.order, turn.account_id) for turn in on_duty(roster, DutyRole.NURSE, at)]


@given(ROSTERS, INSTANTS)
def test_nobody_is_on_duty_twice_and_nobody_who_is_away(roster: Roster, at: datetime) -> None:
    there = people(roster, at)
    assert len(there) == len(set(there))
    for person in there:
        mine = [absence for absence in roster.absences if absence.account_id == person]
        assert not any(absence.starts <= at < absence.ends for absence in mine)
