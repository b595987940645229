"""The home's one radio: it is scanned for ever, and a device of the roster that advertises is visited.

Visits come one after the other. What goes wrong with the radio is waited out here; what goes wrong with one device is
repaired by ``bond_repair``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from device_drivers.errors import LinkError, LinkTimeout
from firmware_profiles.schema import Profile
from gateway import clock
from gateway.bond_repair import BondRepair
from gateway.config import Config
from gateway.outbox import Outbox, OutboxError
from gateway.passkeys import HomePasskeys
from gateway.roster import Roster, RosteredDevice
from gateway.schedule import RadioSchedule
from gateway.sightings import Sightings
from gateway.visit import OpenLink, Outcome, VisitReport

if TYPE_CHECKING:  # bleak is loaded only where the roster has a Bluetooth device: it costs memory
    from device_drivers.links.ble import Advertisement, BleBackend
    from device_drivers.links.ports import RadioAdapter

log = logging.getLogger(__name__)

# A scanner that could not start or broke is started again after so long.
SCANNER_RETRY_S = 5.0

Visit = Callable[[RosteredDevice, OpenLink], Awaitable[VisitReport]]


class Radio:
    """One adapter and the roster's Bluetooth devices. ``backend`` is None in production (BlueZ)."""

    def __init__(
        self,
        roster: Roster,
        config: Config,
        outbox: Outbox,
        visit: Visit,
        sightings: Sightings,
        *,
        backend: "BleBackend | None" = None,
    ) -> None:
        self._roster = roster
        self._config = config
        self._visit = visit
        self._sightings = sightings
        self._backend = backend
        self._schedule = RadioSchedule(config.intervals)
        self._repair = BondRepair(outbox, self._adapter)

    async def run(self) -> None:
        """Listen and visit, for ever."""
        async with self._pairing_agent():
            while True:
                try:
                    await self._scan()
                except LinkTimeout as error:
                    log.info("%s; scanning anew", error)  # a quiet home, or a scan that has stuck: it looks the same
                    continue
                except LinkError as error:
                    log.error("the radio cannot be used (%s); trying again in %g s", error, SCANNER_RETRY_S)
                await asyncio.sleep(SCANNER_RETRY_S)

    def _adapter(self) -> "RadioAdapter":
        from device_drivers.links.ble import adapter_of

        return adapter_of(self._backend, self._config.adapter)

    def _pairing_agent(self) -> AbstractAsyncContextManager[Any]:
        """Ours, for BlueZ; an injected backend pairs in its own way."""
        if self._backend is not None:
            return nullcontext()
        from device_drivers.links.bluez_agent import bluez_agent

        return bluez_agent(HomePasskeys(self._roster.ble, self._config.data_dir))

    async def _scan(self) -> None:
        """One scan, with its visits; returns where the adapter was switched off meanwhile. LinkError."""
        from device_drivers.links.ble import Scanner

        # Without a filter by service: some devices advertise theirs only in the scan response, or not at all.
        quiet_s = self._config.intervals.scanner_quiet_s
        async with Scanner(backend=self._backend, adapter=self._config.adapter, quiet_s=quiet_s) as scanner:
            async for advertisement in scanner:
                device = self._roster.by_address(advertisement.address)
                if device is not None and await self._answer(device, advertisement):
                    return

    async def _answer(self, device: RosteredDevice, advertisement: "Advertisement") -> bool:
        """Visit the device that advertises, and repair the way to it. True: scan anew."""
        self._sightings.note(device.name)
        if not self._schedule.is_due(device.name, clock.monotonic()):
            return False
        report = await self._visit(device, self._opener(advertisement))
        self._schedule.visited(device.name, clock.monotonic(), complete=report.outcome is Outcome.COMPLETE)
        try:
            return await self._repair.after(device, report)
        except OutboxError as error:
            log.error("%s", error)
            return False

    def _opener(self, advertisement: "Advertisement") -> OpenLink:
        from device_drivers.links.ble import connect

        def open_link(profile: Profile) -> AbstractAsyncContextManager[Any]:
            return connect(advertisement, profile, backend=self._backend, adapter=self._config.adapter)

        return open_link
