"""How long readings have waited, by a clock that nobody can set."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import pytest

from gateway.waiting import MOST_SESSIONS, Waiting
from gateway.wire import v1
from tests.gateway.made import NOW, wire

VISIT = "0" * 32


@dataclass
class Computer:
    """Whose wall clock can be set; ``error_s`` is how far it is ahead."""

    error_s: float = 0.0
    passed_s: float = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s + self.error_s)

    def waiting(self) -> Waiting:
        return Waiting(self.now, lambda: self.passed_s + 12345.6)

    def read(self, number: int) -> v1.WireReading:
        return msgspec.structs.replace(wire(number), read_at=self.now())


@pytest.mark.parametrize("error_s", [0.0, 3600.0, -3600.0])
@pytest.mark.parametrize("set_by_s", [0.0, 7200.0, -7200.0])
def test_the_oldest_reading_has_waited_as_long_whatever_the_wall_clock_says_now(
    error_s: float, set_by_s: float
) -> None:
    computer = Computer(error_s)
    waiting = computer.waiting()
    waiting.note(VISIT)
    old = computer.read(1)
    computer.passed_s += 40
    waiting.note(VISIT)
    new = computer.read(2)
    computer.passed_s += 600
    computer.error_s += set_by_s
    assert waiting.oldest_s(VISIT, [new, old]) == 640
    assert waiting.oldest_s(VISIT, [new]) == 600


def test_of_an_earlier_process_nobody_knows_how_long_it_waited() -> None:
    assert Computer().waiting().oldest_s(VISIT, [wire(1)]) is None


@pytest.mark.parametrize("jump_s", [60.0, -60.0, 1800.0])
def test_a_clock_that_jumped_within_the_visit_leaves_it_unknown_also_when_it_jumps_back(jump_s: float) -> None:
    computer = Computer()
    waiting = computer.waiting()
    waiting.note(VISIT)
    computer.error_s += jump_s
    waiting.note(VISIT)
    computer.error_s -= jump_s
    waiting.note(VISIT)
    assert waiting.oldest_s(VISIT, [computer.read(1)]) is None


def test_a_session_without_readings_has_none_that_waited() -> None:
    waiting = Computer().waiting()
    waiting.note(VISIT)
    assert waiting.oldest_s(VISIT, []) is None


def test_no_more_sessions_are_remembered_than_matter() -> None:
    computer = Computer()
    waiting = computer.waiting()
    for number in range(MOST_SESSIONS + 1):
        waiting.note(f"{number:032x}")
    known = [waiting.oldest_s(f"{number:032x}", [wire(1)]) is not None for number in range(MOST_SESSIONS + 1)]
    assert known == [False] + [True] * MOST_SESSIONS
