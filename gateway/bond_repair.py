"""Repairing the way to a Bluetooth device after a visit that failed: takes the steps that ``bond_ladder`` names."""

import logging
from collections.abc import Callable

from device_drivers.errors import BondLost, BondMade, DeviceError, LinkError, LinkLost, LinkTimeout, ServiceGone
from device_drivers.links.ports import RadioAdapter
from gateway.bond_ladder import Ladder, Sign, Step, advice, climb
from gateway.outbox import Outbox
from gateway.roster import RosteredDevice
from gateway.visit import Outcome, VisitReport

log = logging.getLogger(__name__)


class BondRepair:
    """Keeps each device's ladder in the outbox, so that a restart does not begin at the foot again."""

    def __init__(self, outbox: Outbox, adapter: Callable[[], RadioAdapter]) -> None:
        self._outbox = outbox
        self._adapter = adapter

    async def after(self, device: RosteredDevice, report: VisitReport) -> bool:
        """Take the step that this visit calls for, if any. True: the adapter was switched off, so scan anew.

        Raises OutboxError; an adapter that cannot be repaired is logged, and the next failure climbs on.
        """
        sign = sign_of(report)
        before = self._outbox.ladder(device.name)
        if sign is Sign.NOTHING or (sign is Sign.REACHED and before == Ladder()):
            return False
        bonded = sign is Sign.REFUSED and await self._is_bonded(device)
        ladder, step = climb(before, sign, bonded=bonded)
        if ladder != before:
            self._outbox.keep_ladder(device.name, ladder)
        if step is not None:
            await self._take(device, step)
        if sign is not Sign.REACHED and (words := advice(ladder, sign, _hint(device), bonded=bonded)):
            log.warning("%s: %s", device.name, words)
        return step is Step.POWER_CYCLE

    async def _is_bonded(self, device: RosteredDevice) -> bool:
        try:
            return await self._adapter().is_bonded(_address(device))
        except LinkError as error:
            log.warning("%s: whether it is bonded cannot be told (%s)", device.name, error)
            return False  # nothing is removed on a guess

    async def _take(self, device: RosteredDevice, step: Step) -> None:
        log.warning("%s: cannot be reached although it advertises; repair: %s", device.name, step)
        adapter = self._adapter()
        try:
            match step:
                case Step.CLOSE:
                    await adapter.close(_address(device))
                case Step.FORGET:
                    await adapter.forget(_address(device))
                case Step.POWER_CYCLE:
                    await adapter.power_cycle()
                case Step.GIVE_UP:
                    pass  # said in the log and in the status
        except LinkError as error:
            log.error("%s: the repair failed (%s)", device.name, error)


def sign_of(report: VisitReport) -> Sign:
    """What a visit says about the way to the device."""
    cause: type[DeviceError] = report.cause or DeviceError
    if report.outcome in (Outcome.COMPLETE, Outcome.NO_PROFILE) or issubclass(cause, BondMade):
        return Sign.REACHED
    if issubclass(cause, BondLost):
        return Sign.REFUSED
    if issubclass(cause, ServiceGone):
        return Sign.NOTHING
    if report.outcome is Outcome.UNREACHABLE:
        # LinkLost: Linux 6.12 hangs up by itself where the device has lost the key; BlueZ names no reason.
        return Sign.TIMED_OUT if issubclass(cause, (LinkLost, LinkTimeout)) else Sign.FAILED
    return Sign.REACHED if report.outcome is Outcome.CUT and report.received else Sign.NOTHING


def _address(device: RosteredDevice) -> str:
    return device.entry.address or ""


def _hint(device: RosteredDevice) -> str:
    return next((table.ble.pairing.hint for table in device.file.firmware if table.ble is not None), "")
