"""Whether bluetoothd is there: noticed at once when it dies and when it is back, by its name on the system bus.

A scan or a subscription of a bluetoothd that died says nothing any more; neither does bleak, which hears of devices
only. The bus does: whoever owned ``org.bluez`` has no connection to it any more.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from dbus_fast.aio import MessageBus

from device_drivers.errors import LinkError
from device_drivers.links.system_bus import BLUEZ, has_owner, system_bus, watch_owner

log = logging.getLogger(__name__)

# How soon a bus that is gone is connected to again.
RETRY_S = 5.0


class BluezService:
    """The port ``RadioService``: one bluetoothd after the other."""

    def __init__(self) -> None:
        self._there = asyncio.Event()
        self._loss = asyncio.Event()

    def loss(self) -> asyncio.Event:
        """Set once the bluetoothd of this moment is gone."""
        return self._loss

    async def there(self) -> None:
        """Return once there is one."""
        await self._there.wait()

    def is_there(self) -> bool:
        """Whether there is one now."""
        return self._there.is_set()

    def came(self) -> None:
        """It has taken its name."""
        self._there.set()

    def went(self) -> None:
        """It has lost its name; nothing happens where it had none."""
        if self._there.is_set():
            self._there.clear()
            self._loss.set()
            self._loss = asyncio.Event()


@asynccontextmanager
async def bluez_service(*, bus_address: str | None = None, retry_s: float = RETRY_S) -> AsyncIterator[BluezService]:
    """Watch for as long as the block lasts, also through the bus's own restarts. Never fails."""
    service = BluezService()
    task = asyncio.create_task(_watch(service, bus_address, retry_s), name="bluez service")
    try:
        yield service
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(service: BluezService, bus_address: str | None, retry_s: float) -> None:
    while True:
        try:
            async with system_bus(bus_address) as bus:
                await _watch_on(bus, service)
        except LinkError as error:
            log.warning("bluetoothd cannot be watched: %s; trying again in %g s", error, retry_s)
        finally:
            service.went()
        await asyncio.sleep(retry_s)


async def _watch_on(bus: MessageBus, service: BluezService) -> None:
    """Until the bus is gone. LinkError."""

    heard = False

    def change(owner: str) -> None:
        nonlocal heard
        heard = True
        service.went()  # also where one takes over from the other
        if owner:
            service.came()

    await watch_owner(bus, BLUEZ, change)
    # A change that was heard while we asked is newer than the answer, whichever of the two we look at first.
    if await has_owner(bus, BLUEZ) and not heard:
        service.came()
    with suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's one
    raise LinkError("the system bus is gone")
