"""Our own pairing agent for BlueZ: without one even Just Works fails ("No agent available for request type 2").

bleak pairs over a connection of its own, so ours must be the *default* agent. It stays registered through restarts of
bluetoothd and of the bus, which forget it. It answers for devices of this home only: whatever else asks is refused.
Interface: org.bluez.Agent1 (doc/org.bluez.Agent.rst in BlueZ's source).
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from dbus_fast import DBusError
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath, DBusStr, DBusUInt16, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

from device_drivers.errors import LinkError
from device_drivers.links.ports import PasskeyProvider
from device_drivers.links.system_bus import BLUEZ, call, has_owner, system_bus, watch_owner

log = logging.getLogger(__name__)

AGENT_PATH = "/org/pulsepost/agent"
CAPABILITY = "KeyboardDisplay"
_AGENT_MANAGER = (BLUEZ, "/org/bluez", "org.bluez.AgentManager1")
_REJECTED, _CANCELED = "org.bluez.Error.Rejected", "org.bluez.Error.Canceled"
# How soon a registration that failed is tried again; a bluetoothd that appears is noticed at once.
RETRY_S = 5.0

Answer = TypeVar("Answer")


@asynccontextmanager
async def bluez_agent(
    provider: PasskeyProvider, *, bus_address: str | None = None, retry_s: float = RETRY_S
) -> AsyncIterator[asyncio.Event]:
    """Keep the agent registered for as long as the block lasts; the event is set while it is. Never fails.

    On leaving the agent is unregistered, so that bluetoothd falls back to whichever agent it had before.
    """
    registered = asyncio.Event()
    task = asyncio.create_task(_stay(provider, registered, bus_address, retry_s), name="bluez agent")
    try:
        yield registered
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _stay(provider: PasskeyProvider, registered: asyncio.Event, bus_address: str | None, retry_s: float) -> None:
    while True:
        try:
            async with system_bus(bus_address) as bus:
                bus.export(AGENT_PATH, Agent(provider))
                await _stay_on(bus, registered, retry_s)
        except LinkError as error:
            log.warning("no pairing agent: %s; trying again in %g s", error, retry_s)
        finally:
            registered.clear()
        await asyncio.sleep(retry_s)


async def _stay_on(bus: MessageBus, registered: asyncio.Event, retry_s: float) -> None:
    """Register now and with every new bluetoothd, until the bus is gone. LinkError."""
    changed = asyncio.Event()
    await watch_owner(bus, BLUEZ, lambda _: changed.set())
    gone = asyncio.ensure_future(bus.wait_for_disconnect())  # type: ignore[no-untyped-call]  # dbus-fast's one
    gone.add_done_callback(lambda _: changed.set())
    try:
        while not gone.done():
            changed.clear()
            registered.clear()
            if await _register(bus):
                registered.set()
            await _wait(changed, None if registered.is_set() else retry_s)
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError, OSError, EOFError):
            await gone
        if registered.is_set() and bus.connected:
            with suppress(LinkError):
                await call(bus, _AGENT_MANAGER, "UnregisterAgent", "o", AGENT_PATH)
    raise LinkError("the system bus is gone")


async def _register(bus: MessageBus) -> bool:
    try:
        if not await has_owner(bus, BLUEZ):
            return False
        await call(bus, _AGENT_MANAGER, "RegisterAgent", "os", AGENT_PATH, CAPABILITY)
        await call(bus, _AGENT_MANAGER, "RequestDefaultAgent", "o", AGENT_PATH)
    except LinkError as error:
        log.warning("bluetoothd did not take the pairing agent: %s", error)
        return False
    return True


async def _wait(event: asyncio.Event, timeout_s: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()


class Agent(ServiceInterface):
    """org.bluez.Agent1: what bluetoothd asks while it pairs."""

    def __init__(self, provider: PasskeyProvider) -> None:
        super().__init__("org.bluez.Agent1")
        self._provider = provider
        self._asking: set[asyncio.Task[object]] = set()

    @dbus_method(name="RequestPasskey")
    async def request_passkey(self, device: DBusObjectPath) -> DBusUInt32:
        """The number that the device displays."""
        address = self._expected(device)
        passkey = await self._ask(self._provider.passkey(address))
        if passkey is None:
            raise DBusError(_REJECTED, "nobody knows the passkey")
        return passkey

    @dbus_method(name="RequestPinCode")
    async def request_pin_code(self, device: DBusObjectPath) -> DBusStr:
        """The same as text (classic Bluetooth only; cheap to answer)."""
        address = self._expected(device)
        passkey = await self._ask(self._provider.passkey(address))
        if passkey is None:
            raise DBusError(_REJECTED, "nobody knows the PIN")
        return f"{passkey:06d}"

    @dbus_method(name="RequestConfirmation")
    async def request_confirmation(self, device: DBusObjectPath, passkey: DBusUInt32) -> None:
        """Does the device show this number, too?"""
        if not await self._ask(self._provider.confirms(self._expected(device), passkey)):
            raise DBusError(_REJECTED, "nobody confirms the number")

    @dbus_method(name="RequestAuthorization")
    async def request_authorization(self, device: DBusObjectPath) -> None:
        """May it pair without a number (Just Works)?"""
        self._expected(device)

    @dbus_method(name="AuthorizeService")
    async def authorize_service(self, device: DBusObjectPath, uuid: DBusStr) -> None:  # noqa: ARG002 -- the interface's
        """May it use this service?"""
        self._expected(device)

    @dbus_method(name="DisplayPasskey")
    async def display_passkey(self, device: DBusObjectPath, passkey: DBusUInt32, entered: DBusUInt16) -> None:
        """A device with keys wants us to show a number. No meter has keys; nobody could read it here."""

    @dbus_method(name="DisplayPinCode")
    async def display_pin_code(self, device: DBusObjectPath, pin_code: DBusStr) -> None:
        """As ``DisplayPasskey``."""

    @dbus_method(name="Cancel")
    async def cancel(self) -> None:
        """The request under way is not needed any more: the device gave up."""
        for task in self._asking:
            task.cancel()

    @dbus_method(name="Release")
    async def release(self) -> None:
        """bluetoothd goes; it will be noticed when it comes back."""

    def _expected(self, device: str) -> str:
        address = address_of(device)
        if not self._provider.expects(address):
            raise DBusError(_REJECTED, "not a device of this home")
        return address

    async def _ask(self, question: Coroutine[object, object, Answer]) -> Answer:
        task = asyncio.ensure_future(question)
        self._asking.add(task)
        try:
            return await task
        except asyncio.CancelledError as error:
            raise DBusError(_CANCELED, "the request was cancelled") from error
        finally:
            self._asking.discard(task)


def address_of(device: str) -> str:
    """``/org/bluez/hci0/dev_F0_00_00_00_00_01`` → ``F0:00:00:00:00:01``; empty where it is no device."""
    found = re.fullmatch(r"/org/bluez/[^/]+/dev_((?:[0-9A-Fa-f]{2}_){5}[0-9A-Fa-f]{2})", device)
    return found[1].replace("_", ":").upper() if found else ""
