"""When somebody is reminded, and how long an offer is kept."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.console.spoken import spoken_in
from cloud.crm.appointments.times import EVENING, MORNING, answer_by, remind_at

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def there(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)


@pytest.mark.parametrize(
    ("starts", "reminded"),
    [
        ("2026-11-24T14:00", "2026-11-23T14:00"),
        ("2026-11-24T07:30", "2026-11-22T20:00"),  # nobody is woken: the evening before that
        ("2026-11-24T22:00", "2026-11-23T20:00"),
    ],
)
def test_a_reminder_comes_a_day_before_and_never_at_night(starts: str, reminded: str) -> None:
    assert remind_at(there(starts), LONG_AGO, COPENHAGEN) == there(reminded)


def test_whoever_booked_for_tomorrow_is_not_reminded_of_it() -> None:
    assert remind_at(there("2026-11-24T14:00"), there("2026-11-23T15:00"), COPENHAGEN) is None


@pytest.mark.parametrize(
    ("now", "starts", "until"),
    [
        ("2026-11-23T10:00", "2026-11-24T10:00", "2026-11-23T12:00"),
        ("2026-11-23T22:00", "2026-11-24T14:00", "2026-11-24T11:00"),  # the two hours begin in the morning
        ("2026-11-23T03:00", "2026-11-24T14:00", "2026-11-23T11:00"),
        ("2026-11-23T10:00", "2026-11-23T12:00", "2026-11-23T11:00"),  # who takes it must be able to come
        ("2026-11-23T10:00", "2026-11-23T11:15", None),
    ],
)
def test_an_offer_is_kept_for_two_hours_of_the_day(now: str, starts: str, until: str | None) -> None:
    assert answer_by(there(now), there(starts), COPENHAGEN) == (there(until) if until else None)


@given(
    st.integers(0, 270 * 24 * 60).map(lambda minutes: LONG_AGO + timedelta(days=60, minutes=minutes)),
    st.sampled_from(["Europe/Copenhagen", "America/New_York", "Asia/Shanghai"]),
)
def test_nobody_is_reminded_at_night_nor_later_than_a_day_before(starts: datetime, zone: str) -> None:
    at = remind_at(starts, LONG_AGO, ZoneInfo(zone))
    assert at is not None
    assert starts - timedelta(hours=40) < at <= starts - timedelta(hours=23)
    assert MORNING <= at.astimezone(ZoneInfo(zone)).time() <= EVENING


def test_of_a_time_that_the_clock_shows_twice_it_is_said_which() -> None:
    spoken = spoken_in("en")
    said = [spoken.twice(datetime(2027, 10, 31, hour, 30, tzinfo=UTC), "Europe/Copenhagen") for hour in (0, 1, 2)]
    assert said == [" (UTC+2)", " (UTC+1)", ""]
