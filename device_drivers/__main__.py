"""A command for people who support devices: understand octets, read a device, find out what a device is.

    python -m device_drivers decode FORMAT HEX          what octets mean; decode --list lists the formats
    python -m device_drivers read URL [--profile ID]    every reading of a device, as JSON lines
    python -m device_drivers probe URL                  what is it, and which profile fits

JSON on standard output, errors too ({"error": ...}). Exit codes: 0 good, 2 bad usage, 3 device error (it could not be
reached, read to its end, or recognised), 4 octets that cannot be understood.
"""

import argparse
import asyncio
import inspect
import sys
from typing import NoReturn

from device_drivers.errors import DeviceError
from device_drivers.support import decode_command, probe_command, read_command
from device_drivers.support.exit_codes import BAD_USAGE, DEVICE_ERROR, BadUsage
from device_drivers.support.rendering import say
from firmware_profiles.catalogue import InvalidProfile, UnknownProfile


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the command line as JSON, too."""

    def error(self, message: str) -> NoReturn:
        say({"error": message})
        super().error(message)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = _parser()
    # argparse does not take up positional arguments again behind an option: decode FORMAT --text 'P "SAT"...'.
    args, behind_option = parser.parse_known_args(arguments)
    if args.command != "decode" or any(argument.startswith("-") for argument in behind_option):
        args = parser.parse_args(arguments)
    else:
        args.octets += behind_option
    try:
        result = args.run(args)
        return int(asyncio.run(result) if inspect.iscoroutine(result) else result)
    except (BadUsage, UnknownProfile, InvalidProfile) as error:
        say({"error": str(error)})
        return BAD_USAGE
    except DeviceError as error:
        say({"error": f"{type(error).__name__}: {error}"})
        return DEVICE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m device_drivers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module, text in (
        ("decode", decode_command, "what octets mean"),
        ("read", read_command, "every reading of a device, as JSON lines"),
        ("probe", probe_command, "what a device is, and which profile fits"),
    ):
        command = commands.add_parser(name, help=text, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
