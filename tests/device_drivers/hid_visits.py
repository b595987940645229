"""Visits to simulated HID devices through their socket, with the link that reads hidraw."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from device_drivers.links.hid import open_hid
from device_drivers.links.ports import ReportLink, Tap
from device_drivers.simulators.hid_door import HidDoor
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.spec import DeviceSpec
from firmware_profiles.schema import Profile
from tests.device_drivers.serial_visits import now


@asynccontextmanager
async def a_door(line: Line, profile: Profile) -> AsyncIterator[HidDoor]:
    """The door of a device, in a folder of its own (a socket's path may not be long)."""
    assert profile.firmware.hid is not None
    with tempfile.TemporaryDirectory() as folder:
        async with HidDoor(line, Path(folder) / "hidraw7", profile.firmware.hid.report_length) as door:
            yield door


@asynccontextmanager
async def on_a_socket(
    spec: DeviceSpec, profile: Profile, tap: Tap | None = None
) -> AsyncIterator[tuple[Line, ReportLink]]:
    """The simulated device behind its socket, and a link to it."""
    async with a_door(line_to(profile, spec, now), profile) as door, open_hid(door.url, profile, tap) as link:
        yield door.line, link
