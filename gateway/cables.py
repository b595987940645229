"""Devices on a cable: whether one is plugged in, where it is then, and how it is opened there."""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from device_drivers.errors import LinkLost
from device_drivers.links.hid import DEVICES, HIDRAW, find_hidraw, open_hid
from firmware_profiles.schema import Profile
from gateway import clock
from gateway.config import DeviceEntry
from gateway.roster import Unresolved

# How often a place is looked at while its device is unplugged: cheap, and nobody waits longer than this.
APPEARANCE_POLL_S = 1.0


class Cable:
    """The way to one device of the roster that is no radio.

    Devices that do not say who they are, are known by their way: the gateway's id and the device's name. ``sysfs`` and
    ``devices`` are where HID devices are looked for.
    """

    def __init__(self, entry: DeviceEntry, gateway_id: str, sysfs: Path = HIDRAW, devices: Path = DEVICES) -> None:
        self._entry = entry
        self._address = f"{gateway_id}/{entry.name}"
        self._sysfs = sysfs
        self._devices = devices

    def places(self) -> tuple[str, ...]:
        """The paths at which it can be now; a URL that is no path is always there."""
        if self._entry.usb is not None:
            return tuple(str(path) for path in find_hidraw(self._entry.usb, self._sysfs, self._devices))
        place = str(self._entry.url or self._entry.hid)
        return (place,) if not place.startswith("/") or os.path.exists(place) else ()

    async def appearance(self) -> None:
        """Return once it is plugged in."""
        while not self.places():  # noqa: ASYNC110 -- no event tells of a path that appears
            await asyncio.sleep(APPEARANCE_POLL_S)

    async def disappears(self, within_s: float) -> bool:
        """Whether it is pulled out or put elsewhere; returns at once when it is, after ``within_s`` otherwise."""
        before = self.places()
        deadline = clock.monotonic() + within_s
        while (left := deadline - clock.monotonic()) > 0:
            if not before or self.places() != before:
                return True
            await asyncio.sleep(min(left, APPEARANCE_POLL_S))
        return False

    def open(self, profile: Profile) -> AbstractAsyncContextManager[Any]:
        """Its link. LinkLost where it is not there; Unresolved where two devices could be meant."""
        places = self.places()
        if not places:
            raise LinkLost("it was unplugged")
        if len(places) > 1:
            reason = f"{len(places)} devices have the USB id {self._entry.usb}; say which by `hid` and its path"
            raise Unresolved(self._entry.name, reason)
        if self._entry.transport == "serial":
            from device_drivers.links.serial import open_serial  # pyserial is loaded only where a roster needs it

            return open_serial(places[0], profile, address=self._address)
        return open_hid(places[0], profile, address=self._address)
