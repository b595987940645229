"""Devices without hardware.

    python -m device_drivers.simulators serial --profile ID [--storyline NAME] [--fault NAME]   one device on a pty
    python -m device_drivers.simulators radio  --profile ID [--storyline NAME] [--fault NAME]   one on a virtual radio
    python -m device_drivers.simulators serial --list      storylines, faults and profiles; the same with radio
    python -m device_drivers.simulators serial --spec FILE [--dir DIR]       several serial and HID devices
    python -m device_drivers.simulators radio  --spec FILE [--listen WHERE]  several Bluetooth devices
    python -m device_drivers.simulators home   --spec FILE                   both, in one process

Each prints one JSON line per device when it is ready, takes new measurements as JSON lines on standard input
({"device": "device", "record": {"value": "HI"}}), and ends with SIGTERM or SIGINT. A home also takes an id, repeated in
its answer, and cables to pull: {"device": "device", "unplug": {"after": 40, "for_s": 0.5}}. A specification is
described in device_drivers/simulators/spec.py and radio_spec.py. What a device holds can be read with
python -m device_drivers.
"""

import argparse
import asyncio
import sys

import msgspec

from device_drivers.simulators import serial_command
from firmware_profiles.catalogue import InvalidProfile, UnknownProfile


def main() -> int:
    """Exit code 0, or 2 with a sentence where the spec cannot be served."""
    parser = argparse.ArgumentParser(
        prog="python -m device_drivers.simulators",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serial = commands.add_parser("serial", help="serial devices on pseudo-terminals")
    serial_command.add_arguments(serial)
    serial.set_defaults(run=serial_command.run)
    if sys.argv[1:2] != ["serial"]:  # the Bluetooth side needs bumble (the extra "sim"), the serial side does not
        _add_radio(commands)
    args = parser.parse_args()
    try:
        exit_code: int = asyncio.run(args.run(args))
    except (msgspec.DecodeError, OSError, ValueError, UnknownProfile, InvalidProfile) as error:
        print(error, file=sys.stderr)
        return 2
    return exit_code


def _add_radio(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from device_drivers.simulators import home_command, radio_command

    radio = commands.add_parser("radio", help="Bluetooth devices on a virtual radio")
    radio_command.add_arguments(radio)
    radio.set_defaults(run=radio_command.run)
    home = commands.add_parser("home", help="both, in one process")
    home_command.add_arguments(home)
    home.set_defaults(run=home_command.run)


if __name__ == "__main__":
    sys.exit(main())
