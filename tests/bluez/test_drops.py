"""A device that goes out of reach in the middle of a transfer."""

import pytest

from device_drivers.simulators.radio_spec import RadioFaults
from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import cuff, glucose_values, meter
from tests.bluez.stack import until

pytestmark = pytest.mark.bluez


async def test_a_meter_that_drops_in_the_middle_is_read_whole_the_next_time(make_home: MakeHome) -> None:
    async with make_home(meter(500, RadioFaults(drop_after=250))) as home, running(home.gateway) as gateway:
        await until(lambda: gateway.outcome("meter") == "cut", 90)
        assert 0 < (await gateway.status())["meter"]["received"] <= 250
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
