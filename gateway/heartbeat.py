"""How the gateway is: said at birth, at every heartbeat, and by the last will when it falls silent."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version

from gateway.outbox import Outbox
from gateway.wire.v1 import VERSION, StatusMessage

SOFTWARE = version("pulsepost")
# What the broker says for us when we cannot.
LAST_WILL = StatusMessage(v=VERSION, state="offline")


def status(outbox: Outbox, at: datetime) -> StatusMessage:
    """Online, with what waits in the outbox. OutboxError."""
    depth = outbox.depth()
    oldest_unsent_s = max(0, round((at - depth.oldest).total_seconds())) if depth.oldest else None
    return StatusMessage(
        v=VERSION,
        state="online",
        at=at,
        software=SOFTWARE,
        outbox_depth=depth.rows,
        oldest_unsent_s=oldest_unsent_s,
    )


async def beat(say: Callable[[], None], interval_s: float) -> None:
    """Call ``say`` at an interval, for ever."""
    while True:
        await asyncio.sleep(interval_s)
        say()
