"""A command on a machine with Bluetooth: `python -m deploy.bluez_guest run [--name NAME] [--limit S] -- COMMAND...`.

`prepare` fetches and builds what that needs, from Debian's archive into .local/bluez_guest; the others do it, too.
`test [GROUP...]` runs the system suite: each group, tests/bluez/test_GROUP.py, in a boot of its own.
Exit codes of `run`: the command's; 125 where the guest could not be prepared, or ended without one. `test`: 0 or 1.
"""

from __future__ import annotations

import argparse
import sys

from deploy.bluez_guest import machine, suite
from deploy.bluez_guest.errors import GuestFailed
from deploy.bluez_guest.prepare import prepare

FAILED = 125


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        prepare(_say)
        match options.command:
            case "run":
                return machine.run(options.words, options.name, options.limit)
            case "test":
                return 0 if suite.run(options.groups, _say) else 1
            case _:
                return 0
    except GuestFailed as error:
        print(error, file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.bluez_guest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="fetch and build what the guest needs")
    test = commands.add_parser("test", help="run the system suite in it")
    test.add_argument("groups", nargs="*", metavar="GROUP", help="pairing is tests/bluez/test_pairing.py (all)")
    run = commands.add_parser("run", help="boot it for one command")
    run.add_argument("--name", default="run", help="folder of the run below .local/bluez_guest/runs (%(default)s)")
    run.add_argument("--limit", type=float, default=300.0, help="seconds after which it is ended (%(default)g)")
    run.add_argument("words", nargs="+", metavar="COMMAND", help="what to run in it, after --")
    return parser


def _say(text: str) -> None:
    print(f"==> bluez guest: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
