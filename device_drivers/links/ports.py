"""The seam to hardware: what a driver may ask of a link. No driver knows what lies behind it.

Implementations: ``links.ble`` (the only file here that imports bleak), ``links.serial`` (the only one that imports
pyserial), ``links.hid`` (hidraw devices), and the in-memory doors of ``device_drivers.simulators``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol
from uuid import UUID

# Called for every chunk that crosses a link: direction ("in" or "out"), channel (a UUID or ""), octets.
# With it a home's raw bytes can be logged as a capture.
Tap = Callable[[str, str, bytes], None]


class RadioAdapter(Protocol):
    """What repairs a Bluetooth adapter that has lost its way. Addresses in any case. All errors are ``LinkError``s."""

    async def is_bonded(self, address: str) -> bool:
        """Whether the system holds a key for this device."""
        ...

    async def close(self, address: str) -> None:
        """End a connection, also one that the system keeps trying to make; nothing happens where there is none."""
        ...

    async def forget(self, address: str) -> None:
        """Remove the device with its bond; nothing happens where it is not known."""
        ...

    async def power_cycle(self) -> None:
        """Switch the adapter off and on; every connection and every scan ends."""
        ...

    async def power_on(self) -> bool:
        """Switch the adapter on where it is off; whether it was. RadioOff where that cannot be done."""
        ...


class RadioService(Protocol):
    """The system's Bluetooth service (bluetoothd), which may die and come back."""

    def loss(self) -> asyncio.Event:
        """Set once the service of this moment is gone."""
        ...

    async def there(self) -> None:
        """Return once there is one."""
        ...

    def is_there(self) -> bool:
        """Whether there is one now."""
        ...


class PasskeyProvider(Protocol):
    """Who knows the passkeys that devices show: a file, a person. Addresses are upper case."""

    def expects(self, address: str) -> bool:
        """Whether this is a device of the home: it may be paired at all."""
        ...

    async def passkey(self, address: str) -> int | None:
        """The six digits on the device's display (0 to 999999); None refuses. May wait for a person."""
        ...

    async def confirms(self, address: str, passkey: int) -> bool:
        """Whether the device shows this number, too."""
        ...


class SerialLink(Protocol):
    """A byte stream to a device. All errors are ``LinkError``s."""

    @property
    def address(self) -> str:
        """What tells this way to a device from every other; for devices that do not say who they are."""
        ...

    async def write(self, data: bytes) -> None:
        """Send, unless the profile forbids the command (``ForbiddenCommand``)."""
        ...

    async def read(self, size: int, timeout_s: float) -> bytes:
        """At least 1 and at most ``size`` octets, as soon as any are there. LinkTimeout, LinkLost."""
        ...

    async def drain_input(self) -> None:
        """Forget stale octets that arrived before the conversation."""
        ...


class ReportLink(Protocol):
    """A USB HID device: reports of a fixed length, both ways. All errors are ``LinkError``s."""

    @property
    def address(self) -> str:
        """What tells this way to a device from every other; for devices that do not say who they are."""
        ...

    async def write(self, report: bytes) -> None:
        """Send one output report, unless the profile forbids the command (``ForbiddenCommand``)."""
        ...

    async def set_feature(self, report: bytes) -> None:
        """Set a feature report (Omron selects its mode so); guarded like ``write``."""
        ...

    async def read(self, timeout_s: float) -> bytes:
        """The next input report, whole. LinkTimeout, LinkLost."""
        ...

    async def drain_input(self) -> None:
        """Forget stale reports that arrived before the conversation."""
        ...


class BleLink(Protocol):
    """A connected, and where the profile says so bonded, GATT client. All errors are ``LinkError``s."""

    @property
    def address(self) -> str:
        """The peer's Bluetooth address."""
        ...

    def has_characteristic(self, uuid: UUID) -> bool:
        """Whether service discovery found it."""
        ...

    async def read(self, uuid: UUID) -> bytes:
        """Read a characteristic's value. ProtocolError where the device refuses."""
        ...

    async def write(self, uuid: UUID, data: bytes) -> None:
        """Write with response. ProtocolError where the device refuses (carries the ATT code)."""
        ...

    async def subscribe(self, uuid: UUID, on_value: Callable[[bytes], None]) -> None:
        """Notifications or indications, whichever it has; ``on_value`` runs on the event loop, in order."""
        ...

    async def wait_disconnected(self) -> None:
        """Returns when the peer has hung up (cuffs do so when they are done)."""
        ...


# A driver is an async function: it speaks over a link as a profile says and yields what the device said.
__all__ = [
    "AsyncIterator",
    "Awaitable",
    "BleLink",
    "PasskeyProvider",
    "RadioAdapter",
    "RadioService",
    "ReportLink",
    "SerialLink",
    "Tap",
]
