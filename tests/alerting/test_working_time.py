"""Hours of working days on the calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerting.working_time import WorkingDays, deadline

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
DAYS = WorkingDays(zone=COPENHAGEN, holidays={date(2026, 12, 24), date(2026, 12, 25)})


def local(day: int, hour: int, month: int = 11) -> datetime:
    """An instant of 2026 by Copenhagen's wall clock."""
    return datetime(2026, month, day, hour, tzinfo=COPENHAGEN)


@pytest.mark.parametrize(
    ("start", "within", "due"),
    [
        (local(16, 15), timedelta(hours=24), local(17, 15)),  # a Monday
        (local(20, 15), timedelta(hours=24), local(23, 15)),  # Friday: over the weekend
        (local(21, 15), timedelta(hours=24), local(24, 0)),  # Saturday: all of Monday
        (local(22, 23), timedelta(hours=1), local(23, 1)),
        (local(20, 15), timedelta(hours=72), local(25, 15)),
        (local(23, 15, 12), timedelta(hours=24), local(28, 15, 12)),  # Wednesday before Christmas
    ],
)
def test_a_deadline_counts_working_days(start: datetime, within: timedelta, due: datetime) -> None:
    assert deadline(DAYS, start, within) == due


def test_a_working_day_lasts_as_long_as_the_clock_makes_it() -> None:
    sundays = WorkingDays(zone=COPENHAGEN, weekdays=frozenset({6}))
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    # 23 hours on the day of the change, the last one a week later; 25 in autumn.
    assert deadline(sundays, spring, timedelta(hours=24)) == datetime(2026, 4, 5, 1, tzinfo=COPENHAGEN)
    assert deadline(sundays, autumn, timedelta(hours=25)) == datetime(2026, 10, 26, tzinfo=COPENHAGEN)


def test_without_a_working_day_every_hour_counts() -> None:
    never = WorkingDays(zone=COPENHAGEN, weekdays=frozenset())
    assert deadline(never, local(20, 15), timedelta(hours=24)) == local(21, 15)
