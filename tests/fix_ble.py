"""Bluetooth devices and a gateway's adapter on a virtual radio: real HCI, L2CAP, SMP and ATT octets, no radio."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import cast

import pytest

from device_drivers.drivers.conversation import BleDriver, Complete, Cursor, Event, Opened, Received
from device_drivers.errors import BondMade
from device_drivers.links import ble
from device_drivers.links.ble import BleBackend
from device_drivers.links.ports import Tap
from device_drivers.readings import Reading
from device_drivers.simulators.ble_cuff import Cuff
from device_drivers.simulators.ble_glucometer import Glucometer
from device_drivers.simulators.ble_peripheral import Peripheral
from device_drivers.simulators.radio import SimulatedRoom, simulated
from device_drivers.simulators.radio_spec import BleDeviceSpec
from device_drivers.simulators.virtual_central import open_central
from device_drivers.simulators.virtual_radio import VirtualRadio
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
PASSKEY = 123456
METER = "F0:00:00:00:00:01"
CUFF = "F0:00:00:00:00:02"


@dataclass
class Visited:
    """Everything that one visit gave, up to its end or its error."""

    opened: Opened | None = None
    readings: list[Reading] = field(default_factory=list)
    complete: Complete | None = None

    def add(self, event: Event) -> None:
        """Sort an event in."""
        match event:
            case Opened():
                self.opened = event
            case Received(readings):
                self.readings += readings
            case Complete():
                self.complete = event

    @property
    def values(self) -> list[str]:
        """The first component of each reading, as text."""
        return [str(reading.components[0].quantity) for reading in self.readings]


class BleHome:
    """Simulated devices and the adapter that reads them, in one process and at one moment (``NOW``)."""

    def __init__(self, room: SimulatedRoom, backend: BleBackend) -> None:
        self.room = room
        self.backend = backend

    async def meter(self, spec: BleDeviceSpec) -> Glucometer:
        """Switch a meter on."""
        return cast(Glucometer, await self._add(spec))

    async def cuff(self, spec: BleDeviceSpec) -> Cuff:
        """Switch a cuff on."""
        return cast(Cuff, await self._add(spec))

    async def visit(
        self, device: Peripheral, cursor: Cursor | None = None, *, into: Visited | None = None, tap: Tap | None = None
    ) -> Visited:
        """One visit. ``into`` keeps what came before an error."""
        return await visit(self.backend, device.profile, device.spec.address, cursor, into=into, tap=tap)

    async def _add(self, spec: BleDeviceSpec) -> Peripheral:
        device = simulated(spec, catalogue(), lambda: NOW)
        await self.room.add(device)
        return device


async def visit(
    backend: BleBackend,
    profile: Profile,
    address: str,
    cursor: Cursor | None = None,
    *,
    into: Visited | None = None,
    tap: Tap | None = None,
) -> Visited:
    """Connect, drive, hang up; once more where the device was only paired, as a gateway does."""
    visited = into or Visited()
    drive: BleDriver = import_module(f"device_drivers.drivers.{profile.device.driver}").read
    for last in (False, True):
        try:
            async with (
                ble.connect(address, profile, backend=backend, tap=tap) as link,
                aclosing(cast("AsyncGenerator[Event, None]", drive(link, profile, cursor, lambda: NOW))) as events,
            ):
                async for event in events:
                    visited.add(event)
            break
        except BondMade:
            assert not last
    return visited


@pytest.fixture
async def ble_home() -> AsyncIterator[BleHome]:
    """An empty room with a gateway's adapter in it; somebody is there to type ``PASSKEY``."""
    async with AsyncExitStack() as stack:
        room = SimulatedRoom(VirtualRadio())
        stack.push_async_callback(room.close)
        backend = await stack.enter_async_context(open_central(room.radio, passkey=lambda: PASSKEY))
        yield BleHome(room, backend)
