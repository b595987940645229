"""Visits to simulated serial devices: through a real pty with the real pyserial, or straight through memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import msgspec

from device_drivers.drivers.conversation import Complete, Cursor, Opened, Received
from device_drivers.errors import DeviceError
from device_drivers.links.ports import ReportLink, SerialLink, Tap
from device_drivers.links.serial import open_serial
from device_drivers.readings import Reading
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.memory_door import MemoryDoor
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Hid, Profile, SerialPort

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def now() -> datetime:
    """The time of every test here."""
    return NOW


def impatient(profile_id: str, *, retries: int = 3) -> Profile:
    """A shipped profile with a short reply time, so that silence costs little."""
    profile = catalogue().get(profile_id)
    way: SerialPort | Hid | None = profile.firmware.serial or profile.firmware.hid
    assert way is not None
    changed = {profile.firmware.transport: msgspec.structs.replace(way, reply_timeout_s=0.05, retries=retries)}
    if isinstance(port := changed.get("serial"), SerialPort):
        changed["serial"] = msgspec.structs.replace(port, listen_s=min(port.listen_s, 0.3))
    return msgspec.structs.replace(profile, firmware=msgspec.structs.replace(profile.firmware, **changed))


@dataclass
class Visit:
    """Everything that one visit gave; ``error`` where it ended with one."""

    opened: Opened | None = None
    readings: list[Reading] = field(default_factory=list)
    complete: Complete | None = None
    error: DeviceError | None = None


async def visit(link: SerialLink | ReportLink, profile: Profile, cursor: Cursor | None = None) -> Visit:
    """Let the profile's driver read to its end."""
    result = Visit()
    driver: Any = import_module(f"device_drivers.drivers.{profile.device.driver}")
    try:
        async for event in driver.read(link, profile, cursor, now):
            match event:
                case Opened():
                    result.opened = event
                case Received(readings):
                    result.readings.extend(readings)
                case Complete():
                    result.complete = event
    except DeviceError as error:
        result.error = error
    return result


@asynccontextmanager
async def on_a_pty(
    spec: DeviceSpec, profile: Profile, tap: Tap | None = None
) -> AsyncIterator[tuple[Line, SerialLink]]:
    """The simulated device behind a pty, and a link to it."""
    async with PtyDoor(line_to(profile, spec, now)) as door, open_serial(door.url, profile, tap) as link:
        yield door.line, link


def in_memory(spec: DeviceSpec, profile: Profile) -> tuple[Line, SerialLink]:
    """The simulated device without any line."""
    line = line_to(profile, spec, now)
    return line, MemoryDoor(line, profile)
