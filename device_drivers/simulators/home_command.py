"""``home``: the serial and the Bluetooth devices of one spec in one process, until SIGTERM or SIGINT."""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from device_drivers.simulators.orders import Home
from device_drivers.simulators.radio_command import open_room, radio_part
from device_drivers.simulators.radio_spec import Order
from device_drivers.simulators.serial_command import open_doors, ports_folder, until_told_to_stop
from device_drivers.simulators.spec import HomeSpec
from device_drivers.simulators.standard_streams import complain, new_records, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--spec``, ``--dir`` and ``--listen``."""
    parser.add_argument("--spec", type=Path, required=True, help="JSON: see device_drivers/simulators/spec.py")
    parser.add_argument("--dir", type=Path, help="where the ports' symbolic links are made (default: a new folder)")
    parser.add_argument("--listen", default="tcp:127.0.0.1:0", help="tcp:HOST:PORT or unix:PATH (default: %(default)s)")


async def run(args: argparse.Namespace) -> int:
    """Serve both parts of the spec; the last line of the start says ``ready``."""
    home = msgspec.json.decode(args.spec.read_bytes(), type=HomeSpec, strict=False)
    async with AsyncExitStack() as stack:
        doors = await open_doors(stack, home.serial, ports_folder(stack, args.dir))
        radio = radio_part(home)
        room = await open_room(stack, radio, args.listen) if radio.devices else None
        listener = asyncio.create_task(_listen(Home(doors, room)))
        say({"ready": True})
        await until_told_to_stop()
        listener.cancel()
    return 0


async def _listen(home: Home) -> None:
    async for order in new_records(Order):
        if (answer := home.obey(order)) is not None:
            say(answer)
        else:
            complain(f"no device is called {order.device!r}")
