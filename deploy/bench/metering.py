"""`python -m deploy.bench.metering SPEC`: many homes in one process, each with a meter that measures and is read.

Everything of a gateway is real but the process boundary: driver, visit, outbox (fsync), publisher. Only the meters are
simulated, at the other end of a line in memory. SPEC is JSON, see ``Spec``; prints ``ready``, then ``done``.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from deploy.bench import clock
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.memory_door import MemoryDoor
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from gateway import heartbeat
from gateway.config import DeviceEntry, Mqtt
from gateway.outbox import Outbox
from gateway.publisher import Publisher
from gateway.roster import RosteredDevice, resolve
from gateway.visit import Outcome, visit


class HomeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One home: its gateway's login and its meter's serial number."""

    gateway_id: str
    password: str
    serial_number: str


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: each home measures and reads ``per_s`` times a second for ``seconds``."""

    host: str
    port: int
    folder: str
    profile: str
    per_s: float
    seconds: float
    homes: tuple[HomeSpec, ...]


class VisitFailed(Exception):
    """A visit that nothing was to disturb did not complete."""


class MeteredHome:
    """A gateway and its meter."""

    def __init__(self, spec: Spec, home: HomeSpec, number: int) -> None:
        self._spec = spec
        self._number = number
        entry = DeviceEntry(name="meter", profile=spec.profile, url="memory")
        self._device: RosteredDevice = resolve([entry], catalogue()).serial[0]
        device = DeviceSpec(profile=spec.profile, name="meter", serial_number=home.serial_number)
        self._line: Line = line_to(catalogue().get(spec.profile), device, clock.now)
        self._outbox = Outbox.open(Path(spec.folder) / home.gateway_id / "outbox.sqlite")
        self._publisher = Publisher(
            self._outbox,
            home.gateway_id,
            Mqtt(host=spec.host, port=spec.port),
            home.password,
            status=lambda: heartbeat.status(self._outbox, clock.now()),
            now=clock.now,
            monotonic=clock.monotonic,
        )

    async def serve(self) -> None:
        """Publish for as long as nobody cancels this."""
        try:
            await self._publisher.run()
        finally:
            self._outbox.close()

    async def connected(self) -> None:
        """The broker has let us in."""
        await self._publisher.connected.wait()

    async def measure(self) -> None:
        """Measure and read, evenly; the homes one after the other within each period."""
        loop = asyncio.get_running_loop()
        period_s = 1 / self._spec.per_s
        due = loop.time() + period_s * self._number / len(self._spec.homes)
        for turn in range(round(self._spec.seconds * self._spec.per_s)):
            await asyncio.sleep(max(0.0, due + turn * period_s - loop.time()))
            self._line.device.measure(RecordSpec(value=str(90 + turn % 90)))
            report = await visit(self._device, self._open, self._outbox, clock.now, on_put=self._publisher.wake)
            if report.outcome is not Outcome.COMPLETE:
                raise VisitFailed(f"{report.outcome}: {report.reason}")

    @asynccontextmanager
    async def _open(self, profile: Profile) -> AsyncIterator[MemoryDoor]:
        yield MemoryDoor(self._line, profile)

    async def emptied(self) -> None:
        """Every reading has its receipt."""
        while self._outbox.depth().rows:  # noqa: ASYNC110 -- the outbox tells nobody
            await asyncio.sleep(0.05)


async def _run(spec: Spec) -> None:
    homes = [MeteredHome(spec, home, number) for number, home in enumerate(spec.homes)]
    async with AsyncExitStack() as stack:
        serving = [asyncio.create_task(home.serve()) for home in homes]
        for task in serving:
            stack.callback(task.cancel)
        await asyncio.gather(*(home.connected() for home in homes))
        print("ready", flush=True)
        await asyncio.gather(*(home.measure() for home in homes))
        await asyncio.gather(*(home.emptied() for home in homes))
        print("done", flush=True)
    await asyncio.gather(*serving, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(_run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)))
