"""What is new in the memories of a cuff for several people, as the last events of a visit."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from device_drivers.drivers.conversation import Complete, Cursor, Received
from device_drivers.drivers.cursors import LOST_TRACK, cursor_of, known_of
from device_drivers.drivers.newest_first import Memory, Walk


async def new_readings_of_users(
    memories: Mapping[int, Memory], cursor: Cursor | None
) -> AsyncGenerator[Received | Complete]:
    """Everything of every user that is newer than the cursor, then ``Complete``. DeviceErrors of the memories."""
    finished: dict[str, int | str] = {}
    warnings: set[str] = set()
    holds = 0
    for user, memory in memories.items():
        walk = Walk(memory, known_of(cursor, f"user_{user}_"))
        async with aclosing(walk.readings()) as groups:
            async for group in groups:
                yield Received(group)
        finished |= cursor_of(walk.newest, f"user_{user}_")
        holds += walk.holds
        warnings |= {LOST_TRACK} if walk.lost_track else set()
    yield Complete(cursor=finished, holds=holds, warnings=tuple(warnings))
