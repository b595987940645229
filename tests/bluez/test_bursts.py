"""Bursts as the kernel and bluetoothd deliver them: nothing missing, nothing twice, everything in order."""

import pytest

from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import cuff, glucose_values, meter

pytestmark = pytest.mark.bluez


@pytest.mark.parametrize("records", [500, 1000])
async def test_every_record_of_a_full_meter_arrives_in_order(make_home: MakeHome, records: int) -> None:
    async with make_home(meter(records)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=records, timeout_s=90)
        assert gateway.values("glucose") == [*glucose_values(records)]
        assert [reading.sequence_number for reading in gateway.waiting()] == [*range(records)]
        status = await gateway.status()
        assert (status["meter"]["outcome"], status["meter"]["received"]) == ("complete", records)
        assert status["outbox"]["depth"] == records


async def test_a_cuff_that_deletes_what_was_confirmed_loses_nothing(make_home: MakeHome) -> None:
    async with make_home(cuff(100, deletes_when_confirmed=True)) as home, running(home.gateway) as gateway:
        await home.is_read("cuff", new=100, timeout_s=90)
        assert len({reading.reading_id for reading in gateway.waiting()}) == 100
        status = await gateway.status()
        assert (status["cuff"]["outcome"], status["outbox"]["depth"]) == ("complete", 100)
