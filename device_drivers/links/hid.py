"""USB HID devices through Linux's hidraw: a file that is read and written report by report.

The event loop watches the file; no device costs a thread. A write or an ioctl waits for the USB transfer, up to seconds
where a device hangs, so it borrows asyncio's thread pool. A Unix socket (SOCK_SEQPACKET, which keeps the boundaries of
reports) in the place of the file is taken for a simulated device, as a pty is on a serial line; in its packets the
first octet says what the rest is, because a feature report travels outside of the output reports.

Errors keep their meaning: a device that was unplugged is ``LinkLost`` (the kernel says EIO or ENODEV, a socket ends),
silence is ``LinkTimeout``, and a report that the profile does not list is ``ForbiddenCommand`` before it has left.

Sources: Linux, Documentation/hid/hidraw.rst (report numbers, HIDIOCSFEATURE) and include/uapi/linux/hidraw.h; the
fields of ``uevent`` from drivers/hid/hid-core.c.
"""

import asyncio
import fcntl
import os
import re
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from device_drivers.errors import LinkLost
from device_drivers.links.allow_list import ReportAllowList
from device_drivers.links.ports import ReportLink, Tap
from device_drivers.links.readiness import as_link_errors, ready
from firmware_profiles.schema import Hid, Profile

HIDRAW = Path("/sys/class/hidraw")
DEVICES = Path("/dev")

# What the first octet of a simulated device's packet says.
OUTPUT, FEATURE, INPUT = b"\x02", b"\x03", b"\x01"

# No report of a device that we read is longer; hidraw gives one report per read.
_LONGEST = 4096
# What a device may have sent before anybody listened; hidraw itself keeps 64 reports.
_MOST_STALE = 1024
# A device without numbered reports: the kernel takes this octet off again.
_NO_NUMBER = b"\x00"
_USB = "0003"


def find_hidraw(usb: str, root: Path = HIDRAW, devices: Path = DEVICES) -> tuple[Path, ...]:
    """The hidraw files of all plugged-in devices with a USB id (``0590:0028``), one per device, in order.

    A device with several HID interfaces is named by its lowest. ``root`` is sysfs's ``class/hidraw``.
    """
    vendor, product = usb.lower().split(":")
    wanted = f"{_USB}:0000{vendor}:0000{product}"
    found: dict[str, tuple[int, Path]] = {}
    for node in sorted(root.glob("hidraw*"), key=lambda node: node.name):
        facts = _uevent(node / "device" / "uevent")
        if facts.get("HID_ID", "").lower() == wanted:
            plug, _, interface = facts.get("HID_PHYS", node.name).partition("/")
            number = int("".join(re.findall(r"[0-9]+", interface)) or 0)
            found[plug] = min(found.get(plug, (number, devices / node.name)), (number, devices / node.name))
    return tuple(sorted(path for _, path in found.values()))


