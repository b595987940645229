"""What a device pushes (notifications, indications), in one queue, with the hang-up in its right place at the end."""

import asyncio
from functools import partial
from types import TracebackType
from uuid import UUID

from device_drivers.errors import LinkLost, LinkTimeout
from device_drivers.links.ports import BleLink


class Arrivals:
    """``async with Arrivals(link) as arrivals``: subscribe, then take what came, in order.

    Everything that arrived before the device hung up is given out before the hang-up is reported.
    """

    def __init__(self, link: BleLink) -> None:
        self._link = link
        self._queue: asyncio.Queue[tuple[UUID, bytes] | None] = asyncio.Queue()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Arrivals":
        self._watch = asyncio.create_task(self._watch_hang_up())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def subscribe(self, characteristic: UUID) -> None:
        """From now on its values come in."""
        await self._link.subscribe(characteristic, partial(self._put, characteristic))

    async def next(self, timeout_s: float) -> tuple[UUID, bytes]:
        """The next value. LinkTimeout after that much silence, LinkLost once the device has hung up."""
        try:
            async with asyncio.timeout(timeout_s):
                arrived = await self._queue.get()
        except TimeoutError as error:
            raise LinkTimeout(f"nothing came from the device in {timeout_s:g} s") from error
        if arrived is None:
            self._queue.put_nowait(None)  # it stays so
            raise LinkLost("the device hung up")
        return arrived

    @property
    def waiting(self) -> bool:
        """Whether ``next`` would answer at once."""
        return not self._queue.empty()

    def _put(self, characteristic: UUID, octets: bytes) -> None:
        self._queue.put_nowait((characteristic, octets))

    async def _watch_hang_up(self) -> None:
        await self._link.wait_disconnected()
        self._queue.put_nowait(None)
