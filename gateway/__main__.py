"""``python -m gateway``: run a gateway, or look at one.

Exit codes: 0 good, 2 bad usage or configuration, 3 the outbox cannot be used, 4 another gateway runs on it, 5 the cloud
gives no certificate, 6 the cloud cannot be asked for one now.
"""

import argparse
import asyncio
import getpass
import json
import logging
import re
import signal
import sys
from pathlib import Path

from gateway import app, clock, config
from gateway.bond_ladder import Ladder
from gateway.outbox import Outbox, OutboxError, VisitRow
from gateway.passkeys import leave_passkey

USAGE, OUTBOX, RUNNING, REFUSED, UNREACHABLE = 2, 3, 4, 5, 6


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        settings = config.load(parsed.config)
        if parsed.command == "pair":
            return _pair(settings, parsed.name, parsed.passkey)
        if parsed.command in ("enrol", "renew"):
            return _certificate(settings, parsed.command)
        if parsed.command == "status":
            print(json.dumps(_status(settings), indent=2))
            return 0
        return _run(settings)
    except config.ConfigError as error:
        return _fail(USAGE, error)
    except OutboxError as error:
        return _fail(OUTBOX, error)
    except app.AlreadyRunning as error:
        return _fail(RUNNING, error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway", description="A home gateway of Pulsepost.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="read the devices of the configuration and publish what they say")
    status = commands.add_parser("status", help="what waits in the outbox and how the last visits went, as JSON")
    pair = commands.add_parser("pair", help="hand the running gateway the passkey that a device shows")
    enrol = commands.add_parser(
        "enrol",
        help="get this gateway its certificate, for a one-time code",
        description="Asks for the code, or reads it from standard input: a command line can be read by others."
        " A gateway that runs notices its new certificate.",
    )
    renew = commands.add_parser("renew", help="get the next certificate; a running gateway does so by itself")
    for command in (run, status, pair, enrol, renew):
        command.add_argument(
            "config", type=Path, metavar="CONFIG", help="a TOML file; gateway/README.md has an example"
        )
    pair.add_argument("name", metavar="NAME", help="the device's name in the configuration")
    pair.add_argument("--passkey", metavar="DIGITS", help="the six digits; asked for where they are not given")
    return parser


def _pair(settings: config.Config, name: str, passkey: str | None) -> int:
    if not any(entry.name == name and entry.address for entry in settings.devices):
        return _fail(USAGE, f"the configuration has no Bluetooth device {name!r}")
    digits = passkey if passkey is not None else input("The six digits on the device's display: ")
    if not re.fullmatch("[0-9]{6}", digits):
        return _fail(USAGE, "a passkey has six digits")
    try:
        leave_passkey(settings.data_dir, name, digits)
    except OSError as error:
        return _fail(USAGE, f"data_dir {settings.data_dir} cannot be used: {error.strerror}")
    print(f"the running gateway uses it as soon as {name} asks (and forgets it then)")
    return 0


def _certificate(settings: config.Config, command: str) -> int:
    from gateway import enrolment  # here alone: what it loads has no place in a running gateway

    try:
        if command == "renew":
            made = enrolment.renew(settings, clock.now)
        else:
            code = _code()
            if not code:
                return _fail(USAGE, "no code was given; get one from whoever runs the cloud, and try again")
            made = enrolment.enrol(settings, code)
    except enrolment.Refused as error:
        return _fail(REFUSED, error)
    except enrolment.Unreachable as error:
        return _fail(UNREACHABLE, error)
    except enrolment.EnrolmentFailed as error:
        return _fail(USAGE, error)
    print(f"gateway {made.gateway_id} has a certificate until {made.valid_until:%Y-%m-%d %H:%M} UTC")
    return 0


def _code() -> str:
    """From the terminal, unseen, or from standard input."""
    if sys.stdin.isatty():
        return getpass.getpass("The one-time code (it is not shown): ").strip()
    return sys.stdin.readline().strip()


def _run(settings: config.Config) -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    async def until_signal() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await app.run(settings, stop=stop, on_ready=lambda: print(f"ready {settings.gateway_id}", flush=True))

    asyncio.run(until_signal())
    return 0


def _status(settings: config.Config) -> dict[str, object]:
    outbox = Outbox.read_only(app.outbox_path(settings), settings.outbox_key_file)
    try:
        depth, visits = outbox.depth(), {} if outbox.sealed_away else outbox.visits()
        damaged = {"damaged": rows} if (rows := outbox.damaged()) else {}
        sealed = {"sealed": f"how the visits went cannot be said: {outbox.sealed_away}"} if outbox.sealed_away else {}
        return {
            "gateway_id": settings.gateway_id,
            **sealed,
            "outbox": {
                "depth": depth.rows,
                "oldest_unsent_s": round((clock.now() - depth.oldest).total_seconds()) if depth.oldest else None,
                "in_flight": len(outbox.in_flight()),
                "freed": outbox.freed(),
                **damaged,
            },
            "devices": [
                _device(entry, visits.get(entry.name), outbox.ladder(entry.name))
                for entry in (*settings.devices, *(() if outbox.sealed_away else outbox.paired()))
            ],
        }
    finally:
        outbox.close()


def _device(entry: config.DeviceEntry, visit: VisitRow | None, ladder: Ladder) -> dict[str, object]:
    last = (
        {
            "at": visit.at.isoformat(),
            "outcome": visit.outcome,
            "reason": visit.reason,
            "received": visit.received,
            "new": visit.new,
            "holds": visit.holds,
            "identity": visit.identity,
        }
        if visit
        else None
    )
    repair: dict[str, object] = {"repair": _repair(ladder)} if entry.address else {}
    return {"name": entry.name, "profile": entry.profile, "transport": entry.transport, "last": last, **repair}


def _repair(ladder: Ladder) -> dict[str, object]:
    """How often each repair was tried since the outbox was made, and how far it went this time."""
    return {
        "last_step": ladder.last_step,
        "closed": ladder.closed,
        "forgotten": ladder.forgotten,
        "power_cycled": ladder.power_cycled,
        "given_up": ladder.given_up,
    }


def _fail(code: int, error: Exception | str) -> int:
    print(error, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
