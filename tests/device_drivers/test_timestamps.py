"""From the device's wall clock to the effective time."""

from datetime import UTC, datetime, timedelta

import pytest

from device_drivers.readings import ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp, TimeQuality, effective_time

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def reported(text: str) -> ReportedTime:
    return ReportedTime(text, wall(text))


def session(device_time: str) -> CoincidentTimeStamp:
    return CoincidentTimeStamp(NOW, wall(device_time))


@pytest.mark.parametrize(
    ("device_now", "said", "true", "quality"),
    [
        # A right clock in Berlin (UTC+1): one hour is the zone, nothing is drift.
        ("2026-11-21T13:00:20", "2026-11-21T08:30:00", "2026-11-21T07:29:40", TimeQuality.SYNCHRONISED),
        # India, UTC+5:30.
        ("2026-11-21T17:30:00", "2026-11-20T07:00:00", "2026-11-20T01:30:00", TimeQuality.SYNCHRONISED),
        # Seven minutes slow.
        ("2026-11-21T12:53:00", "2026-11-21T08:30:00", "2026-11-21T07:37:00", TimeQuality.MAPPED),
        # AM and PM swapped: twelve hours off look like a zone, and map rightly all the same.
        ("2026-11-21T00:00:00", "2026-11-20T20:00:00", "2026-11-21T08:00:00", TimeQuality.SYNCHRONISED),
        # The wrong year: two years back.
        ("2024-11-21T13:00:00", "2024-11-21T08:30:00", "2026-11-21T07:30:00", TimeQuality.MAPPED),
    ],
)
def test_the_coincident_time_stamp_maps_the_device_s_timeline(
    device_now: str, said: str, true: str, quality: TimeQuality
) -> None:
    result = effective_time(reported(said), session(device_now), NOW)
    assert result.time == wall(true).replace(tzinfo=UTC)
    assert result.quality is quality


def test_a_clock_that_was_never_set_gives_no_time() -> None:
    result = effective_time(ReportedTime("0000-04-17T20:41:59", None), session("2026-11-21T13:00:00"), NOW)
    assert (result.time, result.quality) == (None, TimeQuality.UNKNOWN_TIMELINE)


def test_without_a_coincident_time_stamp_nothing_is_guessed() -> None:
    result = effective_time(reported("2026-11-21T08:30:00"), None, NOW)
    assert (result.time, result.quality) == (None, TimeQuality.UNKNOWN_TIMELINE)


def test_a_reading_from_the_future_is_implausible() -> None:
    just_in = effective_time(reported("2026-11-21T13:05:00"), session("2026-11-21T13:00:00"), NOW)
    just_out = effective_time(reported("2026-11-21T13:05:01"), session("2026-11-21T13:00:00"), NOW)
    assert just_in.quality is TimeQuality.SYNCHRONISED
    assert just_out.quality is TimeQuality.IMPLAUSIBLE


def test_a_reading_from_before_the_product_existed_is_implausible() -> None:
    result = effective_time(reported("1999-12-31T23:59:59"), session("2026-11-21T13:00:00"), NOW)
    assert result.quality is TimeQuality.IMPLAUSIBLE


def test_the_reason_says_by_how_much_the_clock_was_off() -> None:
    slow = effective_time(reported("2026-11-21T08:30:00"), session("2026-11-21T12:53:00"), NOW)
    years = effective_time(reported("2024-11-21T08:30:00"), session("2024-11-21T13:00:00"), NOW)
    assert slow.reason == "the device's clock was off by 0 h 7 min"
    assert years.reason == "the device's clock was off by 729 d 23 h 0 min"
    assert timedelta(days=730) - timedelta(hours=1) == timedelta(days=729, hours=23)


def test_a_clock_in_the_year_9999_is_implausible_and_breaks_nothing() -> None:
    result = effective_time(reported("2026-11-21T08:30:00"), session("9999-12-31T23:59:59"), NOW)
    assert (result.time, result.quality) == (None, TimeQuality.IMPLAUSIBLE)
