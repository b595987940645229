from datetime import datetime, timedelta

import pytest

from device_drivers.simulators.memory import Kept, Memory
from device_drivers.simulators.spec import RecordSpec

START = datetime.fromisoformat("2026-01-01")
MADE = [
    Kept(START + timedelta(minutes=number), RecordSpec(value=str(number), user=1 + number % 2)) for number in range(5)
]


@pytest.mark.parametrize(("ring", "left"), [(True, ["4", "3", "2"]), (False, ["2", "1", "0"])])
def test_a_full_memory_forgets_its_oldest_or_takes_no_more(ring: bool, left: list[str]) -> None:
    memory = Memory(3, ring=ring, kept=MADE)
    assert [kept.record.value for kept in memory.newest_first()] == left


def test_each_user_has_a_list_of_their_own() -> None:
    memory = Memory(9, ring=True, kept=MADE)
    assert [kept.record.value for kept in memory.newest_first(user=2)] == ["3", "1"]
