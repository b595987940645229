"""Times of day on the patient's clock: each day once, also where the clock is moved."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.reminders.times import moments

ZONES = [
    "Europe/Copenhagen", "Asia/Beirut", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns",
]  # fmt: skip
START = st.datetimes(datetime(2010, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds are bare
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@given(at=st.times(), start=START, name=st.sampled_from(ZONES), hours=st.integers(1, 200))
def test_looking_often_finds_what_looking_once_finds_and_each_day_once(
    at: time, start: datetime, name: str, hours: int
) -> None:
    at, zone = at.replace(second=0, microsecond=0), ZoneInfo(name)
    end = start + timedelta(hours=hours)
    once = list(moments(at, zone, start, end))
    edges = [start + timedelta(hours=n) for n in range(hours + 1)]
    often = [found for a, b in pairwise(edges) for found in moments(at, zone, a, b)]
    assert often == once
    assert len({day for day, _ in once}) == len(once)
    assert hours // 24 - 1 <= len(once) <= hours // 24 + 2  # a zone may leave out a day


def test_a_time_that_the_clock_skips_comes_when_it_has_moved_on_and_one_shown_twice_the_first() -> None:
    noon, day = datetime(2026, 3, 28, 12, tzinfo=UTC), timedelta(days=1)
    spring = list(moments(time(2, 30), COPENHAGEN, noon, noon + day))
    assert spring == [(date(2026, 3, 29), datetime(2026, 3, 29, 1, 30, tzinfo=UTC))]
    noon = datetime(2026, 10, 24, 12, tzinfo=UTC)
    autumn = list(moments(time(2, 30), COPENHAGEN, noon, noon + day))
    assert autumn == [(date(2026, 10, 25), datetime(2026, 10, 25, 0, 30, tzinfo=UTC))]
