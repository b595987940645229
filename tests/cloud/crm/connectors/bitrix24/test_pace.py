"""A portal that nobody else asks never has to refuse us."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.connectors.bitrix24.pace import BEGINS_BELOW, PLANS, Pace, pace_of
from deploy.bitrix24.limits import LeakyBucket

START = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
SPANS = st.lists(st.integers(min_value=0, max_value=30_000), min_size=1, max_size=300)


@given(spans_ms=SPANS, plan=st.sampled_from(sorted(PLANS)), requests=st.integers(min_value=1, max_value=4))
def test_whatever_the_rhythm_what_we_let_through_fits_into_their_bucket(
    spans_ms: list[int], plan: str, requests: int
) -> None:
    drains, blocks_above = PLANS[plan]
    theirs, ours, now = LeakyBucket(blocks_above, drains), Pace(plan), START
    for span in spans_ms:
        now += timedelta(milliseconds=span)
        for number in range(requests):
            if ours.take(now, goes_on=number > 0) is not None:
                break
            assert theirs.takes(now.timestamp())


def test_work_of_several_requests_comes_to_its_end_at_the_steady_rate() -> None:
    pace, now, done = Pace(), START, 0
    while pace.take(now) is None:
        pass
    for _ in range(60):
        now += timedelta(seconds=1)
        if all(pace.take(now, goes_on=number > 0) is None for number in range(3)):
            done += 1
    assert done == 40


def test_a_burst_is_let_through_and_then_as_many_a_second_as_drain() -> None:
    pace = Pace()
    burst = 0
    while pace.take(START) is None:
        burst += 1
    assert burst == BEGINS_BELOW * 50
    wait = pace.take(START)
    assert wait == timedelta(seconds=0.5)
    assert pace.take(START + wait) is None


def test_a_clock_that_goes_backwards_stops_nobody() -> None:
    pace = Pace()
    while pace.take(START) is None:
        pass
    before = START - timedelta(hours=1)
    assert pace.take(before) == timedelta(seconds=0.5)
    assert pace.take(before + timedelta(seconds=30)) is None


def test_two_destinations_of_one_portal_share_a_pace() -> None:
    assert pace_of("portal.example", "standard") is pace_of("portal.example", "standard")
    assert pace_of("portal.example", "standard") is not pace_of("other.example", "standard")
