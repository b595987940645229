"""The imitation's limits are those of the vendor's page, by its own example."""

from deploy.bitrix24.limits import LeakyBucket, OperatingTime


def test_fifty_at_once_and_then_two_a_second() -> None:
    bucket = LeakyBucket()
    assert [bucket.takes(0.0) for _ in range(52)].count(True) == 50
    assert [bucket.takes(1.0) for _ in range(3)] == [True, True, False]


def test_work_counts_for_ten_minutes_from_the_first_call_of_its_minute() -> None:
    """20 calls of 20 s are 400 s; five more are 500, and the next is refused until the oldest minute is out."""
    time = OperatingTime(limit_s=480)
    for call in range(25):
        assert not time.is_over(call * 24.0)
        time.add(call * 24.0, 20.0)
    assert time.spent(25 * 24.0 - 1) == 500
    assert time.is_over(25 * 24.0 - 1)
    assert time.reset_at(25 * 24.0 - 1) == 600.0
    assert time.spent(600.0) == 440
    assert not time.is_over(600.0)
