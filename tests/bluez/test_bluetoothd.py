"""bluetoothd dies and comes back; nobody restarts the gateway."""

import pytest

from device_drivers.simulators.radio_spec import RadioFaults
from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import METER, glucose_values, meter
from tests.bluez.stack import bond_of, until

pytestmark = pytest.mark.bluez


async def test_a_gateway_at_rest_reads_on_when_bluetoothd_is_back(make_home: MakeHome) -> None:
    async with make_home(meter(5)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=5)
        bond = bond_of(METER)
        await home.stack.kill_bluetoothd()
        home.measure("meter", "312")
        await home.stack.start_bluetoothd()
        await home.is_read("meter", new=1, timeout_s=90)
        assert bond_of(METER) == bond
        assert gateway.values("glucose") == [*glucose_values(5), "312"]
        assert (await gateway.status())["meter"]["outcome"] == "complete"


async def test_a_transfer_that_bluetoothd_cut_by_dying_is_made_again(make_home: MakeHome) -> None:
    slow = RadioFaults(rest_s=0.04)  # or all of it would be in the gateway before anything could happen
    async with make_home(meter(300, slow)) as home, running(home.gateway) as gateway:
        await until(lambda: home.room.devices[METER].pushed > 100, 60)
        await home.stack.kill_bluetoothd()
        await until(lambda: gateway.outcome("meter") in {"cut", "unreachable"}, 60)
        assert gateway.depth() < 300
        await home.stack.start_bluetoothd()
        await until(lambda: gateway.outcome("meter") == "complete", 90)
        assert gateway.records() == [*enumerate(glucose_values(300))]
        assert (await gateway.status())["outbox"]["depth"] == 300
