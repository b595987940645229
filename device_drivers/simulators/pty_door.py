"""The door over a real pseudo-terminal: any program that opens a serial port can read the simulated device."""

import asyncio
import os
import tty
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from device_drivers.links.readiness import ready
from device_drivers.simulators.line import Line

# Whoever listens takes what is sent sooner than this.
TAKEN_WITHIN_S = 1.0


class PtyDoor:
    """A pty for as long as the context lasts; needs a running event loop.

    ``url`` is what a serial link opens: the symbolic link where one was asked for (it stays the same when the cable is
    pulled and put back), else the pty itself. ``pulled`` is set while the cable is not plugged in.
    """

    def __init__(self, line: Line, link: Path | None = None) -> None:
        self.line = line
        line.push = self._send
        self.pulled = asyncio.Event()
        self._link = link
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self._device_end: int | None = None
        self._host_end: int | None = None
        self._tty = ""

    @property
    def url(self) -> str:
        """The path of the port."""
        return str(self._link or self._tty)

    async def __aenter__(self) -> Self:
        self.plug_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        writer = self._writer
        self.unplug()
        if writer is not None:
            with suppress(asyncio.CancelledError):
                await writer

    def plug_in(self) -> None:
        """Open the pty and make the link."""
        self.pulled.clear()
        # The host's end stays open here, too: without it the device's end fails whenever no program has it open.
        self._device_end, self._host_end = os.openpty()
        tty.setraw(self._host_end)
        os.set_blocking(self._device_end, False)
        self._tty = os.ttyname(self._host_end)
        if self._link is not None:
            self._link.parent.mkdir(parents=True, exist_ok=True)
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._tty)
        asyncio.get_running_loop().add_reader(self._device_end, self._on_readable, self._device_end)
        self._writer = asyncio.create_task(self._write(self._device_end))

    def unplug(self) -> None:
        """Pull the cable: whoever has the port open is hung up."""
        if self._device_end is None or self._host_end is None:
            return
        asyncio.get_running_loop().remove_reader(self._device_end)
        os.close(self._device_end)
        os.close(self._host_end)
        self._device_end = self._host_end = None
        self.pulled.set()
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None

    def _on_readable(self, device_end: int) -> None:
        self._send(self.line.exchange(os.read(device_end, 4096)))

    def _send(self, sent: bytes) -> None:
        step = 1 if self.line.faults.one_octet_at_a_time else max(1, len(sent))
        for start in range(0, len(sent), step):
            self._outgoing.put_nowait(sent[start : start + step])
        if self.line.unplugged:
            self._outgoing.put_nowait(b"")

    async def _write(self, device_end: int) -> None:
        """Send chunk by chunk; an empty one means that the cable is pulled here."""
        while chunk := await self._outgoing.get():
            with suppress(TimeoutError):  # nobody takes what is sent: it is lost, as on any serial line
                async with asyncio.timeout(TAKEN_WITHIN_S):
                    await _write_all(device_end, chunk)
            # Even no delay lets a reader see each chunk alone.
            await asyncio.sleep(self.line.faults.reply_delay_s)
        self._writer = None
        self.unplug()


async def _write_all(device_end: int, chunk: bytes) -> None:
    """All of it, as fast as it is taken: a whole memory in one piece is longer than what a pty holds."""
    loop = asyncio.get_running_loop()
    while chunk:
        try:
            chunk = chunk[os.write(device_end, chunk) :]
        except BlockingIOError:
            await ready(device_end, loop.add_writer, loop.remove_writer)
