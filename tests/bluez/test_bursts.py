"""Bursts as the kernel and bluetoothd deliver them: nothing missing in the end, nothing twice.

A bluetoothd that gets too little time loses notifications: the kernel drops what its socket cannot hold, and the meter
still reports success. Seen here on a busy machine (five gaps, 68 records of 1,000); the gateway asked for each gap.
"""

import pytest

from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import cuff, glucose_values, meter

pytestmark = pytest.mark.bluez


async def test_a_thousand_records_arrive_each_once(make_home: MakeHome) -> None:
    async with make_home(meter(1000)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=1000, timeout_s=90)
        assert gateway.records() == [*enumerate(glucose_values(1000))]
        status = await gateway.status()
        assert (status["meter"]["outcome"], status["meter"]["received"]) == ("complete", 1000)
        assert status["outbox"]["depth"] == 1000


async def test_five_hundred_records_and_a_cuff_that_deletes_what_was_confirmed(make_home: MakeHome) -> None:
    async with make_home(meter(500), cuff(100, deletes_when_confirmed=True)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=500, timeout_s=90)
        await home.is_read("cuff", new=100, timeout_s=90)
        assert gateway.records() == [*enumerate(glucose_values(500))]
        assert len({reading.reading_id for reading in gateway.waiting()}) == 600
        status = await gateway.status()
        assert {status[name]["outcome"] for name in ("meter", "cuff")} == {"complete"}
        assert status["outbox"]["depth"] == 600
