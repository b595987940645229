"""The repairs over a real D-Bus daemon; bluetoothd is imitated (the guest suite has the real one)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from dbus_fast import DBusError, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusObjectPath, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from device_drivers.errors import LinkError, RadioOff
from device_drivers.links.bluez_adapter import BluezAdapter
from tests.device_drivers.links.imitated_bluez import ScanningAdapter, scanning
from tests.fix_dbus import OwnBus

METER, STRANGER = "F0:00:00:00:00:01", "F0:00:00:00:00:02"
DEVICE_PATH = "/org/bluez/hci0/dev_F0_00_00_00_00_01"


class Adapter1(ServiceInterface):
    """org.bluez.Adapter1: what it was told."""

    def __init__(self) -> None:
        super().__init__("org.bluez.Adapter1")
        self.removed: list[str] = []
        self.powered: list[bool] = []
        self.lacks_device = False

    @dbus_method(name="RemoveDevice")
    async def remove_device(self, device: DBusObjectPath) -> None:
        if self.lacks_device:
            raise DBusError("org.bluez.Error.DoesNotExist", "gone meanwhile")
        self.removed.append(device)

    @dbus_property(access=PropertyAccess.READWRITE, name="Powered")
    def is_powered(self) -> DBusBool:
        return not self.powered or self.powered[-1]

    @is_powered.setter
    def set_powered(self, on: DBusBool) -> None:
        self.powered.append(on)


class Device1(ServiceInterface):
    """org.bluez.Device1 of the meter."""

    def __init__(self, bonded: bool) -> None:
        super().__init__("org.bluez.Device1")
        self.bonded = bonded
        self.disconnects = 0
        self.connected = True

    @dbus_method(name="Disconnect")
    async def disconnect(self) -> None:
        if not self.connected:
            raise DBusError("org.bluez.Error.NotConnected", "Not Connected")
        self.connected = False
        self.disconnects += 1

    @dbus_property(access=PropertyAccess.READ, name="Address")
    def address(self) -> DBusStr:
        return METER

    @dbus_property(access=PropertyAccess.READ, name="Paired")
    def paired(self) -> DBusBool:
        return True  # it stays so when the bond is gone: bluez #433

    @dbus_property(access=PropertyAccess.READ, name="Bonded")
    def is_bonded(self) -> DBusBool:
        return self.bonded


class Bluez:
    """The imitation: one adapter, one meter."""

    def __init__(self, bus: OwnBus) -> None:
        self.address = bus.address
        self.adapter = Adapter1()
        self.meter = Device1(bonded=True)
        self.repair = BluezAdapter("hci0", bus_address=bus.address, off_s=0.0)


@pytest.fixture
async def bluez(own_bus: OwnBus) -> AsyncIterator[Bluez]:
    imitation = Bluez(own_bus)
    bus = await MessageBus(bus_address=own_bus.address).connect()
    bus.export("/org/bluez/hci0", imitation.adapter)
    bus.export(DEVICE_PATH, imitation.meter)
    await bus.request_name("org.bluez")
    yield imitation
    bus.disconnect()


async def test_a_bond_is_what_bluetoothd_calls_bonded_not_what_it_calls_paired(bluez: Bluez) -> None:
    assert await bluez.repair.is_bonded(METER.lower())
    bluez.meter.bonded = False
    assert not await bluez.repair.is_bonded(METER)
    assert not await bluez.repair.is_bonded(STRANGER)


async def test_the_device_of_another_adapter_is_not_ours(bluez: Bluez) -> None:
    assert not await BluezAdapter("hci1", bus_address=bluez.address).is_bonded(METER)


async def test_a_stale_connection_is_ended(bluez: Bluez) -> None:
    await bluez.repair.close(METER)
    await bluez.repair.close(METER)
    await bluez.repair.close(STRANGER)
    assert bluez.meter.disconnects == 1


async def test_a_device_is_removed_with_its_bond(bluez: Bluez) -> None:
    await bluez.repair.forget(METER)
    await bluez.repair.forget(STRANGER)
    assert bluez.adapter.removed == [DEVICE_PATH]


async def test_a_device_that_is_gone_already_needs_no_removing(bluez: Bluez) -> None:
    bluez.adapter.lacks_device = True
    await bluez.repair.forget(METER)
    assert bluez.adapter.removed == []


async def test_the_adapter_is_switched_off_and_on(bluez: Bluez) -> None:
    await bluez.repair.power_cycle()
    assert bluez.adapter.powered == [False, True]


async def test_without_bluetoothd_or_without_a_bus_it_is_an_error_of_the_link(own_bus: OwnBus) -> None:
    repair = BluezAdapter("hci0", bus_address=own_bus.address)
    with pytest.raises(LinkError):
        await repair.is_bonded(METER)
    await own_bus.kill()
    with pytest.raises(LinkError):
        await repair.power_cycle()


async def test_an_adapter_that_is_off_is_switched_on_once(own_bus: OwnBus) -> None:
    adapter = ScanningAdapter(powered=False)
    async with scanning(own_bus.address, adapter) as daemon:
        daemon.plug_in()
        repair = BluezAdapter("hci0", bus_address=own_bus.address)
        assert await repair.power_on()
        assert not await repair.power_on()
    assert adapter.switched == [True]


async def test_an_adapter_that_bluetoothd_is_switching_on_itself_is_waited_for(own_bus: OwnBus) -> None:
    adapter = ScanningAdapter(powered=False)
    adapter.busy = 2
    async with scanning(own_bus.address, adapter) as daemon:
        daemon.plug_in()
        assert await BluezAdapter("hci0", bus_address=own_bus.address).power_on()


async def test_an_adapter_that_appears_a_moment_after_bluetoothd_is_waited_for(own_bus: OwnBus) -> None:
    async with scanning(own_bus.address, ScanningAdapter()) as daemon:
        powering = asyncio.create_task(BluezAdapter("hci0", bus_address=own_bus.address).power_on())
        await asyncio.sleep(0)
        daemon.plug_in()
        assert not await asyncio.wait_for(powering, 5)


async def test_an_adapter_that_rfkill_blocks_needs_a_person_and_it_says_so_at_once(own_bus: OwnBus) -> None:
    async with scanning(own_bus.address, ScanningAdapter(powered=False, blocked=True)) as daemon:
        daemon.plug_in()
        with pytest.raises(RadioOff, match="rfkill unblock bluetooth"):
            await asyncio.wait_for(BluezAdapter("hci0", bus_address=own_bus.address).power_on(), 5)


async def test_an_adapter_that_is_not_there_needs_a_person(own_bus: OwnBus) -> None:
    async with scanning(own_bus.address):
        with pytest.raises(RadioOff, match="no Bluetooth adapter hci7"):
            await BluezAdapter("hci7", bus_address=own_bus.address, appears_s=0.1).power_on()
