"""The door of a simulated HID device into this machine's own kernel: a hidraw file, as a USB cable makes one.

Through /dev/uhid, which needs root and the module ``uhid``. The kernel takes the device for a USB one with the ids of
its profile; everything from there on is the system's: its hidraw file, its facts in sysfs, its ioctls.

Sources: Linux, Documentation/hid/uhid.rst and include/uapi/linux/uhid.h (the events, packed, native byte order);
Device Class Definition for HID 1.11, section 6.2.2 (the report descriptor).
"""

import asyncio
import errno
import os
import struct
from enum import IntEnum
from types import TracebackType
from typing import Self

from device_drivers.simulators.line import Line

DEVICE = "/dev/uhid"


class _Event(IntEnum):
    """What stands first in each event, either way."""

    DESTROY = 1
    OUTPUT = 6
    GET_REPORT = 9
    GET_REPORT_REPLY = 10
    CREATE2 = 11
    INPUT2 = 12
    SET_REPORT = 13
    SET_REPORT_REPLY = 14


# name, phys, uniq; length of the descriptor, bus; vendor, product, version, country; the descriptor.
_CREATION = struct.Struct("=I128s64s64sHHIIII4096s")
_OUTPUT_EVENT = struct.Struct("=4096sHB")
_SET_EVENT = struct.Struct("=IBBH4096s")
_LONGEST_EVENT = 4 + 4372
_USB = 3


class UhidDoor:
    """A plugged-in device for as long as the context lasts; needs a running event loop. OSError without /dev/uhid.

    ``usb`` is its id (``0590:0028``), ``plug`` where it is plugged in, as HID_PHYS of its ``uevent`` says it.
    """

    def __init__(self, line: Line, report_length: int, usb: str, plug: str = "usb-simulated/input0") -> None:
        self.line = line
        self._report_length = report_length
        self._vendor, self._product = (int(part, 16) for part in usb.split(":"))
        self._plug = plug
        self._file: int | None = None

    async def __aenter__(self) -> Self:
        self.plug_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug_in(self) -> None:
        """The kernel makes its hidraw file soon after."""
        descriptor = report_descriptor(self._report_length)
        self._file = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        ids = (self._vendor, self._product, 0, 0)
        name, plug = b"simulated", self._plug.encode()
        os.write(self._file, _CREATION.pack(_Event.CREATE2, name, plug, b"", len(descriptor), _USB, *ids, descriptor))
        asyncio.get_running_loop().add_reader(self._file, self._on_event, self._file)

    def unplug(self) -> None:
        """Pull the cable: the hidraw file goes, whoever has it open is told."""
        if self._file is not None:
            asyncio.get_running_loop().remove_reader(self._file)
            os.write(self._file, struct.pack("=I", _Event.DESTROY))
            os.close(self._file)
            self._file = None

    def _on_event(self, file: int) -> None:
        event = os.read(file, _LONGEST_EVENT)
        (kind,) = struct.unpack_from("=I", event)
        match kind:
            case _Event.OUTPUT:
                data, size, _ = _OUTPUT_EVENT.unpack_from(event, 4)
                self._answer(file, self.line.exchange(self._unnumbered(data[:size])))
            case _Event.SET_REPORT:
                number, _, _, size, data = _SET_EVENT.unpack_from(event, 4)
                self.line.set_feature(data[:size].removeprefix(b"\0"))
                os.write(file, struct.pack("=IIH", _Event.SET_REPORT_REPLY, number, 0))
            case _Event.GET_REPORT:
                (number,) = struct.unpack_from("=I", event, 4)
                os.write(file, struct.pack("=IIHH", _Event.GET_REPORT_REPLY, number, errno.EIO, 0))
            case _:
                pass  # started, opened, closed: nothing that a device at the end of a cable learns of

    def _unnumbered(self, report: bytes) -> bytes:
        """hidraw's first octet is the report's number; of a device without numbers it does not reach the cable."""
        return report[1:] if report[:1] == b"\0" and len(report) == self._report_length + 1 else report

    def _answer(self, file: int, sent: bytes) -> None:
        """Whole reports; of one that was cut nothing is left, as on USB."""
        length = self._report_length
        for start in range(0, len(sent) - length + 1, length):
            os.write(file, struct.pack("=IH", _Event.INPUT2, length) + sent[start : start + length])
        if self.line.unplugged:
            self.unplug()


def report_descriptor(length: int) -> bytes:
    """One vendor-defined collection: input, output and feature reports of so many octets, without numbers."""
    octets = bytes.fromhex("1500 26ff00 7508") + bytes((0x95, length))  # 0 to 255, 8 bits each, so many
    reports = bytes.fromhex("0901 8102 0901 9102 0901 b102")  # input, output, feature: data, variable, absolute
    return bytes.fromhex("0600ff 0901 a101") + octets + reports + bytes.fromhex("c0")
