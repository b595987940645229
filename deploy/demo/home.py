"""A home gateway whose Bluetooth radio is a virtual one: `python -m deploy.demo.home CONFIG --radio TRANSPORT`.

It is `gateway.app` as it runs on a Raspberry Pi, with one difference: bleak gets a backend of ours, which carries real
HCI octets to simulated peripherals in another process instead of to BlueZ. With `--clock` a file sets its clock.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.demo import clock, set_clock
from device_drivers.simulators.virtual_central import open_central
from gateway import app
from gateway.clock import THIS_COMPUTER, Clocks
from gateway.config import Config, ConfigError, load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.home", description=__doc__)
    parser.add_argument("config", type=Path, help="the gateway's configuration (TOML)")
    parser.add_argument(
        "--radio", required=True, help="HCI transport of the virtual radio, e.g. tcp-client:127.0.0.1:9"
    )
    parser.add_argument(
        "--passkey", type=int, help="what the person at the gateway types when a device shows a passkey"
    )
    parser.add_argument(
        "--clock", type=Path, help="JSON that sets its clock, read at each look: offset_s, synchronised"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        config = load(options.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    clocks = set_clock.clocks(options.clock, clock.now) if options.clock else THIS_COMPUTER
    asyncio.run(_run(config, options.radio, options.passkey, clocks))
    return 0


async def _run(config: Config, radio: str, passkey: int | None, clocks: Clocks) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    bonds = str(config.data_dir / "bonds.json")
    async with open_central(radio, key_store=bonds, passkey=lambda: passkey) as backend:
        await app.run(
            config,
            ble_backend=backend,
            on_ready=lambda: print(f"ready gateway {config.gateway_id}", flush=True),
            stop=stop,
            clocks=clocks,
        )


if __name__ == "__main__":
    sys.exit(main())
