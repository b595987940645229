"""bluetoothd dies and comes back, over a real D-Bus daemon and stock bleak; bluetoothd is imitated."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from dbus_fast.aio import MessageBus

from device_drivers.errors import ServiceGone
from device_drivers.links import bluez_service as watching
from device_drivers.links.ble import Scanner
from device_drivers.links.bluez_service import BluezService, bluez_service
from device_drivers.links.system_bus import has_owner, watch_owner
from tests.device_drivers.links.imitated_bluez import METER, HeardDevice, ScanningDaemon, scanning
from tests.fix_dbus import OwnBus

# What the bus needs to tell; a scan that only falls silent is noticed after two minutes.
AT_ONCE_S = 5.0


@pytest.fixture
async def service(own_bus: OwnBus, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BluezService]:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", own_bus.address)
    async with bluez_service(bus_address=own_bus.address, retry_s=0.05) as watched:
        yield watched


async def test_a_service_that_takes_its_name_is_there_and_one_that_loses_it_is_lost(
    own_bus: OwnBus, service: BluezService
) -> None:
    assert not service.is_there()
    daemon = await ScanningDaemon.start(own_bus.address)
    await asyncio.wait_for(service.there(), AT_ONCE_S)
    loss = service.loss()
    daemon.die()
    await asyncio.wait_for(loss.wait(), AT_ONCE_S)
    assert not service.is_there()
    async with scanning(own_bus.address):
        await asyncio.wait_for(service.there(), AT_ONCE_S)
        assert not service.loss().is_set()


async def test_an_answer_older_than_what_was_heard_meanwhile_is_not_believed(
    own_bus: OwnBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = await ScanningDaemon.start(own_bus.address)
    heard, looked = asyncio.Event(), asyncio.Event()

    async def watched(bus: MessageBus, name: str, on_change: Callable[[str], None]) -> None:
        def change(owner: str) -> None:
            on_change(owner)
            heard.set()

        await watch_owner(bus, name, change)

    async def slow(bus: MessageBus, name: str) -> bool:
        answer = await has_owner(bus, name)
        daemon.die()
        await heard.wait()
        looked.set()
        return answer

    monkeypatch.setattr(watching, "watch_owner", watched)
    monkeypatch.setattr(watching, "has_owner", slow)
    async with bluez_service(bus_address=own_bus.address) as service:
        async with asyncio.timeout(AT_ONCE_S):
            await looked.wait()
        await asyncio.sleep(0)  # the watch goes on with the answer
        assert not service.is_there()
        async with scanning(own_bus.address):
            await asyncio.wait_for(service.there(), AT_ONCE_S)


async def test_a_service_that_was_there_before_us_is_there(own_bus: OwnBus) -> None:
    async with scanning(own_bus.address), bluez_service(bus_address=own_bus.address) as watched:
        await asyncio.wait_for(watched.there(), AT_ONCE_S)


async def test_the_death_of_the_bus_is_a_loss_and_its_return_a_return(own_bus: OwnBus, service: BluezService) -> None:
    daemon = await ScanningDaemon.start(own_bus.address)
    await asyncio.wait_for(service.there(), AT_ONCE_S)
    loss = service.loss()
    await own_bus.kill()
    await asyncio.wait_for(loss.wait(), AT_ONCE_S)
    daemon.die()
    await own_bus.start()
    async with scanning(own_bus.address):
        await asyncio.wait_for(service.there(), AT_ONCE_S)


async def test_a_scan_ends_at_once_when_bluetoothd_dies_and_a_new_one_hears(
    own_bus: OwnBus, service: BluezService
) -> None:
    daemon = await ScanningDaemon.start(own_bus.address)
    await asyncio.wait_for(service.there(), AT_ONCE_S)
    async with asyncio.timeout(AT_ONCE_S), Scanner(service=service, quiet_s=120) as scanner:
        daemon.lists(HeardDevice(METER, rssi=-60))
        assert (await anext(scanner)).address == METER
        daemon.die()
        with pytest.raises(ServiceGone):
            await anext(scanner)
    async with scanning(own_bus.address) as second:
        await asyncio.wait_for(service.there(), AT_ONCE_S)
        async with asyncio.timeout(AT_ONCE_S), Scanner(service=service, quiet_s=120) as scanner:
            second.lists(HeardDevice(METER, rssi=-60))
            assert (await anext(scanner)).address == METER


async def test_a_bluetoothd_that_was_replaced_while_nobody_looked_ends_the_scan(
    own_bus: OwnBus, service: BluezService
) -> None:
    daemon = await ScanningDaemon.start(own_bus.address)
    await asyncio.wait_for(service.there(), AT_ONCE_S)
    async with asyncio.timeout(AT_ONCE_S), Scanner(service=service) as scanner:
        loss = service.loss()
        daemon.die()
        async with scanning(own_bus.address):
            await loss.wait()
            await service.there()
            with pytest.raises(ServiceGone):
                await anext(scanner)
