"""What BlueZ says of a device that is no advertisement is not taken for one: stock bleak, imitated bluetoothd."""

import asyncio
from typing import Any

import pytest

from device_drivers.links.advertising import Freshness
from device_drivers.links.ble import Scanner
from tests.device_drivers.links.imitated_bluez import METER, HeardDevice, scanning
from tests.fix_dbus import OwnBus

OTHER = "F0:00:00:00:00:02"
PATH = "/org/bluez/hci0/dev_F0_00_00_00_00_01"


async def test_a_device_that_is_hung_up_on_has_not_advertised(own_bus: OwnBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", own_bus.address)
    meter, other = HeardDevice(METER, rssi=-60), HeardDevice(OTHER, rssi=-70)
    async with asyncio.timeout(10), scanning(own_bus.address) as daemon, Scanner() as scanner:
        daemon.lists(meter)
        assert (await anext(scanner)).address == METER
        meter.changes(Connected=True)
        meter.changes(Connected=False)
        daemon.lists(other)  # whatever the meter's changes gave would have come first
        assert (await anext(scanner)).address == OTHER
        meter.changes(RSSI=-60)  # as strong as before: it advertises again
        assert (await anext(scanner)).address == METER


def reported(freshness: Freshness, **properties: Any) -> bool:
    return freshness.is_heard((PATH, properties))


def test_a_device_that_bluetoothd_knows_from_its_files_was_not_heard() -> None:
    assert not reported(Freshness(), Paired=True, Connected=False)


@pytest.mark.parametrize(
    "advertised",
    [{"RSSI": -61}, {"RSSI": -60}, {"RSSI": -60, "ManufacturerData": {1: b"x"}}, {"RSSI": -60, "TxPower": 4}],
)
def test_whatever_an_advertisement_carries_may_change_or_not(advertised: dict[str, Any]) -> None:
    freshness = Freshness()
    assert reported(freshness, RSSI=-60, Connected=False)
    assert reported(freshness, Connected=False, **advertised)


def test_a_device_is_remembered_among_as_many_as_a_home_has() -> None:
    freshness = Freshness()
    assert reported(freshness, RSSI=-60, Connected=True)
    for number in range(200):
        assert freshness.is_heard((f"/org/bluez/hci0/dev_{number}", {"RSSI": -60}))
    assert not reported(freshness, RSSI=-60, Connected=False)


def test_another_backend_reports_nothing_but_advertisements() -> None:
    assert Freshness().is_heard((object(),))
    assert Freshness().is_heard(())
