"""bluetoothd dies and comes back, or has no adapter to give; nobody restarts the gateway."""

import asyncio
from collections.abc import Callable

import pytest

from device_drivers.simulators.radio_spec import RadioFaults
from tests.bluez.conftest import MakeHome
from tests.bluez.gateway_process import running
from tests.bluez.home import METER, glucose_values, meter
from tests.bluez.stack import bond_of, until

pytestmark = pytest.mark.bluez


# A scan that only falls silent is begun anew after two minutes (scanner_quiet_s). The bus tells of a death at once;
# what remains is the guest's own slowness.
SOON_S = 30.0


async def test_a_gateway_at_rest_reads_on_when_bluetoothd_is_back(
    make_home: MakeHome, record_property: Callable[[str, object], None]
) -> None:
    async with make_home(meter(5)) as home, running(home.gateway) as gateway:
        await home.is_read("meter", new=5)
        bond = bond_of(METER)
        clock = asyncio.get_running_loop().time
        killed_at = clock()
        await home.stack.kill_bluetoothd()
        home.measure("meter", "312")
        await home.stack.start_bluetoothd()
        started_at = clock()
        await until(lambda: gateway.log().count("is scanning\n") == 2, SOON_S)
        scanned_at = clock()
        await home.is_read("meter", new=1, timeout_s=SOON_S)
        record_property("seconds from the kill to a scan", round(scanned_at - killed_at, 1))
        record_property("seconds of these until bluetoothd was back", round(started_at - killed_at, 1))
        assert bond_of(METER) == bond
        assert gateway.values("glucose") == [*glucose_values(5), "312"]
        assert (await gateway.status())["meter"]["outcome"] == "complete"


async def test_a_transfer_that_bluetoothd_cut_by_dying_is_made_again(make_home: MakeHome) -> None:
    slow = RadioFaults(rest_s=0.04)  # or all of it would be in the gateway before anything could happen
    async with make_home(meter(150, slow)) as home, running(home.gateway) as gateway:
        await until(lambda: home.room.devices[METER].pushed > 50, 60)
        await home.stack.kill_bluetoothd()
        # The log has every visit. To ask for the status may take so long here that the next visit stands in it, which
        # finds no service at all.
        await until(lambda: gateway.outcome("meter") in {"cut", "unreachable"}, SOON_S)
        await until(lambda: "(ServiceGone: the Bluetooth service ended" in gateway.log(), SOON_S)
        assert gateway.depth() < 150
        await home.stack.start_bluetoothd()
        await until(lambda: gateway.outcome("meter") == "complete", 60)
        assert gateway.records() == [*enumerate(glucose_values(150))]
        assert (await gateway.status())["outbox"]["depth"] == 150


async def test_an_adapter_that_is_off_is_switched_on(make_home: MakeHome) -> None:
    async with make_home(meter(5)) as home:
        await home.stack.switch_adapter("off")
        async with running(home.gateway) as gateway:
            await home.is_read("meter", new=5)
            assert gateway.log().count("was off; it is switched on now") == 1


async def test_an_adapter_that_rfkill_blocks_is_named_in_the_status_and_used_once_it_is_not(
    make_home: MakeHome,
) -> None:
    async with make_home(meter(5)) as home:
        home.stack.block_adapter(True)
        async with running(home.gateway) as gateway:
            await until(lambda: gateway.outcome("meter") == "unreachable", SOON_S)
            assert "rfkill unblock bluetooth" in (await gateway.status())["meter"]["reason"]
            home.stack.block_adapter(False)
            await home.is_read("meter", new=5)
