"""A memory that is read by index, 0 the newest: what is new in it, numbered so that every visit numbers the same.

An index is no identity: it shifts with every new measurement, also in the middle of a dump, and a full ring drops its
oldest record silently. So a walk knows where it stopped by the reading itself, and trusts no index twice:

- Readings of one reported time form a group. A group is given out when it has been read to its end, its equal
  readings numbered from the oldest, 0. The cursor is the newest reading and how many equal ones its group held.
- A walk ends behind the group that holds the cursor's reading; of that group only what is newer is given out.
- If a measurement was added meanwhile, the next index shows the same record once more. Equal readings in one group
  are therefore believed only while the head of the memory (its newest group and the reading behind it, so that one
  more equal reading shows, too) has not changed; otherwise the pass starts again. (Readings
  that were given out before keep their identity, so giving them out twice is harmless.)
- The order says when the clock was set back: an older record with a later time belongs to an earlier timeline.
- After the last record the count and the head are read again; if they changed, another pass follows, to the same end
  as this one: a shift may have cut any group short, the one that held the cursor's reading, too.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from device_drivers.errors import ProtocolError
from device_drivers.readings import Reading
from device_drivers.timestamps import MemoryOrder

# A person does not measure more often than this during one visit; a memory that does not hold still is not one.
PASSES = 4


class Memory(Protocol):
    """What a walk asks of a device; errors are DeviceErrors."""

    async def count(self) -> int:
        """How many records it holds now."""
        ...

    async def record(self, index: int) -> Reading:
        """One record, 0 the newest, with occurrence 0."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """The newest reading of the last complete visit, and how many equal ones stood in its group."""

    reading_id: str
    equal: int


class _Shifted(Exception):
    """A measurement was added while a group was being read."""


class Walk:
    """One walk over a memory. After ``readings`` has ended, ``newest``, ``holds`` and ``lost_track`` are true.

    ``is_ordered``: False where nobody knows which end is the newest; then the order says nothing of the clock.
    """

    def __init__(self, memory: Memory, known: Known | None, *, is_ordered: bool = True) -> None:
        self._memory = memory
        self._known = known
        self._head: list[Reading] = []
        self._found = False
        self._is_ordered = is_ordered
        self._order = MemoryOrder()
        self.newest: Known | None = None
        self.holds = 0
        # The cursor's reading was not found: the ring has overwritten it, or the memory was erased.
        self.lost_track = False

    async def readings(self) -> AsyncGenerator[tuple[Reading, ...]]:
        """Groups of new readings, newest first. DeviceErrors; ProtocolError where the memory never holds still."""
        for number in range(PASSES):
            try:
                async with aclosing(self._pass()) as groups:
                    async for group in groups:
                        yield group
            except _Shifted:
                continue
            if number == 0:
                self.lost_track = self._known is not None and not self._found
            if await self._unchanged():
                return
        raise ProtocolError(f"the memory changed during each of {PASSES} passes")

    async def _pass(self) -> AsyncGenerator[tuple[Reading, ...]]:
        self._head, self.newest, self._found, self._order = [], None, False, MemoryOrder()
        self.holds = await self._memory.count()
        group: list[Reading] = []
        for index in range(self.holds):
            reading = await self._memory.record(index)
            self._extend_head(reading)
            if group and reading.reported_time.text != group[0].reported_time.text:
                if fresh := await self._settle(group):
                    yield fresh
                if self._found:
                    return
                group = []
            group.append(reading)
        if group and (fresh := await self._settle(group)):
            yield fresh

    async def _settle(self, group: Sequence[Reading]) -> tuple[Reading, ...]:
        """The readings of a whole group that are newer than the cursor, numbered."""
        identities = [reading.reading_id for reading in group]
        if len(set(identities)) < len(identities) and not await self._unchanged():
            raise _Shifted
        self.newest = self.newest or Known(identities[0], identities.count(identities[0]))
        fresh = group[: self._position_of_known(identities)]
        went_back_to = self._order.older(group[0].reported_time.local) if self._is_ordered else None
        return tuple(
            replace(
                reading,
                occurrence=identities[index + 1 :].count(identities[index]),
                clock_went_back_to=went_back_to,
            )
            for index, reading in enumerate(fresh)
        )

    def _position_of_known(self, identities: Sequence[str]) -> int:
        """Where the cursor's reading stands in a group, or the group's end."""
        seen: Counter[str] = Counter()
        for index in reversed(range(len(identities))):
            seen[identities[index]] += 1
            if self._known == Known(identities[index], seen[identities[index]]):
                self._found = True
                return index
        return len(identities)

    def _extend_head(self, reading: Reading) -> None:
        if not self._head or self._head[-1].reported_time == self._head[0].reported_time:
            self._head.append(reading)

    async def _unchanged(self) -> bool:
        if await self._memory.count() != self.holds:
            return False
        for index, reading in enumerate(self._head):
            if (await self._memory.record(index)).reading_id != reading.reading_id:
                return False
        return True
