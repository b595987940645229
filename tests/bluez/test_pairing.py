"""Pairing through bluetoothd, with the gateway's own agent."""

import pytest

from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import CUFF, METER, PASSKEY, cuff, glucose_values, meter
from tests.bluez.stack import bond_of, until

pytestmark = pytest.mark.bluez

# How bluetoothd notes a key's strength: mgmt-api.txt, Load Long Term Keys.
JUST_WORKS, PASSKEY_ENTERED = "Authenticated=2", "Authenticated=3"


async def test_a_meter_with_a_passkey_and_a_cuff_without_are_paired_and_read(make_home: MakeHome) -> None:
    async with make_home(meter(30), cuff(3)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=30)
        await home.is_read("cuff", new=3)
        assert PASSKEY_ENTERED in bond_of(METER)
        assert JUST_WORKS in bond_of(CUFF)
        assert gateway.values("glucose") == [*glucose_values(30)]
        assert gateway.values("blood_pressure") == ["110", "111", "112"]
        status = await gateway.status()
        assert status["outbox"]["depth"] == 33
        assert {status[name]["outcome"] for name in ("meter", "cuff")} == {"complete"}
        # bleak reports a device when bluetoothd says that it is connected no more. Nobody answers such news of a cuff
        # that has fallen silent, and waits 20 s for it: the meter's next reading comes at once.
        home.measure("meter", "312")
        await until(lambda: "312" in gateway.values("glucose"), 15)
        assert ": unreachable" not in gateway.log()


async def test_a_bond_outlives_the_gateway(make_home: MakeHome) -> None:
    async with make_home(meter(5)) as home:
        async with running(home.gateway):
            await home.is_read("meter", new=5)
        bond = bond_of(METER)
        home.measure("meter", "312")
        async with running(home.gateway) as gateway:
            await home.is_read("meter", new=1)
            assert bond_of(METER) == bond
            assert gateway.values("glucose") == [*glucose_values(5), "312"]


async def test_a_wrong_passkey_pairs_nothing_and_the_right_one_heals_it(make_home: MakeHome) -> None:
    async with make_home(meter(5), passkeys_are_typed=True) as home, running(home.gateway) as gateway:
        await gateway.type_passkey("meter", PASSKEY + 1)
        await until(lambda: gateway.outcome("meter") == "unreachable", 60)
        assert "AuthenticationFailed" in (await gateway.status())["meter"]["reason"]
        assert "LongTermKey" not in bond_of(METER)
        assert gateway.depth() == 0
        await gateway.type_passkey("meter", PASSKEY)
        await home.is_read("meter", new=5)
        assert PASSKEY_ENTERED in bond_of(METER)
