"""A gateway that loses power in the middle of a Bluetooth transfer: a process of its own, on a virtual radio.

What a device keeps until it is asked again is never lost. What a cuff deletes as soon as its indication is confirmed is
lost where the power goes between the confirmation, which the Bluetooth stack sends by itself, and the write.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

from device_drivers.links import ble
from device_drivers.simulators.ble_cuff import Cuff
from device_drivers.simulators.radio import SimulatedRoom, furnish
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec, RadioFaults, RadioSpec
from firmware_profiles.catalogue import catalogue
from gateway import clock
from gateway.config import DeviceEntry
from gateway.disk import Disk
from gateway.outbox import Outbox
from gateway.roster import resolve
from gateway.visit import Outcome, visit
from tests.fix_ble import BleHome
from tests.fix_gateway import eventually

METER, CUFF = "F0:00:00:00:00:01", "F0:00:00:00:00:02"
# As slow as a radio, or all of it would be over before anybody could pull a plug.
SLOW = RadioFaults(rest_s=0.01)
IN_THE_METER, IN_THE_CUFF = 100, 30
KILLS = 3
# So many pushed, and the plug is pulled.
INTO_IT = 6


def meter() -> BleDeviceSpec:
    records = tuple(BleRecordSpec(age_s=60.0 * number, value=str(100 + number)) for number in range(IN_THE_METER))
    return BleDeviceSpec(
        profile="roche-accu-chek-guide", address=METER, serial_number="S1", passkey=1, records=records, faults=SLOW
    )


def cuff(*, deletes: bool) -> BleDeviceSpec:
    records = tuple(
        BleRecordSpec(age_s=60.0 * number, systolic=110 + number % 60, diastolic=70, mean=85, pulse=60)
        for number in range(IN_THE_CUFF)
    )
    return BleDeviceSpec(
        profile="and-ua-651ble",
        address=CUFF,
        serial_number="S2",
        records=records,
        faults=SLOW,
        deletes_when_confirmed=deletes,
    )


class Home:
    """One device, and the gateway's process that reads it as often as it is started."""

    def __init__(self, folder: Path, room: SimulatedRoom, radio: str) -> None:
        self.room = room
        self._radio = radio
        self._data = folder / "data"
        self._config = folder / "gateway.toml"
        (spec,) = (device.spec for device in room.devices.values())
        self._config.write_text(
            'gateway_id = "home-1"\ndata_dir = "data"\n[mqtt]\nhost = "127.0.0.1"\nport = 1\n'
            "[intervals]\nble_cooldown_s = 0.2\nbackoff_max_s = 0.2\n"
            f'[[device]]\nname = "device"\nprofile = "{spec.profile}"\naddress = "{spec.address}"\n'
        )

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Process]:
        """It runs until it is killed, at the end of the block or before."""
        command = ("-m", "deploy.demo.home", str(self._config), "--radio", self._radio, "--passkey", "1")
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
        )
        assert process.stdout is not None
        try:
            await asyncio.wait_for(process.stdout.readline(), 20)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def depth(self) -> int:
        """How many readings are on disk."""
        with closing(Outbox.read_only(self._data / "outbox.sqlite")) as outbox:
            return outbox.depth().rows

    def outcome(self) -> str:
        """How the last visit ended."""
        with closing(Outbox.read_only(self._data / "outbox.sqlite")) as outbox:
            visit = outbox.visit("device")
        return visit.outcome if visit else ""


@asynccontextmanager
async def home_of(folder: Path, spec: BleDeviceSpec) -> AsyncIterator[Home]:
    room = await furnish(RadioSpec(devices=(spec,)), catalogue(), clock.now)
    try:
        yield Home(folder, room, await room.radio.listen("tcp:127.0.0.1:0"))
    finally:
        await room.close()


async def test_a_meters_burst_that_the_power_cut_is_read_whole_the_next_time(tmp_path: Path) -> None:
    """Its readings are given out at the report's end, so the disk has none of them; the meter has them all."""
    async with home_of(tmp_path, meter()) as home:
        async with home.gateway() as process:
            await eventually(lambda: home.room.devices[METER].pushed > IN_THE_METER // 2)
            process.kill()
        assert home.depth() == 0
        async with home.gateway():
            await eventually(lambda: home.outcome() == "complete")
        assert home.depth() == IN_THE_METER


async def test_of_what_a_cuff_keeps_nothing_is_lost_however_often_the_power_goes(tmp_path: Path) -> None:
    async with home_of(tmp_path, cuff(deletes=False)) as home:
        for _ in range(KILLS):
            pushed = home.room.devices[CUFF].pushed
            async with home.gateway():
                await eventually(lambda before=pushed: home.room.devices[CUFF].pushed > before + INTO_IT)  # type: ignore[misc]
        async with home.gateway():
            await eventually(lambda: home.outcome() == "complete")
        assert home.depth() == IN_THE_CUFF


async def test_of_what_a_cuff_deletes_a_power_cut_costs_at_most_the_one_that_was_not_yet_written(
    tmp_path: Path,
) -> None:
    """Each is on disk before the next can come: an indication waits for the confirmation of the one before it."""
    async with home_of(tmp_path, cuff(deletes=True)) as home:
        device = home.room.devices[CUFF]
        assert isinstance(device, Cuff)
        for _ in range(KILLS):
            pushed = device.pushed
            async with home.gateway():
                await eventually(lambda before=pushed: device.pushed > before + INTO_IT)  # type: ignore[misc]
            await eventually(lambda: device.connection is None)
        async with home.gateway():
            await eventually(lambda: not device.memory)
            await eventually(lambda: home.outcome() == "complete")
        assert IN_THE_CUFF - KILLS <= home.depth() <= IN_THE_CUFF


async def test_a_cuff_that_deletes_is_not_even_connected_while_nothing_can_be_stored(
    ble_home: BleHome, tmp_path: Path
) -> None:
    device = await ble_home.cuff(cuff(deletes=True))
    (rostered,) = resolve([DeviceEntry(name="cuff", profile="and-ua-651ble", address=CUFF)], catalogue()).ble
    full = Disk(tmp_path, floor=2**62)
    with closing(Outbox.open(tmp_path / "outbox.sqlite", disk=full)) as outbox:
        report = await visit(rostered, partial(ble.connect, CUFF, backend=ble_home.backend), outbox, clock.now)
    assert report.outcome is Outcome.OUTBOX_FAILED
    assert (device.pushed, len(device.memory)) == (0, IN_THE_CUFF)
    assert not await ble_home.backend.adapter.is_bonded(CUFF)
