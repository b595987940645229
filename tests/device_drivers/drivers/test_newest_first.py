"""The walk over a memory whose indices shift, against every way in which a memory can change meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device_drivers.drivers.newest_first import PASSES, Known, Walk
from device_drivers.errors import ProtocolError
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, Reading, ReportedTime

DEVICE = DeviceIdentity(manufacturer="Maker", model="Model", serial_number="1")
START = datetime.fromisoformat("2026-01-01T08:00")


def reading(minute: int, value: int) -> Reading:
    """A reading of this minute, as a driver makes it."""
    local = START + timedelta(minutes=minute)
    return Reading(
        device=DEVICE,
        kind=Kind.GLUCOSE,
        components=(Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, Quantity(Decimal(value), Unit.MG_DL)),),
        reported_time=ReportedTime(local.isoformat(), local),
        profile="test",
        raw=b"",
    )


class Shelf:
    """A memory, oldest last; ``added`` holds what is measured before the nth question for a record."""

    def __init__(
        self, newest_first: Sequence[Reading], added: dict[int, list[Reading]] | None = None, size: int = 99
    ) -> None:
        self.kept = list(newest_first)
        self.asked = 0
        self.past = [list(newest_first)]
        self._added = added or {}
        self._size = size

    async def count(self) -> int:
        return len(self.kept)

    async def record(self, index: int) -> Reading:
        self.asked += 1
        if self.asked in self._added:
            self.kept = [*self._added[self.asked], *self.kept][: self._size]
            self.past.append(list(self.kept))
        return self.kept[index]


async def walked(shelf: Shelf, known: Known | None = None) -> tuple[list[str], Walk]:
    """The identities given out, in order, and the walk."""
    walk = Walk(shelf, known)
    return [item.reading_id async for group in walk.readings() for item in group], walk


def identities(newest_first: Sequence[Reading]) -> list[str]:
    """The identities that these readings ought to have, from an independent count."""
    found: list[str] = []
    seen: dict[str, int] = {}
    for item in reversed(newest_first):
        occurrence = seen.get(item.reading_id, 0)
        seen[item.reading_id] = occurrence + 1
        found.append(replace(item, occurrence=occurrence).reading_id)
    return found[::-1]


async def test_equal_readings_of_one_minute_are_numbered_from_the_oldest() -> None:
    memory = [reading(2, 100), reading(2, 100), reading(1, 100)]
    found, _ = await walked(Shelf(memory))
    assert found == identities(memory)
    assert len(set(found)) == 3


async def test_what_is_older_than_a_clock_that_was_set_back_is_marked() -> None:
    walk = Walk(Shelf([reading(3, 70), reading(2, 80), reading(9, 90), reading(8, 100)]), None)
    marks = [item.clock_went_back_to async for group in walk.readings() for item in group]
    assert marks == [None, None, reading(2, 80).reported_time.local, reading(2, 80).reported_time.local]


async def test_a_memory_of_unknown_order_says_nothing_of_the_clock() -> None:
    walk = Walk(Shelf([reading(1, 70), reading(2, 80), reading(3, 90)]), None, is_ordered=False)
    assert [item.clock_went_back_to async for group in walk.readings() for item in group] == [None, None, None]


async def test_a_measurement_during_the_walk_is_no_clock_that_was_set_back() -> None:
    shelf = Shelf([reading(3, 70), reading(2, 80)], added={2: [reading(9, 90)]})
    walk = Walk(shelf, None)
    assert [
        item.clock_went_back_to async for group in walk.readings() for item in group if item.clock_went_back_to
    ] == []


async def test_the_second_visit_stops_at_what_is_known_and_gives_out_only_what_is_new() -> None:
    old = [reading(2, 100), reading(1, 100), reading(0, 90)]
    _, first = await walked(Shelf(old))
    shelf = Shelf([reading(4, 70), reading(3, 80), *old])
    found, second = await walked(shelf, first.newest)
    assert found == identities(shelf.kept)[:2]
    assert shelf.asked <= 6
    assert second.newest == Known(identities(shelf.kept)[0], 1)


async def test_a_second_equal_reading_of_the_known_minute_is_new() -> None:
    _, first = await walked(Shelf([reading(2, 100), reading(1, 90)]))
    now = [reading(2, 100), reading(2, 100), reading(1, 90)]
    found, second = await walked(Shelf(now), first.newest)
    assert found == identities(now)[:1]
    assert second.newest is not None
    assert second.newest.equal == 2


async def test_a_visit_without_news_gives_out_nothing_and_keeps_the_cursor() -> None:
    memory = [reading(2, 100), reading(2, 100), reading(1, 90)]
    _, first = await walked(Shelf(memory))
    found, second = await walked(Shelf(memory), first.newest)
    assert (found, second.newest, second.lost_track) == ([], first.newest, False)


async def test_a_cursor_that_was_overwritten_is_reported_and_everything_is_read() -> None:
    memory = [reading(9, 100), reading(8, 90)]
    found, walk = await walked(Shelf(memory), Known("gone", 1))
    assert (found, walk.lost_track) == (identities(memory), True)


async def test_an_empty_memory_has_no_cursor() -> None:
    found, walk = await walked(Shelf([]))
    assert (found, walk.newest, walk.holds) == ([], None, 0)


@pytest.mark.parametrize("size", [4, 99], ids=["ring is full", "there is room"])
@pytest.mark.parametrize("when", range(1, 7))
async def test_a_reading_added_at_any_moment_is_read_and_makes_no_phantom(when: int, size: int) -> None:
    memory = [reading(4, 100), reading(3, 100), reading(2, 100), reading(1, 100)]
    shelf = Shelf(memory, {when: [reading(5, 100)]}, size)
    found, walk = await walked(shelf)
    assert set(found) <= {*identities(memory), *identities(shelf.kept)}
    if shelf.asked >= when:
        assert set(found) >= set(identities(shelf.kept))
        assert walk.newest == Known(identities(shelf.kept)[0], 1)


async def test_a_memory_that_never_holds_still_is_an_error_and_not_an_endless_visit() -> None:
    with pytest.raises(ProtocolError, match=f"{PASSES} passes"):
        await walked(Shelf([reading(0, 1)], {question: [reading(question, 1)] for question in range(1, 99)}))


MEMORY = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2)), max_size=8).map(
    lambda pairs: [reading(minute, value) for minute, value in sorted(pairs, key=lambda pair: -pair[0])]
)


@given(MEMORY, st.integers(0, 8))
async def test_two_visits_give_out_what_one_would_have(memory: list[Reading], already: int) -> None:
    earlier = memory[min(already, len(memory)) :]
    first_found, first = await walked(Shelf(earlier))
    second_found, _ = await walked(Shelf(memory), first.newest)
    assert sorted([*first_found, *second_found]) == sorted(identities(memory))


ADDED = st.dictionaries(
    st.integers(1, 12),
    st.lists(st.integers(1, 2).map(lambda value: reading(3, value)), min_size=1, max_size=3),
    max_size=PASSES - 1,
)


# Enough old readings that a full ring drops only these: nobody measures a whole ring within one minute.
OLD = [reading(-minute, 90) for minute in range(1, 10)]


@given(MEMORY, ADDED, st.integers(0, 8), st.booleans())
@example(
    # A shift that cuts short the group in which the walk ends.
    memory=[reading(3, 1), reading(0, 1), reading(0, 1), reading(0, 1)],
    added={1: [reading(3, 1), reading(3, 1)], 9: [reading(3, 1), reading(3, 1)]},
    already=3,
    full=True,
)
async def test_whatever_is_added_whenever_nothing_is_missed_and_nothing_invented(
    memory: list[Reading], added: dict[int, list[Reading]], already: int, full: bool
) -> None:
    earlier = [*memory[min(already, len(memory)) :], *OLD]
    memory = [*memory, *OLD]
    size = len(memory) if full else 99
    known_found, first = await walked(Shelf(earlier))
    shelf = Shelf(memory, added, size)
    found, walk = await walked(shelf, first.newest)
    # What is measured while the last question is on its way belongs to the next visit.
    late, _ = await walked(Shelf(shelf.kept), walk.newest)
    assert {*known_found, *found, *late} >= set(identities(shelf.kept))
    assert {*found, *late} <= {identity for state in shelf.past for identity in identities(state)}
