"""The D-Bus system bus, on which bluetoothd listens, by dbus-fast: connected, called, watched.

bleak has connections of its own; here is what it has no calls for (the pairing agent, repairs of the adapter). The
address is ``DBUS_SYSTEM_BUS_ADDRESS`` or the system's, as for every program.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from dbus_fast import BusType, DBusFastError, Message, MessageType
from dbus_fast.aio import MessageBus

from device_drivers.errors import LinkError

BLUEZ = "org.bluez"
_DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
CALL_TIMEOUT_S = 10.0


class Refused(LinkError):
    """The other side answered with an error; ``name`` is its D-Bus name, such as ``org.bluez.Error.DoesNotExist``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name


@asynccontextmanager
async def system_bus(address: str | None = None) -> AsyncIterator[MessageBus]:
    """A connection of our own, closed on leaving. LinkError where there is no bus."""
    bus = MessageBus(bus_address=address, bus_type=BusType.SYSTEM, auth_timeout=CALL_TIMEOUT_S)
    try:
        try:
            await bus.connect()
        except (OSError, EOFError, DBusFastError) as error:
            raise LinkError(f"no system bus ({error})") from error
        yield bus
    finally:
        bus.disconnect()


async def call(bus: MessageBus, target: tuple[str, str, str], member: str, signature: str = "", *body: Any) -> Any:
    """Call ``member`` of ``(name, path, interface)``; the answer's values. Refused, LinkError."""
    name, path, interface = target
    message = Message(
        destination=name, path=path, interface=interface, member=member, signature=signature, body=list(body)
    )
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            reply = await bus.call(message)
    except (OSError, EOFError, DBusFastError) as error:  # TimeoutError is an OSError
        raise LinkError(f"{member}: {error or type(error).__name__}") from error
    if reply.message_type is MessageType.ERROR:
        raise Refused(reply.error_name or "", " ".join(map(str, reply.body)))
    return reply.body


async def has_owner(bus: MessageBus, name: str) -> bool:
    """Whether a program has this name now (without starting it). LinkError."""
    (answer,) = await call(bus, _DAEMON, "NameHasOwner", "s", name)
    return bool(answer)


async def watch_owner(bus: MessageBus, name: str, on_change: Callable[[str], None]) -> None:
    """Call ``on_change`` whenever a program takes or loses this name, as when it is restarted. LinkError.

    It is given the new owner's unique name, empty where there is none.
    """

    def receive(message: Message) -> None:
        if message.member == "NameOwnerChanged" and message.sender == _DAEMON[0] and message.body[0] == name:
            on_change(message.body[2])

    bus.add_message_handler(receive)
    rule = f"type='signal',sender='{_DAEMON[0]}',interface='{_DAEMON[2]}',member='NameOwnerChanged',arg0='{name}'"
    await call(bus, _DAEMON, "AddMatch", "s", rule)
