"""The gateway as it runs in a home: a process with a configuration file, judged by its outbox and by its status."""

import asyncio
import json
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec

from device_drivers.simulators.radio_spec import BleDeviceSpec
from gateway.wire.v1 import WireReading
from tests.bluez.stack import output_of, until

PYTHON = sys.executable


class GatewayProcess:
    """One configuration; ``start`` and ``stop`` as often as wanted. There is no broker: all that was read waits."""

    def __init__(
        self, folder: Path, artefacts: Path, devices: tuple[BleDeviceSpec, ...], passkeys_of: tuple[str, ...]
    ) -> None:
        self.data_dir = folder / "data"
        self._log = artefacts / "gateway.log"
        self._config = folder / "gateway.toml"
        self._config.write_text(_configuration(devices, passkeys_of))
        self._process: Process | None = None

    async def start(self) -> None:
        """Returns once it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                PYTHON, "-m", "gateway", "run", str(self._config), stdin=DEVNULL, stdout=log, stderr=log
            )
        ready = self.log().count("ready ")
        await until(lambda: self.log().count("ready ") > ready, 60)

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), 30)

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text() if self._log.exists() else ""

    def waiting(self) -> list[WireReading]:
        """The readings in the outbox, in order of arrival."""
        rows = self._ask("SELECT wire FROM reading ORDER BY seq")
        return [msgspec.json.decode(row[0], type=WireReading) for row in rows]

    def depth(self) -> int:
        """How many readings are in the outbox."""
        return sum(row[0] for row in self._ask("SELECT count(*) FROM reading"))

    def records(self) -> list[tuple[int, str]]:
        """Sequence number and value of each glucose record in the outbox, by sequence number.

        They need not have arrived in that order: what the kernel drops on the way is asked for again.
        """
        glucose = [reading for reading in self.waiting() if reading.kind == "glucose"]
        return sorted((reading.sequence_number or 0, str(reading.components[0].value)) for reading in glucose)

    def values(self, kind: str) -> list[str]:
        """The first figure (the systolic one of a cuff) of the readings in the outbox, in order of arrival."""
        return [str(reading.components[0].value) for reading in self.waiting() if reading.kind == kind]

    def visit(self, name: str) -> tuple[str, int, int]:
        """Outcome, received and new of the last visit to a device; ("", 0, 0) before the first."""
        rows = self._ask("SELECT outcome, received, new FROM visited WHERE at IS NOT NULL AND name = ?", name)
        return rows[0] if rows else ("", 0, 0)

    def outcome(self, name: str) -> str:
        """How the last visit to a device ended."""
        return self.visit(name)[0]

    async def status(self) -> dict[str, Any]:
        """What ``python -m gateway status`` says, by the devices' names; ``outbox`` beside them."""
        said = json.loads(await output_of(PYTHON, "-m", "gateway", "status", str(self._config)))
        return {"outbox": said["outbox"]} | {device["name"]: device["last"] for device in said["devices"]}

    async def type_passkey(self, name: str, passkey: int) -> None:
        """A person types what the device displays."""
        await output_of(PYTHON, "-m", "gateway", "pair", str(self._config), name, "--passkey", f"{passkey:06d}")

    def _ask(self, question: str, *values: str) -> list[Any]:
        path = self.data_dir / "outbox.sqlite"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(question, values).fetchall()


@asynccontextmanager
async def running(gateway: GatewayProcess) -> AsyncIterator[GatewayProcess]:
    """Started; stopped in order at the end."""
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


def _configuration(devices: tuple[BleDeviceSpec, ...], passkeys_of: tuple[str, ...]) -> str:
    # A port without a listener. The pause is longer than another device's visit: bleak reports a device that hangs up
    # as one that advertises, and that stale news would be answered once the pause is over.
    head = (
        'gateway_id = "home-1"\ndata_dir = "data"\n[mqtt]\nhost = "127.0.0.1"\nport = 1\n'
        "[intervals]\nble_cooldown_s = 10\nbackoff_max_s = 3\nscanner_quiet_s = 6\n"
    )
    return head + "".join(_device(device, with_passkey=device.name in passkeys_of) for device in devices)


def _device(device: BleDeviceSpec, *, with_passkey: bool) -> str:
    passkey = f'passkey = "{device.passkey:06d}"\n' if with_passkey else ""
    return f'[[device]]\nname = "{device.name}"\nprofile = "{device.profile}"\naddress = "{device.address}"\n{passkey}'
