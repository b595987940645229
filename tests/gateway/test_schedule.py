"""When a device is visited again."""

from gateway.config import Intervals
from gateway.schedule import RadioSchedule, pause_s


def test_a_failing_serial_device_is_visited_ever_more_rarely() -> None:
    intervals = Intervals(serial_visit_s=60, backoff_max_s=600)
    assert [pause_s(intervals, n) for n in (0, 1, 2, 3, 4, 5, 5000)] == [60, 60, 120, 240, 480, 600, 600]


def test_an_interval_beyond_the_ceiling_is_kept() -> None:
    assert pause_s(Intervals(serial_visit_s=3600, backoff_max_s=600), 7) == 3600


def test_what_was_heard_during_the_cool_down_is_not_answered_however_late_it_is_looked_at() -> None:
    schedule = RadioSchedule(Intervals(ble_cooldown_s=30))
    assert schedule.is_due("meter", 5.0)
    schedule.visited("meter", 10.0, complete=True)
    assert [schedule.is_due("meter", heard) for heard in (9.0, 39.9, 40.0)] == [False, False, True]
