"""Whether the gateway's own clock can be believed: the kernel, the cloud's receipts, and a clock that jumps."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from gateway import clock
from gateway.clock_watch import ClockWatch
from tests.gateway.made import NOW

HOUR = timedelta(hours=1)


@dataclass
class Computer:
    """A computer whose wall clock can be set; ``error`` is how far it is ahead of the truth."""

    error: timedelta = timedelta(0)
    passed: timedelta = field(default_factory=timedelta)
    kernel: bool | None = None

    def now(self) -> datetime:
        return NOW + self.passed + self.error

    def monotonic(self) -> float:
        return self.passed.total_seconds()

    def watch(self) -> ClockWatch:
        return ClockWatch(self.now, self.monotonic, lambda: self.kernel)


@pytest.mark.parametrize("kernel", [True, False, None])
def test_the_kernel_is_asked_first(kernel: bool | None) -> None:
    assert Computer(kernel=kernel).watch().synchronised() is kernel


def test_a_receipt_that_agrees_vouches_for_a_clock_without_ntp() -> None:
    computer = Computer(kernel=False)
    watch = computer.watch()
    watch.told(computer.now() - timedelta(seconds=20), sent_s_ago=25)
    computer.passed += 5 * HOUR
    assert watch.synchronised() is True


def test_a_receipt_from_the_future_convicts_a_clock_that_is_behind() -> None:
    computer = Computer(error=-HOUR, kernel=True)
    watch = computer.watch()
    watch.told(NOW, sent_s_ago=None)
    assert watch.synchronised() is False


def test_a_receipt_that_waited_for_hours_says_nothing() -> None:
    computer = Computer(kernel=False)
    watch = computer.watch()
    watch.told(computer.now() - 5 * HOUR, sent_s_ago=None)
    assert watch.synchronised() is False


def test_a_clock_that_stood_still_while_the_gateway_was_off_is_not_vouched_for_by_a_receipt_of_that_time() -> None:
    computer = Computer(error=-HOUR, kernel=False)  # off for an hour, and no clock of its own that went on
    watch = computer.watch()
    watch.told(computer.now(), sent_s_ago=None)
    assert watch.synchronised() is False


def test_a_receipt_that_came_at_once_convicts_a_clock_that_runs_ahead() -> None:
    computer = Computer(error=HOUR, kernel=None)
    watch = computer.watch()
    watch.told(NOW, sent_s_ago=1)
    assert watch.synchronised() is False


@pytest.mark.parametrize("error_s", [-100, -50, 50, 100])
@pytest.mark.parametrize("made_s_ago", [0, 20, 50])
def test_a_receipt_vouches_only_for_what_is_right_however_long_it_was_on_its_way(error_s: int, made_s_ago: int) -> None:
    """Sent 50 s ago: behind by 100 s, a clock would agree with a receipt that took all of them."""
    computer = Computer(error=timedelta(seconds=error_s), kernel=None)
    watch = computer.watch()
    watch.told(NOW - timedelta(seconds=made_s_ago), sent_s_ago=50)
    assert watch.synchronised() is not True or abs(error_s) <= 60


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
@pytest.mark.parametrize("kernel", [None, False])
def test_a_clock_that_jumped_is_not_believed_until_somebody_vouches_for_it(
    jump: timedelta, kernel: bool | None
) -> None:
    computer = Computer(kernel=kernel)
    watch = computer.watch()
    watch.told(computer.now(), sent_s_ago=1)
    computer.error += jump
    assert watch.synchronised() is False
    watch.told(computer.now(), sent_s_ago=1)
    assert watch.synchronised() is True


def test_a_clock_that_ntp_has_set_is_believed() -> None:
    computer = Computer(error=-5 * HOUR, kernel=False)
    watch = computer.watch()
    assert watch.synchronised() is False
    computer.error, computer.kernel = timedelta(0), True
    assert watch.synchronised() is True


def test_the_kernel_answers() -> None:
    assert clock.kernel_synchronised() in (True, False, None)
