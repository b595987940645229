"""An imitation of the part of bluetoothd that scans, on a real D-Bus daemon, for bleak's own BlueZ backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from dbus_fast import DBusError, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusDict, DBusInt16, DBusObjectPath, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

ADAPTER_PATH = "/org/bluez/hci0"
METER = "F0:00:00:00:00:01"


class ScanningAdapter(ServiceInterface):
    """org.bluez.Adapter1: ``powered`` and whether it scans; ``blocked`` as by rfkill."""

    def __init__(self, *, powered: bool = True, blocked: bool = False) -> None:
        super().__init__("org.bluez.Adapter1")
        self.powered = powered
        self.blocked = blocked
        self.busy = 0
        self.switched: list[bool] = []
        self.scans = 0

    @dbus_method(name="SetDiscoveryFilter")
    async def set_discovery_filter(self, wanted: DBusDict) -> None:
        """Taken as it is."""

    @dbus_method(name="StartDiscovery")
    async def start_discovery(self) -> None:
        if not self.powered:
            raise DBusError("org.bluez.Error.NotReady", "Resource Not Ready")
        self.scans += 1

    @dbus_method(name="StopDiscovery")
    async def stop_discovery(self) -> None:
        if self.scans == 0:
            raise DBusError("org.bluez.Error.Failed", "No discovery started")

    @dbus_property(access=PropertyAccess.READWRITE, name="Powered")
    def is_powered(self) -> DBusBool:
        return self.powered

    @is_powered.setter
    def set_powered(self, on: DBusBool) -> None:
        if self.blocked:
            raise DBusError("org.bluez.Error.Blocked", "Blocked through rfkill")
        if self.busy > 0:
            self.busy -= 1
            raise DBusError("org.bluez.Error.InProgress", "In Progress")
        self.switched.append(on)
        self.powered = on


class HeardDevice(ServiceInterface):
    """org.bluez.Device1 of one device; ``changes`` tells the bus what changed."""

    def __init__(self, address: str, rssi: int) -> None:
        super().__init__("org.bluez.Device1")
        self._address = address
        self._facts: dict[str, Any] = {"RSSI": rssi, "Connected": False}

    @property
    def path(self) -> str:
        """Where bluetoothd would list it."""
        return f"{ADAPTER_PATH}/dev_{self._address.replace(':', '_')}"

    def changes(self, **facts: Any) -> None:
        """These properties are said anew, whether they differ or not, as BlueZ says ``RSSI``."""
        self._facts |= facts
        self.emit_properties_changed(facts)

    @dbus_property(access=PropertyAccess.READ, name="Address")
    def address(self) -> DBusStr:
        return self._address

    @dbus_property(access=PropertyAccess.READ, name="Alias")
    def alias(self) -> DBusStr:
        return "meter"

    @dbus_property(access=PropertyAccess.READ, name="Adapter")
    def adapter(self) -> DBusObjectPath:
        return ADAPTER_PATH

    @dbus_property(access=PropertyAccess.READ, name="RSSI")
    def rssi(self) -> DBusInt16:
        return int(self._facts["RSSI"])

    @dbus_property(access=PropertyAccess.READ, name="Connected")
    def connected(self) -> DBusBool:
        return bool(self._facts["Connected"])


class ScanningDaemon:
    """The imitation: it owns ``org.bluez``, with one adapter."""

    def __init__(self, bus: MessageBus, adapter: ScanningAdapter) -> None:
        self._bus = bus
        self.adapter = adapter

    @classmethod
    async def start(cls, address: str, adapter: ScanningAdapter | None = None) -> "ScanningDaemon":
        """On the bus at this address; with an adapter unless one is plugged in later."""
        bus = await MessageBus(bus_address=address).connect()
        daemon = cls(bus, adapter or ScanningAdapter())
        if adapter is None:
            daemon.plug_in()
        await bus.request_name("org.bluez")
        return daemon

    def plug_in(self) -> None:
        """The adapter appears."""
        self._bus.export(ADAPTER_PATH, self.adapter)

    def lists(self, device: HeardDevice) -> None:
        """A device appears."""
        self._bus.export(device.path, device)

    def die(self) -> None:
        """As by SIGKILL: the bus sees the connection end."""
        self._bus.disconnect()


@asynccontextmanager
async def scanning(address: str, adapter: ScanningAdapter | None = None) -> AsyncIterator[ScanningDaemon]:
    """A daemon for as long as the block lasts."""
    daemon = await ScanningDaemon.start(address, adapter)
    try:
        yield daemon
    finally:
        daemon.die()
