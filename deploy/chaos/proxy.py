"""A link between two programs that can be cut at any octet, made slow, or made a black hole."""

import asyncio
import socket
import struct
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

LOOPBACK = "127.0.0.1"
CHUNK = 65536


class Direction(StrEnum):
    """Which way octets go: UP from who connected, DOWN to it."""

    UP = "up"
    DOWN = "down"


@dataclass(slots=True)
class _Cut:
    """Armed: after so many more octets in this direction, counted over all connections."""

    direction: Direction
    remaining: int
    done: asyncio.Event


class Proxy:
    """Listens on a free loopback port and passes octets on to ``port``; make it with ``opened``.

    ``delay_s`` is how long each chunk rests on its way.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self.passed = {Direction.UP: 0, Direction.DOWN: 0}
        self._target = port
        self._door: socket.socket | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._cut: _Cut | None = None
        self._pairs: set[_Pair] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen."""
        self._door = socket.create_server((LOOPBACK, 0))
        self._door.setblocking(False)
        self.port = self._door.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._door, self._accept, self._door)

    async def close(self) -> None:
        """Listen no more and hang up on everybody; afterwards no socket and no task of ours is left."""
        if self._door is not None:
            asyncio.get_running_loop().remove_reader(self._door)
            self._door.close()
            self._door = None
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    def cut_now(self) -> None:
        """Hang up on everybody, whoever is on the way to the other side included."""
        for pair in self._pairs:
            pair.abort()

    async def cut_after(self, octets: int, direction: Direction, within_s: float) -> bool:
        """Pass so many more octets, and hang up right behind them; after ``within_s`` without them, just hang up.

        Whether the octets came.
        """
        self._cut = cut = _Cut(direction, octets, asyncio.Event())
        try:
            async with asyncio.timeout(within_s):
                await cut.done.wait()
            return True
        except TimeoutError:
            self._cut = None
            self.cut_now()
            return False

    async def black_hole(self, for_s: float) -> None:
        """Take connections and pass nothing on for a while; then hang up on all of them."""
        self._open.clear()
        try:
            await asyncio.sleep(for_s)
        finally:
            self.cut_now()
            self._open.set()

    # asyncio's own server takes connections in tasks that nobody else sees: one of them could outlive `close`.
    def _accept(self, door: socket.socket) -> None:
        try:
            near, _ = door.accept()
        except OSError:
            return  # it has hung up already
        task = asyncio.create_task(self._serve(near))
        self._serving.add(task)
        task.add_done_callback(lambda done: self._served(done, near))

    def _served(self, task: asyncio.Task[None], near: socket.socket) -> None:
        self._serving.discard(task)
        near.close()  # where the task was cancelled before it began; after its work, it is closed already

    async def _serve(self, near: socket.socket) -> None:
        pair = _Pair()
        self._pairs.add(pair)
        try:
            near_reader, near_writer = await pair.join(asyncio.open_connection(sock=near))
            far_reader, far_writer = await pair.join(asyncio.open_connection(LOOPBACK, self._target))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(near_reader, far_writer, Direction.UP, pair))
                group.create_task(self._pump(far_reader, near_writer, Direction.DOWN, pair))
        except OSError:
            pass  # nobody is on the other side
        finally:
            self._pairs.discard(pair)
            pair.abort()
            await pair.gone()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction, pair: "_Pair"
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._open.wait()
                if self.delay_s > 0:
                    await asyncio.sleep(self.delay_s)
                if writer.is_closing():
                    continue  # cut on the other way: nothing passes any more, but nobody is hurried either
                data, last = self._shortened(data, direction)
                writer.write(data)
                await writer.drain()
                self.passed[direction] += len(data)
                if last:
                    pair.abort(but=writer)
                    break
            writer.write_eof()  # what was passed on arrives, and then the end
        except OSError:
            if not pair.is_cut:
                pair.abort()  # one side was reset, as of a process that was killed: the other hears of it the same way

    def _shortened(self, data: bytes, direction: Direction) -> tuple[bytes, bool]:
        """What of it still passes, and whether the link ends behind it."""
        cut = self._cut
        if cut is None or cut.direction is not direction:
            return data, False
        if len(data) < cut.remaining:
            cut.remaining -= len(data)
            return data, False
        self._cut = None
        cut.done.set()
        return data[: cut.remaining], True


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pair:
    """Both ends of one connection, as far as they stand; ``is_cut`` once we have hung up on either."""

    def __init__(self) -> None:
        self.is_cut = False
        self._ends: list[asyncio.StreamWriter] = []

    async def join(self, opening: Awaitable[_Streams]) -> _Streams:
        """Take another end in. OSError where it cannot be opened, or we have hung up meanwhile."""
        reader, writer = await opening
        self._ends.append(writer)
        if self.is_cut:
            raise ConnectionAbortedError("cut")
        return reader, writer

    def abort(self, but: asyncio.StreamWriter | None = None) -> None:
        """Hang up, with a reset; not on ``but``."""
        self.is_cut = True
        for writer in self._ends:
            if writer is not but:
                _reset(writer)

    async def gone(self) -> None:
        """The sockets of both ends are closed."""
        for writer in self._ends:
            with suppress(OSError):  # how it ended
                await writer.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    end: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):  # it has gone by itself
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def opened(port: int) -> Proxy:
    """A proxy to a port of this machine."""
    proxy = Proxy(port)
    await proxy.open()
    return proxy
