"""A device that goes out of reach in the middle of a transfer."""

from collections.abc import Callable

import pytest

from device_drivers.simulators.ble_cuff import Cuff
from device_drivers.simulators.radio_spec import RadioFaults
from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import CUFF, METER, cuff, glucose_values, meter
from tests.bluez.stack import until

pytestmark = pytest.mark.bluez


async def test_a_meter_that_drops_in_the_middle_is_read_whole_the_next_time(make_home: MakeHome) -> None:
    async with make_home(meter(500, RadioFaults(drop_after=250))) as home, running(home.gateway) as gateway:
        await until(lambda: gateway.outcome("meter") == "cut", 90)
        assert 0 < gateway.depth() <= 250  # read at once: the next visit is not far
        await until(lambda: gateway.outcome("meter") == "complete", 90)
        assert gateway.records() == [*enumerate(glucose_values(500))]
        status = await gateway.status()
        assert (status["meter"]["holds"], status["outbox"]["depth"]) == (500, 500)


async def test_a_cuff_that_drops_in_the_middle_keeps_what_was_not_confirmed(make_home: MakeHome) -> None:
    async with make_home(cuff(40, RadioFaults(drop_after=15))) as home, running(home.gateway) as gateway:
        await until(lambda: gateway.depth() == 40, 90)
        await until(lambda: gateway.outcome("cuff") == "complete", 60)
        assert len({reading.reading_id for reading in gateway.waiting()}) == 40
        assert (await gateway.status())["outbox"]["depth"] == 40


async def test_of_what_a_cuff_deletes_a_killed_gateway_loses_at_most_what_was_on_its_way_to_it(
    make_home: MakeHome, record_property: Callable[[str, object], None]
) -> None:
    """bluetoothd confirms an indication before the gateway has seen it; nobody can take that back."""
    burst = cuff(60, RadioFaults(rest_s=0.1), deletes_when_confirmed=True)
    async with make_home(burst) as home:
        async with running(home.gateway) as gateway:
            await until(lambda: gateway.depth() > 15, 60)
            await gateway.kill()
        device = home.room.devices[CUFF]
        assert isinstance(device, Cuff)
        async with running(home.gateway):
            await until(lambda: not device.memory, 60)
            await until(lambda: gateway.outcome("cuff") == "complete", 30)
        lost = 60 - len({reading.reading_id for reading in gateway.waiting()})
        record_property("lost of 60, with what was on its way to the killed gateway", lost)
        assert 0 <= lost <= 2


async def test_of_what_a_meter_keeps_a_killed_gateway_loses_nothing(make_home: MakeHome) -> None:
    slow = RadioFaults(rest_s=0.04)
    async with make_home(meter(100, slow)) as home:
        async with running(home.gateway) as gateway:
            await until(lambda: home.room.devices[METER].pushed > 30, 60)
            await gateway.kill()
        assert gateway.depth() < 100
        async with running(home.gateway):
            await home.is_read("meter", new=100)
        assert gateway.records() == [*enumerate(glucose_values(100))]
