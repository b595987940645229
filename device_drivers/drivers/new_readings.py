"""What is new in a memory since the cursor, as the last events of a visit."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from device_drivers.drivers.conversation import Complete, Cursor, Received
from device_drivers.drivers.cursors import LOST_TRACK, cursor_of, known_of
from device_drivers.drivers.newest_first import Memory, Walk
from device_drivers.readings import Reading


async def new_readings(
    memory: Memory, cursor: Cursor | None, *, is_ordered: bool = True
) -> AsyncGenerator[Received | Complete]:
    """Everything newer than the cursor, then ``Complete``. DeviceErrors of the memory."""
    walk = Walk(memory, known_of(cursor), is_ordered=is_ordered)
    async with aclosing(walk.readings()) as groups:
        async for group in groups:
            yield Received(group)
    yield Complete(cursor=cursor_of(walk.newest), holds=walk.holds, warnings=(LOST_TRACK,) if walk.lost_track else ())


class Dump:
    """A memory that came over in one piece, newest first: it cannot shift any more while it is walked."""

    def __init__(self, newest_first: Sequence[Reading]) -> None:
        self._readings = newest_first

    async def count(self) -> int:
        """How many readings it holds."""
        return len(self._readings)

    async def record(self, index: int) -> Reading:
        """One reading, 0 the newest."""
        return self._readings[index]
