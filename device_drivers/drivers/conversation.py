"""What a driver is: an async generator that speaks over a link as a profile says and yields what the device said.

    async def read(link, profile, cursor, now) -> AsyncIterator[Event]

The caller makes every event durable **before** it asks for the next one, so a driver may tell the device "I have it"
right after a ``yield``. Order: one ``Opened``, any number of ``Received`` (and, of a cuff that measures meanwhile,
``Progress``), and one ``Complete`` — or a ``DeviceError`` at any point, after which no cursor may move. Readings
received before an error are good readings: whole, checked records that only lack the proof that they were all.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import BleLink, ReportLink, SerialLink
from device_drivers.readings import Quantity, Reading
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile

# What a driver needs to take up where it left off (a sequence number, a count); JSON-able, opaque to everyone else.
Cursor = Mapping[str, int | str]

# The gateway's clock: aware, UTC. Always passed in.
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The device answered, said who it is and what time it thinks it is; nothing has been read yet.

    ``holds`` is the number of readings in its memory where it can be asked.
    """

    identity: DeviceIdentity
    coincident: CoincidentTimeStamp | None
    holds: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """Whole, checksummed readings, in the order in which they came."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """A measurement is being made now; nothing to keep. ``cuff_pressure`` is what stands in the cuff."""

    cuff_pressure: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """Everything that the device announced has been received; the cursor may move to ``cursor``."""

    cursor: Cursor
    holds: int | None = None
    warnings: tuple[str, ...] = field(default=())


Event = Opened | Received | Progress | Complete


class SerialDriver(Protocol):
    """A conversation over a byte stream."""

    def __call__(
        self, link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock
    ) -> AsyncIterator[Event]: ...


class ReportDriver(Protocol):
    """A conversation over HID reports."""

    def __call__(
        self, link: ReportLink, profile: Profile, cursor: Cursor | None, now: Clock
    ) -> AsyncIterator[Event]: ...


class BleDriver(Protocol):
    """A conversation over GATT."""

    def __call__(self, link: BleLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]: ...
