"""A D-Bus daemon of the test's own, and an imitation of the part of bluetoothd that asks a pairing agent."""

import asyncio
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method

_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""


class OwnBus:
    """A system bus that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix:path={folder / 'bus'}"
        self._socket = folder / "bus"
        self._configuration = folder / "bus.conf"
        self._configuration.write_text(_CONFIGURATION.format(socket=self._socket))
        self._daemon: Process | None = None

    async def start(self) -> None:
        """Returns once it can be connected to."""
        program = shutil.which("dbus-daemon")
        assert program is not None, "install dbus-daemon (make does)"
        self._daemon = await asyncio.create_subprocess_exec(
            program, f"--config-file={self._configuration}", "--nofork", "--print-address=1", stdout=PIPE
        )
        assert self._daemon.stdout is not None
        await asyncio.wait_for(self._daemon.stdout.readline(), 10)

    async def kill(self) -> None:
        """SIGKILL."""
        if self._daemon is not None:
            self._daemon.kill()
            await self._daemon.communicate()
            self._daemon = None
            self._socket.unlink(missing_ok=True)


class AgentManager(ServiceInterface):
    """org.bluez.AgentManager1 as bluetoothd keeps it: one agent per connection, one default."""

    def __init__(self) -> None:
        super().__init__("org.bluez.AgentManager1")
        self.calls: list[tuple[str, ...]] = []
        self.default = asyncio.Event()
        self.unregistered = asyncio.Event()
        self.refuses = False

    @dbus_method(name="RegisterAgent")
    async def register_agent(self, agent: DBusObjectPath, capability: DBusStr) -> None:
        self.calls.append(("RegisterAgent", agent, capability))
        if self.refuses:
            raise DBusError("org.bluez.Error.InvalidArguments", "no")

    @dbus_method(name="RequestDefaultAgent")
    async def request_default_agent(self, agent: DBusObjectPath) -> None:
        self.calls.append(("RequestDefaultAgent", agent))
        self.default.set()

    @dbus_method(name="UnregisterAgent")
    async def unregister_agent(self, agent: DBusObjectPath) -> None:
        self.calls.append(("UnregisterAgent", agent))
        self.unregistered.set()


class PairingDaemon:
    """The imitation of bluetoothd: it owns ``org.bluez`` and asks the agent that registered."""

    def __init__(self, bus: MessageBus, manager: AgentManager) -> None:
        self._bus = bus
        self.manager = manager
        self._agent = ""
        bus.add_message_handler(self._note_sender)

    @classmethod
    async def start(cls, address: str) -> "PairingDaemon":
        bus = await MessageBus(bus_address=address).connect()
        manager = AgentManager()
        daemon = cls(bus, manager)
        bus.export("/org/bluez", manager)
        await bus.request_name("org.bluez")
        return daemon

    def die(self) -> None:
        self._bus.disconnect()

    async def ask(self, member: str, signature: str = "", *body: Any) -> tuple[str, Any]:
        """Call the agent: its answer's values, or the name of its error."""
        reply = await self._bus.call(
            Message(
                destination=self._agent,
                path="/org/pulsepost/agent",
                interface="org.bluez.Agent1",
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        return (reply.error_name or "") if reply.message_type is MessageType.ERROR else "", reply.body

    def _note_sender(self, message: Message) -> None:
        if message.member == "RegisterAgent":
            self._agent = message.sender or ""


@pytest.fixture
async def own_bus(tmp_path: Path) -> AsyncIterator[OwnBus]:
    """A running bus."""
    bus = OwnBus(tmp_path)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.kill()
