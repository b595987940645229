"""Quiet hours by the patient's own clock, on days of 23, 24 and 25 hours, and in zones that jump."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.reach.quiet import is_quiet, next_allowed

# Half hours, half an hour of summer time, a day that never was, and one hour east of everybody.
ZONES = [
    "Europe/Copenhagen", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Shanghai",
    "Pacific/Kiritimati", "America/St_Johns",
]  # fmt: skip
COPENHAGEN = ZoneInfo("Europe/Copenhagen")
moments = st.datetimes(datetime(2010, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds are bare
walls = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(at=moments, first=walls, last=walls, zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_what_may_leave_leaves_outside_of_quiet_hours_and_not_days_later(
    at: datetime, first: time, last: time, zone: ZoneInfo
) -> None:
    allowed = next_allowed(at, first, last, zone)
    assert not is_quiet(allowed, first, last, zone)
    assert at <= allowed <= at + timedelta(hours=50)  # a minute that a clock skips is looked for a day later
    if not is_quiet(at, first, last, zone):
        assert allowed == at


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-11-21T12:00+01:00", "2026-11-21T12:00+01:00"),
        ("2026-11-21T21:00+01:00", "2026-11-22T08:00+01:00"),
        ("2026-11-21T20:59+01:00", "2026-11-21T20:59+01:00"),
        ("2026-11-22T07:59+01:00", "2026-11-22T08:00+01:00"),
        ("2026-03-28T23:00+01:00", "2026-03-29T08:00+02:00"),  # one hour less of night
        ("2026-10-24T23:00+02:00", "2026-10-25T08:00+01:00"),  # one hour more
    ],
)
def test_the_night_ends_at_eight_on_the_patients_clock(at: str, allowed: str) -> None:
    found = next_allowed(datetime.fromisoformat(at), time(21), time(8), COPENHAGEN)
    assert found == datetime.fromisoformat(allowed)


def test_an_end_that_the_clock_skips_is_when_it_has_moved_on() -> None:
    night = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)  # 01:00 there; 02:00 to 03:00 does not exist
    assert next_allowed(night, time(22), time(2, 30), COPENHAGEN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert is_quiet(again, time(22), time(2, 30), COPENHAGEN)
    assert next_allowed(again, time(22), time(2, 30), COPENHAGEN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_two_equal_times_are_no_quiet_hours() -> None:
    midnight = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
    assert next_allowed(midnight, time(9), time(9), COPENHAGEN) == midnight
