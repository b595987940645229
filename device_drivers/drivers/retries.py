"""Trying again: a question whose answer was damaged, late or cut short is asked once more, at most so many times."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from device_drivers.errors import CodecError, IncompleteTransfer, LinkTimeout
from device_drivers.links.ports import SerialLink

Answer = TypeVar("Answer")

# What another attempt may cure; a lost link and a refusal are not among it.
WORTH_ANOTHER_ATTEMPT = (LinkTimeout, CodecError, IncompleteTransfer)
# No meter's whole memory takes longer to come over; who still talks then is not answering us.
NEVER_QUIET_S = 60.0


async def retried(
    attempt: Callable[[], Awaitable[Answer]], retries: int, recover: Callable[[], Awaitable[None]] | None = None
) -> Answer:
    """The first answer of up to ``retries`` + 1 attempts, ``recover`` between them; else the last attempt's error."""
    while True:
        try:
            return await attempt()
        except WORTH_ANOTHER_ATTEMPT:
            if retries == 0:
                raise
        retries -= 1
        if recover is not None:
            await recover()


async def until_quiet(link: SerialLink, quiet_s: float) -> None:
    """Let pass what is still coming, until ``quiet_s`` of silence. LinkLost; LinkTimeout where it never ends."""
    try:
        async with asyncio.timeout(NEVER_QUIET_S):
            while True:
                await link.read(256, quiet_s)
    except LinkTimeout:
        return
    except TimeoutError as error:
        raise LinkTimeout(f"the line was not quiet for {NEVER_QUIET_S:.0f} s") from error
