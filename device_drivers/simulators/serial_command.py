"""``serial``: simulated serial devices on pseudo-terminals, until SIGTERM or SIGINT."""

import argparse
import asyncio
import signal
import tempfile
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from device_drivers.simulators.clock import utc_now
from device_drivers.simulators.device import Now
from device_drivers.simulators.line import line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, HomeSpec, NewRecord, RecordSpec
from device_drivers.simulators.standard_streams import complain, new_records, say
from firmware_profiles.catalogue import catalogue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--spec`` and ``--dir``."""
    parser.add_argument("--spec", type=Path, required=True, help="JSON: see device_drivers/simulators/spec.py")
    parser.add_argument("--dir", type=Path, help="where the ports' symbolic links are made (default: a new folder)")


async def run(args: argparse.Namespace) -> int:
    """Serve the ``serial`` part of the spec."""
    spec = msgspec.json.decode(args.spec.read_bytes(), type=HomeSpec, strict=False)
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
) -> dict[str, PtyDoor]:
    """A pty for each device, each announced by a JSON line with its ``url``. ValueError, UnknownProfile."""
    doors: dict[str, PtyDoor] = {}
    for spec in devices:
        line = line_to(catalogue().get(spec.profile, spec.firmware), spec, now)
        doors[spec.name] = await stack.enter_async_context(PtyDoor(line, folder / spec.name))
        say({"device": spec.name, "transport": "serial", "profile": spec.profile, "url": doors[spec.name].url})
    return doors


def measure(doors: dict[str, PtyDoor], device: str, record: RecordSpec) -> bool:
    """Let a device measure now; False where it is none of these."""
    if (door := doors.get(device)) is None:
        return False
    door.line.device.measure(record)
    return True


async def until_told_to_stop() -> None:
    """SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def _listen(doors: dict[str, PtyDoor]) -> None:
    async for new in new_records(NewRecord):
        if measure(doors, new.device, new.record):
            say({"device": new.device, "measured": True})
        else:
            complain(f"no device is called {new.device!r}")
