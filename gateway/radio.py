"""The home's one radio: it is scanned for ever, and a device of the roster that advertises is visited.

Visits come one after the other. What goes wrong with the radio is waited out here; what goes wrong with one device is
repaired by ``bond_repair``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from device_drivers.errors import LinkError, LinkTimeout, RadioOff, ServiceGone
from firmware_profiles.schema import Profile
from gateway.bond_repair import BondRepair
from gateway.config import Config
from gateway.outbox import Outbox, OutboxError
from gateway.pairing import PairingDesk
from gateway.passkeys import HomePasskeys
from gateway.radio_trouble import RadioTrouble
from gateway.roster import Roster, RosteredDevice
from gateway.schedule import RadioSchedule
from gateway.sightings import Sightings
from gateway.visit import OpenLink, Outcome, VisitReport

if TYPE_CHECKING:  # bleak is loaded only where the roster has a Bluetooth device: it costs memory
    from device_drivers.links.ble import Advertisement, BleBackend
    from device_drivers.links.ports import RadioAdapter, RadioService

log = logging.getLogger(__name__)

# A scanner that could not start or broke is started again after so long.
SCANNER_RETRY_S = 5.0
# So many failures, one after the other, are no restart of bluetoothd any more.
LASTING_FAILURES = 3
# Who still advertises was heard again within this: the kernel reports each device once in a scan of 10.24 s, and
# bluetoothd pauses for 5 s between two.
STALE_S = 20.0

Visit = Callable[[RosteredDevice, OpenLink], Awaitable[VisitReport]]


class Radio:
    """One adapter and the roster's Bluetooth devices. ``backend`` is None in production (BlueZ)."""

    def __init__(
        self,
        roster: Roster,
        config: Config,
        outbox: Outbox,
        visit: Visit,
        record: Callable[[VisitReport], None],
        sightings: Sightings,
        now: Callable[[], datetime],
        pairing: PairingDesk,
        *,
        on_repair: Callable[[], None] = lambda: None,
        backend: "BleBackend | None" = None,
    ) -> None:
        self._roster = roster
        self._config = config
        self._visit = visit
        self._sightings = sightings
        self._on_repair = on_repair
        self._backend = backend
        self._pairing = pairing
        self._schedule = RadioSchedule(config.intervals)
        self._repair = BondRepair(outbox, self._adapter)
        self._left = [device.entry.address for device in roster.ble if device.entry.address]
        self._failures = 0
        self._trouble = RadioTrouble(lambda: tuple(device.name for device in roster.ble), outbox, record, now)

    async def run(self) -> None:
        """Listen and visit, for ever."""
        async with self._watch_service() as service, self._pairing_agent():
            while True:
                await self._once(service)

    async def _once(self, service: "RadioService | None") -> None:
        """One scan, and the pause that its end calls for."""
        try:
            await self._scan(service)
        except LinkTimeout as error:
            log.info("%s; scanning anew", error)  # a quiet home, or a scan that has stuck: it looks the same
            return
        except ServiceGone as error:
            log.warning("%s; scanning anew when it is back", error)
            await _back(service)
            return
        except LinkError as error:
            self._fail(error)
        if service is None or service.is_there():
            await asyncio.sleep(SCANNER_RETRY_S)
        else:
            await _back(service)

    def _fail(self, error: LinkError) -> None:
        """Say it, and where it lasts or where a person has to do something, say it in the status, too."""
        self._failures += 1
        log.error("the radio cannot be used (%s); trying again in %g s", error, SCANNER_RETRY_S)
        if isinstance(error, RadioOff) or self._failures >= LASTING_FAILURES:
            self._trouble.tell(str(error))
            self._pairing.no_radio(str(error))

    def _adapter(self) -> "RadioAdapter":
        from device_drivers.links.ble import adapter_of

        return adapter_of(self._backend, self._config.adapter)

    def _pairing_agent(self) -> AbstractAsyncContextManager[Any]:
        """Ours, for BlueZ; an injected backend asks in its own way, or nobody."""
        passkeys = HomePasskeys(self._roster, self._config.data_dir, typist=self._pairing)
        if self._backend is not None:
            return self._backend.keyboard(passkeys) if self._backend.keyboard is not None else nullcontext()
        from device_drivers.links.bluez_agent import bluez_agent

        return bluez_agent(passkeys)

    def _watch_service(self) -> "AbstractAsyncContextManager[RadioService | None]":
        if self._backend is not None:
            return nullcontext(self._backend.service)
        from device_drivers.links.bluez_service import bluez_service

        return bluez_service()

    async def _scan(self, service: "RadioService | None") -> None:
        """One scan, with its visits; returns where the adapter was switched off meanwhile. LinkError."""
        from device_drivers.links.ble import Scanner

        if await self._adapter().power_on():
            log.warning("the Bluetooth adapter %s was off; it is switched on now", self._config.adapter)
        await self._hang_up()
        # Without a filter by service: some devices advertise theirs only in the scan response, or not at all.
        quiet_s, adapter = self._config.intervals.scanner_quiet_s, self._config.adapter
        async with Scanner(backend=self._backend, adapter=adapter, quiet_s=quiet_s, service=service) as scanner:
            self._failures = 0
            self._trouble.over()
            self._pairing.nudge = scanner.again
            log.info("the Bluetooth adapter %s is scanning", adapter)
            async for advertisement in scanner:
                if self._pairing.forsaken:
                    await self._forsake()
                if (fresh := self._pairing.heard(advertisement)) is not None:
                    await self._pair(fresh, advertisement, service)
                    continue
                device = self._roster.by_address(advertisement.address)
                if device is not None and await self._answer(device, advertisement, service):
                    return

    async def _hang_up(self) -> None:
        """End what an earlier process left connected: such a device does not advertise."""
        while self._left:
            try:
                await self._adapter().close(self._left.pop())
            except LinkError as error:  # one device must not keep the others from being heard
                log.warning("a connection that an earlier process left cannot be ended (%s)", error)

    async def _answer(
        self, device: RosteredDevice, advertisement: "Advertisement", service: "RadioService | None"
    ) -> bool:
        """Visit the device that advertises, and repair the way to it. True: scan anew."""
        clock = asyncio.get_running_loop().time  # the advertisement's
        if clock() - advertisement.heard_at_s > STALE_S:
            return False
        self._sightings.note(device.name)
        if not self._schedule.is_due(device.name, advertisement.heard_at_s):
            return False
        report = await self._visit(device, self._opener(advertisement, service))
        # A full disk is no failure of the device.
        answered = report.outcome in (Outcome.COMPLETE, Outcome.OUTBOX_FAILED)
        self._schedule.visited(device.name, clock(), complete=answered)
        try:
            return await self._repair.after(device, report)
        except OutboxError as error:
            log.error("%s", error)
            return False
        finally:
            self._on_repair()

    async def _pair(
        self, device: RosteredDevice, advertisement: "Advertisement", service: "RadioService | None"
    ) -> None:
        """Visit the device that somebody wants to have paired, as one that we have no key of."""
        clock = asyncio.get_running_loop().time  # the advertisement's
        if clock() - advertisement.heard_at_s > STALE_S:
            return
        if self._pairing.wants_a_clean_start() and await self._forget(advertisement.address):
            return  # the system knows it no more: it has to be heard again
        self._pairing.connecting()
        report = await self._visit(device, self._opener(advertisement, service))
        self._schedule.visited(device.name, clock(), complete=report.outcome is not Outcome.UNREACHABLE)
        self._pairing.after(report)

    async def _forsake(self) -> None:
        """Remove the bonds of devices that are of this home no more, or never came to be."""
        while self._pairing.forsaken:
            await self._forget(self._pairing.forsaken.pop())

    async def _forget(self, address: str) -> bool:
        """Whether there was a bond that is gone now."""
        try:
            bonded = await self._adapter().is_bonded(address)
            if bonded:
                await self._adapter().forget(address)
        except LinkError as error:
            log.warning("a bond cannot be removed (%s)", error)
            return False
        return bonded

    def _opener(self, advertisement: "Advertisement", service: "RadioService | None") -> OpenLink:
        from device_drivers.links.ble import connect

        def open_link(profile: Profile) -> AbstractAsyncContextManager[Any]:
            adapter = self._config.adapter
            return connect(advertisement, profile, backend=self._backend, adapter=adapter, service=service)

        return open_link


async def _back(service: "RadioService | None") -> None:
    """Until the Bluetooth service is there, or for ``SCANNER_RETRY_S``: systemd may start it when it is called."""
    if service is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(SCANNER_RETRY_S):
                await service.there()
