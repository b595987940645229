"""The gateway as it runs in a home: a process with a configuration file, judged by its outbox and by its status."""

import asyncio
import json
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from device_drivers.simulators.radio_spec import BleDeviceSpec
from gateway.outbox import Lane, Outbox
from gateway.wire.v1 import WireReading
from tests.bluez.stack import output_of, until

PYTHON = sys.executable


class GatewayProcess:
    """One configuration; ``start`` and ``stop`` as often as wanted. There is no broker: all that was read waits."""

    def __init__(
        self,
        folder: Path,
        artefacts: Path,
        devices: tuple[BleDeviceSpec, ...],
        passkeys_of: tuple[str, ...],
        *,
        cables: str = "",
    ) -> None:
        self.data_dir = folder / "data"
        self._log = artefacts / "gateway.log"
        self._config = folder / "gateway.toml"
        self._config.write_text(_configuration(devices, passkeys_of) + cables)
        self._process: Process | None = None

    async def start(self) -> None:
        """Returns once it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                PYTHON, "-m", "gateway", "run", str(self._config), stdin=DEVNULL, stdout=log, stderr=log
            )
        ready = self.log().count("ready ")
        await until(lambda: self.log().count("ready ") > ready, 60)

    async def kill(self) -> None:
        """SIGKILL, as when somebody pulls the plug."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            await process.wait()

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
        """The readings in the outbox, in order of arrival; taken from a copy, for taking claims them."""
        if not self._outbox.exists():
            return []
        copy = self.data_dir.with_name("copy.sqlite")
        copy.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(f"file:{self._outbox}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        with closing(Outbox.open(copy, self._outbox.with_suffix(".key"))) as outbox:
            return sorted(_all_of(outbox), key=lambda reading: reading.read_at)

    def depth(self) -> int:
        """How many readings are in the outbox."""
        if not self._outbox.exists():
            return 0
        with closing(Outbox.read_only(self._outbox)) as outbox:
            return outbox.depth().rows

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
        if not self._outbox.exists():
            return ("", 0, 0)
        with closing(Outbox.read_only(self._outbox)) as outbox:
            row = outbox.visit(name)
        return (row.outcome, row.received, row.new) if row is not None else ("", 0, 0)

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

    @property
    def _outbox(self) -> Path:
        return self.data_dir / "outbox.sqlite"


def _all_of(outbox: Outbox) -> Iterator[WireReading]:
    for lane in Lane:
        while (outgoing := outbox.claim(lane)) is not None:
            yield from outgoing.readings


@asynccontextmanager
async def running(gateway: GatewayProcess) -> AsyncIterator[GatewayProcess]:
    """Started; stopped in order at the end."""
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


def _configuration(devices: tuple[BleDeviceSpec, ...], passkeys_of: tuple[str, ...]) -> str:
    # A port without a listener. The pause is shorter than another device's visit: what bluetoothd says of a device that
    # was hung up on waits meanwhile, and must not be answered.
    head = (
        'gateway_id = "home-1"\ndata_dir = "data"\n[mqtt]\nhost = "127.0.0.1"\nport = 1\n'
        "[intervals]\nserial_visit_s = 2\nble_cooldown_s = 2\nbackoff_max_s = 3\n"
    )
    return head + "".join(_device(device, with_passkey=device.name in passkeys_of) for device in devices)


def _device(device: BleDeviceSpec, *, with_passkey: bool) -> str:
    passkey = f'passkey = "{device.passkey:06d}"\n' if with_passkey else ""
    return f'[[device]]\nname = "{device.name}"\nprofile = "{device.profile}"\naddress = "{device.address}"\n{passkey}'
