"""The door of a simulated HID device: a Unix socket in the place of the hidraw file (``links/hid.py``)."""

import asyncio
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from device_drivers.links.hid import FEATURE, INPUT, OUTPUT
from device_drivers.simulators.line import Line

_LONGEST = 4096


class HidDoor:
    """A socket for as long as the context lasts; needs a running event loop. ``url`` is what a HID link opens.
    ``pulled`` is set while it is not plugged in.

    One program at a time has the device, as with a serial port; the next one waits until it lets go.
    """

    def __init__(self, line: Line, link: Path, report_length: int) -> None:
        self.line = line
        self.pulled = asyncio.Event()
        self._link = link
        self._report_length = report_length
        self._listener: socket.socket | None = None
        self._host: socket.socket | None = None

    @property
    def url(self) -> str:
        """The path of the socket."""
        return str(self._link)

    async def __aenter__(self) -> Self:
        self.plug_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug_in(self) -> None:
        """Make the socket."""
        self.pulled.clear()
        self._link.parent.mkdir(parents=True, exist_ok=True)
        self._link.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self._link))
        self._listener.listen()
        self._listener.setblocking(False)
        self._await_host(self._listener)

    def unplug(self) -> None:
        """Pull the cable: whoever has the device open is hung up."""
        self._let_go()
        self.pulled.set()
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
            self._link.unlink(missing_ok=True)

    def _await_host(self, listener: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(listener, self._on_host, listener)

    def _on_host(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._host, _ = listener.accept()
        self._host.setblocking(False)
        loop.remove_reader(listener)
        loop.add_reader(self._host, self._on_packet, self._host)

    def _on_packet(self, host: socket.socket) -> None:
        try:
            packet = host.recv(_LONGEST)
        except ConnectionError:
            packet = b""
        if not packet:
            self._let_go()
            if self._listener is not None:
                self._await_host(self._listener)
        elif packet.startswith(FEATURE):
            self.line.set_feature(packet.removeprefix(FEATURE))
        elif packet.startswith(OUTPUT):
            self._answer(host, self.line.exchange(packet.removeprefix(OUTPUT)))

    def _answer(self, host: socket.socket, sent: bytes) -> None:
        """Whole reports; of one that was cut nothing is left, as on USB."""
        for start in range(0, len(sent) - self._report_length + 1, self._report_length):
            try:
                host.send(INPUT + sent[start : start + self._report_length])
            except (BlockingIOError, ConnectionError):
                return  # nobody takes what is sent: it is lost, as on USB
        if self.line.unplugged:
            self.unplug()

    def _let_go(self) -> None:
        if self._host is not None:
            asyncio.get_running_loop().remove_reader(self._host)
            self._host.close()
            self._host = None
