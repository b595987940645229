"""Octets to begin with: every capture, and whatever the simulated devices and their drivers say to each other."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path

from device_drivers.errors import DeviceError
from device_drivers.simulators.line import line_to
from device_drivers.simulators.memory_door import MemoryDoor
from device_drivers.simulators.spec import DeviceSpec
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile

CAPTURES = Path(__file__).parents[1] / "captures"
_NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
# A whole dump of a quiet week is long enough; more of the same teaches nothing.
_MOST = 400


@cache
def seeds() -> tuple[bytes, ...]:
    """In a fixed order, each once."""
    return tuple(dict.fromkeys([*_captured(), *asyncio.run(_said_by_simulators())]))


def _captured() -> Iterator[bytes]:
    for path in sorted(CAPTURES.glob("*.json")):
        yield from _strings(json.loads(path.read_text()))


def _strings(value: object) -> Iterator[bytes]:
    match value:
        case str():
            with suppress(ValueError):
                yield bytes.fromhex(value)
            yield value.encode("latin-1", errors="replace")
        case list():
            for each in value:
                yield from _strings(each)
        case dict():
            for each in value.values():
                yield from _strings(each)


async def _said_by_simulators() -> list[bytes]:
    said: list[bytes] = []
    seen: set[str] = set()
    for profile in catalogue():
        if profile.firmware.transport == "serial" and profile.device.driver not in seen:
            seen.add(profile.device.driver)
            said.extend((await _conversation(profile))[:_MOST])
    return said


async def _conversation(profile: Profile) -> list[bytes]:
    """What the device and the driver say, piece by piece; up to where they stop understanding each other."""
    said: list[bytes] = []
    spec = DeviceSpec(profile=profile.id, name="seed", serial_number="SIMU001-A0001", storyline="quiet_week")
    door = _Overheard(MemoryDoor(line_to(profile, spec, lambda: _NOW), profile), said)
    read = import_module(f"device_drivers.drivers.{profile.device.driver}").read
    with suppress(DeviceError, ValueError):
        async for _ in read(door, profile, None, lambda: _NOW):
            if len(said) > _MOST:
                break
    return said


class _Overheard:
    """A link that writes down what passes."""

    def __init__(self, door: MemoryDoor, said: list[bytes]) -> None:
        self._door = door
        self._said = said

    @property
    def address(self) -> str:
        """That of the door."""
        return self._door.address

    async def write(self, data: bytes) -> None:
        """To the device."""
        self._said.append(data)
        await self._door.write(data)

    async def read(self, size: int, timeout_s: float) -> bytes:
        """From the device."""
        self._said.append(await self._door.read(size, timeout_s))
        return self._said[-1]

    async def drain_input(self) -> None:
        """Forget what has arrived."""
        await self._door.drain_input()
