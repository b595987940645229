"""``radio``: simulated Bluetooth devices on a virtual radio that other processes reach over HCI, until SIGTERM."""

import argparse
import asyncio
from contextlib import AsyncExitStack

import msgspec

from device_drivers.simulators.clock import utc_now
from device_drivers.simulators.device import Now
from device_drivers.simulators.named_faults import ON_THE_RADIO
from device_drivers.simulators.options import add_device, radio_home, say_list
from device_drivers.simulators.radio import SimulatedRoom, furnish
from device_drivers.simulators.radio_spec import NewBleRecord, RadioSpec
from device_drivers.simulators.serial_command import until_told_to_stop
from device_drivers.simulators.spec import HomeSpec
from device_drivers.simulators.standard_streams import complain, new_records, say
from firmware_profiles.catalogue import catalogue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to simulate, and ``--listen``."""
    add_device(parser, ON_THE_RADIO)
    parser.add_argument("--listen", default="tcp:127.0.0.1:0", help="tcp:HOST:PORT or unix:PATH (default: %(default)s)")


async def run(args: argparse.Namespace) -> int:
    """Serve the ``radio`` part of the spec, or the one device that was ordered."""
    if args.list:
        say_list(catalogue(), ("ble",))
        return 0
    home = radio_home(args, catalogue())
    async with AsyncExitStack() as stack:
        room = await open_room(stack, radio_part(home), args.listen)
        listener = asyncio.create_task(_listen(room))
        say({"ready": True})
        await until_told_to_stop()
        listener.cancel()
    return 0


def radio_part(home: HomeSpec) -> RadioSpec:
    """The Bluetooth devices of a home. msgspec.ValidationError."""
    return msgspec.json.decode(home.radio, type=RadioSpec, strict=False)


async def open_room(stack: AsyncExitStack, spec: RadioSpec, listen: str, now: Now = utc_now) -> SimulatedRoom:
    """All devices, switched on; then one JSON line whose ``radio`` is what ``open_central`` takes. UnknownProfile."""
    room = await furnish(spec, catalogue(), now)
    stack.push_async_callback(room.close)
    say({"radio": await room.radio.listen(listen), "devices": list(room.devices)})
    return room


async def _listen(room: SimulatedRoom) -> None:
    async for new in new_records(NewBleRecord):
        if room.measure(new):
            say({"device": new.device, "measured": True})
        else:
            complain(f"no device is called {new.device!r}")
