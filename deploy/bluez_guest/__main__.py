"""`python -m deploy.bluez_guest run [--name NAME] [--limit S] -- COMMAND...`: a command on a machine with Bluetooth.

`prepare` fetches and builds what that needs, from Debian's archive into .local/bluez_guest; `run` does it too.
Exit codes: the command's; 125 where the guest could not be prepared or ended without the command's exit code.
"""

from __future__ import annotations

import argparse
import sys

from deploy.bluez_guest import machine
from deploy.bluez_guest.errors import GuestFailed
from deploy.bluez_guest.prepare import prepare

FAILED = 125


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        prepare(_say)
        return machine.run(options.words, options.name, options.limit) if options.command == "run" else 0
    except GuestFailed as error:
        print(error, file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.bluez_guest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="fetch and build what the guest needs")
    run = commands.add_parser("run", help="boot it for one command")
    run.add_argument("--name", default="run", help="folder of the run below .local/bluez_guest/runs (%(default)s)")
    run.add_argument("--limit", type=float, default=300.0, help="seconds after which it is ended (%(default)g)")
    run.add_argument("words", nargs="+", metavar="COMMAND", help="what to run in it, after --")
    return parser


def _say(text: str) -> None:
    print(f"==> bluez guest: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