def _uevent(path: Path) -> dict[str, str]:
    """The facts of one device; none where it was unplugged meanwhile."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


@asynccontextmanager
async def open_hid(
    path: str, profile: Profile, tap: Tap | None = None, *, address: str | None = None
) -> AsyncIterator[ReportLink]:
    """Open a hidraw device (or a simulated one's socket) as the profile's ``[firmware.hid]`` says.

    ``tap`` sees every report, channel "" or "feature". ``address`` is the link's; the file's name where none is given.
    Raises LinkLost where the device cannot be opened, ValueError where the profile is not one for a HID device.
    """
    settings = profile.firmware.hid
    if settings is None:
        raise ValueError(f"profile {profile.id} is not one for a HID device")
    with as_link_errors():
        carrier = _open(path, settings)
    allowed = ReportAllowList(profile.firmware.commands, profile.id)
    link = _GuardedLink(carrier, settings, allowed, tap, address or path.rpartition("/")[2])
    try:
        yield link
    finally:
        await link.settle()
        carrier.close()


def _open(path: str, settings: Hid) -> "_Carrier":
    if stat.S_ISSOCK(os.stat(path).st_mode):
        return _Imitation(path)
    return _Hidraw(path, numbered=settings.numbered_output)


class _Carrier(Protocol):
    """Reports in and out, without meaning. ``read`` does not wait: BlockingIOError; OSErrors otherwise."""

    def fileno(self) -> int: ...

    def read(self) -> bytes: ...

    def write(self, report: bytes) -> None: ...

    def set_feature(self, report: bytes) -> None: ...

    def close(self) -> None: ...


class _Hidraw:
    """The device file."""

    def __init__(self, path: str, *, numbered: bool) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._number = b"" if numbered else _NO_NUMBER

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bytes:
        return os.read(self._fd, _LONGEST)

    def write(self, report: bytes) -> None:
        os.write(self._fd, self._number + report)

    def set_feature(self, report: bytes) -> None:
        fcntl.ioctl(self._fd, set_feature_request(len(report) + 1), _NO_NUMBER + report)

    def close(self) -> None:
        os.close(self._fd)


def set_feature_request(length: int) -> int:
    """HIDIOCSFEATURE(length), the report's number counted: ``_IOC(_IOC_WRITE | _IOC_READ, 'H', 0x06, length)``."""
    return 0b11 << 30 | length << 16 | ord("H") << 8 | 0x06


class _Imitation:
    """A simulated device's socket."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bytes:
        return self._socket.recv(_LONGEST).removeprefix(INPUT)

    def write(self, report: bytes) -> None:
        self._socket.send(OUTPUT + report)

    def set_feature(self, report: bytes) -> None:
        self._socket.send(FEATURE + report)

    def close(self) -> None:
        self._socket.close()


class _GuardedLink:
    """``ReportLink`` over a carrier: the allow-list, the tap and the error mapping."""

    def __init__(
        self, carrier: _Carrier, settings: Hid, allowed: ReportAllowList, tap: Tap | None, address: str
    ) -> None:
        self._carrier = carrier
        self._settings = settings
        self._allowed = allowed
        self._tap = tap
        self._address = address
        self._under_way: asyncio.Future[None] | None = None

    @property
    def address(self) -> str:
        return self._address

    async def write(self, report: bytes) -> None:
        self._allowed.check(report)
        if len(report) != self._settings.report_length and not self._settings.numbered_output:
            raise ValueError(f"a report of {len(report)} octets for a device with {self._settings.report_length}")
        await self._carry(self._carrier.write, report, "")

    async def set_feature(self, report: bytes) -> None:
        self._allowed.check_feature(report)
        await self._carry(self._carrier.set_feature, report, "feature")

    async def read(self, timeout_s: float) -> bytes:
        with as_link_errors():
            async with asyncio.timeout(timeout_s):
                report = await self._next()
        if not report:
            raise LinkLost("the device was unplugged")
        if self._tap is not None:
            self._tap("in", "", report)
        return report

    async def drain_input(self) -> None:
        with as_link_errors(), suppress(BlockingIOError):
            for _ in range(_MOST_STALE):
                if not self._carrier.read():
                    return

    async def settle(self) -> None:
        """Wait for a write that was given up: its file may not be closed, and its number reused, under it."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])
            self._under_way.exception()

    async def _next(self) -> bytes:
        loop = asyncio.get_running_loop()
        while True:
            await ready(self._carrier.fileno(), loop.add_reader, loop.remove_reader)
            try:
                return self._carrier.read()
            except BlockingIOError:
                continue

    async def _carry(self, send: Callable[[bytes], None], report: bytes, channel: str) -> None:
        self._under_way = asyncio.ensure_future(asyncio.to_thread(send, report))
        with as_link_errors():
            await asyncio.shield(self._under_way)
        self._under_way = None
        if self._tap is not None:
            self._tap("out", channel, report)
