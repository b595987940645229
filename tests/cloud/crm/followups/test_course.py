"""When somebody is at work: by their shifts, or by the hours of a working day."""

from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from alerting.duty import Absence, DutyRole, Hours, Roster, WeeklyShift
from alerting.working_time import WorkingDays
from cloud.crm.followups.course import is_at_work

ME, OTHER = UUID(int=1), UUID(int=2)
COPENHAGEN = ZoneInfo("Europe/Copenhagen")
# 24 November 2026 is a Tuesday; its clocks there are an hour ahead of UTC.
WORKING = WorkingDays(zone=COPENHAGEN, holidays=frozenset({date(2026, 11, 25)}))
NIGHTS = WeeklyShift(
    role=DutyRole.NURSE,
    account_id=ME,
    weekday=1,
    hours=Hours(starts=time(22), ends=time(6)),
    first_day=date(2026, 1, 1),
)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour - 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hour", "works"),
    [(24, 7, False), (24, 8, True), (24, 17, True), (24, 18, False), (25, 10, False), (28, 10, False)],
)
def test_who_is_on_no_roster_works_by_day_on_working_days(day: int, hour: int, works: bool) -> None:
    assert is_at_work(Roster(zone=COPENHAGEN), WORKING, ME, at(day, hour)) is works


@pytest.mark.parametrize(("day", "hour", "works"), [(24, 10, False), (24, 23, True), (25, 5, True), (25, 6, False)])
def test_who_is_on_a_roster_works_in_their_shifts_alone(day: int, hour: int, works: bool) -> None:
    roster = Roster(zone=COPENHAGEN, weekly=(NIGHTS,))
    assert is_at_work(roster, WORKING, ME, at(day, hour)) is works
    assert is_at_work(roster, WORKING, OTHER, at(24, 10))


def test_who_is_away_does_not_work_and_who_stands_in_does() -> None:
    away = Absence(account_id=ME, starts=at(24, 1), ends=at(27, 1), cover=OTHER)
    assert not is_at_work(Roster(zone=COPENHAGEN, absences=(away,)), WORKING, ME, at(24, 10))
    roster = Roster(zone=COPENHAGEN, weekly=(NIGHTS,), absences=(away,))
    assert not is_at_work(roster, WORKING, ME, at(24, 23))
    assert is_at_work(roster, WORKING, OTHER, at(24, 23))
