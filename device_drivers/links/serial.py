"""A serial line through pyserial; the only file here that imports it.

A port with a file descriptor (a tty, a pty, ``socket://``) is watched by the event loop and costs no thread. URL
schemes without one (``loop://``, ``rfc2217://``, ``cp2110://``) are read in asyncio's thread pool, one short blocking
call at a time.

What goes wrong keeps its meaning: pyserial's SerialException, EIO and a termios error are ``LinkLost`` (somebody pulled
the cable), silence is ``LinkTimeout``, and a command that the profile does not list is ``ForbiddenCommand`` before one
octet of it has left.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import serial

from device_drivers.links.allow_list import SerialAllowList
from device_drivers.links.ports import SerialLink, Tap
from device_drivers.links.readiness import as_link_errors, ready
from firmware_profiles.schema import Profile, SerialPort

# No command of ours is longer than a few dozen octets; a line that does not take them in this time is not there.
WRITE_TIMEOUT_S = 2.0


@asynccontextmanager
async def open_serial(
    url: str, profile: Profile, tap: Tap | None = None, *, address: str | None = None
) -> AsyncIterator[SerialLink]:
    """Open a port (a device path or a pyserial URL) as the profile's ``[firmware.serial]`` says.

    ``tap`` sees every chunk, channel "". ``address`` is the link's; the URL's tail where none is given. Raises LinkLost
    where the port cannot be opened, ValueError where the profile is not one for a serial line.
    """
    settings = profile.firmware.serial
    if settings is None:
        raise ValueError(f"profile {profile.id} is not one for a serial line")
    with as_link_errors():
        port = await asyncio.to_thread(_open, url, settings)
    try:
        pump: _Pump = _ThreadPump(port) if _descriptor(port) is None else _ReadinessPump(port)
        allowed = SerialAllowList(profile.firmware.commands, profile.id)
        yield _GuardedLink(pump, allowed, tap, address or url.rpartition("/")[2])
    finally:
        port.close()


def _open(url: str, settings: SerialPort) -> serial.Serial:
    return serial.serial_for_url(
        url,
        baudrate=settings.baud,
        bytesize=settings.data_bits,
        parity=settings.parity,
        stopbits=settings.stop_bits,
        timeout=0,
        write_timeout=0,
        exclusive=True,
    )


def _descriptor(port: serial.Serial) -> int | None:
    try:
        return port.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return None


class _Pump(Protocol):
    """Octets in and out, without meaning."""

    async def read(self, size: int, timeout_s: float) -> bytes: ...

    async def write(self, data: bytes) -> None: ...

    def discard_input(self) -> None: ...


class _GuardedLink:
    """``SerialLink`` over a pump: the allow-list, the tap and the error mapping."""

    def __init__(self, pump: _Pump, allowed: SerialAllowList, tap: Tap | None, address: str) -> None:
        self._pump = pump
        self._allowed = allowed
        self._tap = tap
        self._address = address

    @property
    def address(self) -> str:
        return self._address

    async def write(self, data: bytes) -> None:
        self._allowed.check(data)
        with as_link_errors():
            await self._pump.write(data)
        if self._tap is not None:
            self._tap("out", "", data)

    async def read(self, size: int, timeout_s: float) -> bytes:
        with as_link_errors():
            data = await self._pump.read(size, timeout_s)
        if self._tap is not None:
            self._tap("in", "", data)
        return data

    async def drain_input(self) -> None:
        with as_link_errors():
            self._pump.discard_input()


class _ReadinessPump:
    """A port with a file descriptor: the event loop says when it can be read or written."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._fd = port.fileno()

    async def read(self, size: int, timeout_s: float) -> bytes:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            while True:
                await ready(self._fd, loop.add_reader, loop.remove_reader)
                if data := self._port.read(min(size, max(1, self._port.in_waiting))):
                    return data

    async def write(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            while data:
                await ready(self._fd, loop.add_writer, loop.remove_writer)
                data = data[self._port.write(data) or 0 :]

    def discard_input(self) -> None:
        self._port.reset_input_buffer()


class _ThreadPump:
    """A port without a file descriptor: short blocking calls in the thread pool."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._port.write_timeout = WRITE_TIMEOUT_S

    async def read(self, size: int, timeout_s: float) -> bytes:
        data = await asyncio.to_thread(self._read, size, timeout_s)
        if not data:
            raise TimeoutError
        return data

    def _read(self, size: int, timeout_s: float) -> bytes:
        self._port.timeout = timeout_s
        first = self._port.read(1)
        waiting = min(size - 1, self._port.in_waiting) if first else 0
        return bytes(first + self._port.read(waiting)) if waiting else bytes(first)

    async def write(self, data: bytes) -> None:
        await asyncio.to_thread(self._port.write, data)

    def discard_input(self) -> None:
        self._port.reset_input_buffer()
