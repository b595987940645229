"""What comes in over a line, item by item (frames, lines of text), whatever the pieces in which it arrives."""

import asyncio
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from device_drivers.errors import CodecError, LinkTimeout
from device_drivers.links.ports import SerialLink

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

_CHUNK = 256


class Reader(Protocol[Item_co]):
    """An incremental parser; damage comes out in its place."""

    def feed(self, data: bytes) -> Sequence[Item_co | CodecError]:
        """Take octets, give what is now whole, in order."""
        ...

    def reset(self) -> None:
        """Forget an item that has begun."""
        ...


class Incoming(Generic[Item]):
    """The items of one link."""

    def __init__(self, link: SerialLink, reader: Reader[Item], timeout_s: float) -> None:
        self._link = link
        self._reader = reader
        self._timeout_s = timeout_s
        self._waiting: list[Item | CodecError] = []

    async def next(self) -> Item:
        """The next whole item. CodecError where it is damaged; LinkTimeout, LinkLost."""
        try:
            async with asyncio.timeout(self._timeout_s):
                while not self._waiting:
                    await self._receive(self._timeout_s)
        except TimeoutError as error:
            raise LinkTimeout("nothing whole from the device in time") from error
        item = self._waiting.pop(0)
        if isinstance(item, CodecError):
            raise item
        return item

    async def more_within(self, seconds: float) -> bool:
        """Whether another item is there, or comes soon. LinkLost."""
        try:
            async with asyncio.timeout(seconds):
                while not self._waiting:
                    await self._receive(seconds)
        except (TimeoutError, LinkTimeout):
            return False
        return True

    async def forget(self) -> None:
        """Drop what has arrived: nothing from before may answer what is asked next."""
        await self._link.drain_input()
        self._reader.reset()
        self._waiting.clear()

    async def _receive(self, timeout_s: float) -> None:
        self._waiting.extend(self._reader.feed(await self._link.read(_CHUNK, timeout_s)))
