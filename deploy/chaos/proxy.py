"""A link between two programs that can be cut at any octet, made slow, or made a black hole."""

import asyncio
import socket
import struct
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
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._cut: _Cut | None = None
        self._pairs: set[_Pair] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut everything and listen no more."""
        if self._server is not None:
            self._server.close()
        self._open.set()
        self.cut_now()
        if self._serving:
            await asyncio.wait(self._serving)

    def cut_now(self) -> None:
        """Hang up on everybody."""
        for pair in list(self._pairs):
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

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer, Direction.UP, pair))
                group.create_task(self._pump(far_reader, writer, Direction.DOWN, pair))
        finally:
            self._pairs.discard(pair)
            pair.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction, pair: "_Pair"
    ) -> None:
        with suppress(OSError):
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
            if writer.can_write_eof():
                writer.write_eof()  # what was passed on arrives, and then the end

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


@dataclass(eq=False, slots=True)
class _Pair:
    """Both ends of one connection."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter

    def abort(self, but: asyncio.StreamWriter | None = None) -> None:
        """Hang up, with a reset; not on ``but``."""
        for writer in (self.near, self.far):
            if writer is not but:
                _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        end: socket.socket = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def opened(port: int) -> Proxy:
    """A proxy to a port of this machine."""
    proxy = Proxy(port)
    await proxy.open()
    return proxy
