"""``serial``: simulated serial devices on pseudo-terminals, HID devices on sockets, until SIGTERM or SIGINT."""

import argparse
import asyncio
import signal
import tempfile
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from device_drivers.simulators.clock import utc_now
from device_drivers.simulators.device import Now
from device_drivers.simulators.hid_door import HidDoor
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.named_faults import ON_A_LINE
from device_drivers.simulators.options import add_device, say_list, serial_home
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, NewRecord, RecordSpec
from device_drivers.simulators.standard_streams import complain, new_records, say
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile

# How other programs reach a simulated device.
Door = PtyDoor | HidDoor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to simulate, and ``--dir``."""
    add_device(parser, ON_A_LINE)
    parser.add_argument("--dir", type=Path, help="where the ports' symbolic links are made (default: a new folder)")


async def run(args: argparse.Namespace) -> int:
    """Serve the ``serial`` part of the spec, or the one device that was ordered."""
    if args.list:
        say_list(catalogue(), ("serial", "hid"))
        return 0
    spec = serial_home(args, catalogue())
    async with AsyncExitStack() as stack:
        doors = await open_doors(stack, spec.serial, ports_folder(stack, args.dir))
        listener = asyncio.create_task(_listen(doors))
        say({"ready": True})
        await until_told_to_stop()
        listener.cancel()
    return 0


def ports_folder(stack: AsyncExitStack, wanted: Path | None) -> Path:
    """The folder that was asked for, or one of our own that goes when we go."""
    return wanted or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulsepost-ports-")))


async def open_doors(
    stack: AsyncExitStack, devices: Iterable[DeviceSpec], folder: Path, now: Now = utc_now
) -> dict[str, Door]:
    """A door for each device, each announced by a JSON line with its ``url``. ValueError, UnknownProfile."""
    doors: dict[str, Door] = {}
    for spec in devices:
        profile = catalogue().get(spec.profile, spec.firmware)
        door = door_to(line_to(profile, spec, now), profile, folder / spec.name)
        doors[spec.name] = await stack.enter_async_context(door)
        transport = profile.firmware.transport
        say({"device": spec.name, "transport": transport, "profile": spec.profile, "url": door.url})
    return doors


def door_to(line: Line, profile: Profile, link: Path) -> Door:
    """A socket for a HID device, else a pty."""
    hid = profile.firmware.hid
    return PtyDoor(line, link) if hid is None else HidDoor(line, link, hid.report_length)


def measure(doors: dict[str, Door], device: str, record: RecordSpec) -> bool:
    """Let a device measure now; False where it is none of these."""
    if (door := doors.get(device)) is None:
        return False
    door.line.measure(record)
    return True


async def until_told_to_stop() -> None:
    """SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def _listen(doors: dict[str, Door]) -> None:
    async for new in new_records(NewRecord):
        if measure(doors, new.device, new.record):
            say({"device": new.device, "measured": True})
        else:
            complain(f"no device is called {new.device!r}")
