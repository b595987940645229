"""A device that has forgotten its bond: reset, or paired to somebody's telephone."""

import pytest

from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import CUFF, METER, cuff, glucose_values, meter
from tests.bluez.stack import bond_of

pytestmark = pytest.mark.bluez


async def test_a_meter_that_forgot_its_bond_is_paired_and_read_again(make_home: MakeHome) -> None:
    async with make_home(meter(5)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=5)
        lost = bond_of(METER)
        home.forget_bond("meter")
        home.measure("meter", "312")
        await home.is_read("meter", new=1, timeout_s=110)
        assert bond_of(METER) != lost
        assert gateway.values("glucose") == [*glucose_values(5), "312"]
        assert (await gateway.status())["outbox"]["depth"] == 6


async def test_a_lost_bond_does_not_hinder_another_device(make_home: MakeHome) -> None:
    async with make_home(meter(5), cuff(2)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=5)
        await home.is_read("cuff", new=2)
        bond = bond_of(CUFF)
        home.forget_bond("meter")
        home.measure("meter", "312")
        home.measure_pressure("cuff")
        await home.is_read("cuff", new=1, timeout_s=110)
        assert bond_of(CUFF) == bond
        assert len(gateway.values("blood_pressure")) == 3
