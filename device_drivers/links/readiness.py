"""Waiting for a file descriptor on the event loop, and what the system's errors mean for a link."""

import asyncio
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from device_drivers.errors import LinkLost, LinkTimeout


@contextmanager
def as_link_errors() -> Iterator[None]:
    """TimeoutError becomes LinkTimeout; whatever the system says about a device that went away, LinkLost."""
    try:
        yield
    except TimeoutError as error:
        raise LinkTimeout("the device did not answer in time") from error
    except (OSError, termios.error) as error:  # SerialException is an OSError
        raise LinkLost(str(error)) from error


async def ready(fd: int, watch: Callable[..., None], unwatch: Callable[[int], bool]) -> None:
    """Return when the descriptor is ready, or has been hung up."""
    is_ready = asyncio.get_running_loop().create_future()
    watch(fd, _settle, is_ready)
    try:
        await is_ready
    finally:
        unwatch(fd)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
