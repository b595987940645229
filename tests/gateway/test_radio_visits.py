"""Bluetooth devices on one simulated radio: visited one after the other when they advertise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from bleak.exc import BleakDBusError

from deploy.services.source import OwnBroker
from device_drivers.errors import LinkError
from device_drivers.links import ble
from device_drivers.links.ble import BleBackend
from device_drivers.links.bluez_service import BluezService
from device_drivers.simulators.bumble_backend import BumbleAdapter
from device_drivers.simulators.radio import SimulatedRoom, furnish
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec, NewBleRecord, RadioFaults, RadioSpec
from device_drivers.simulators.virtual_central import open_central
from firmware_profiles.catalogue import catalogue
from gateway import app, clock
from gateway import radio as radio_of_home
from gateway.bond_ladder import Ladder
from gateway.config import Config, DeviceEntry, Intervals, Mqtt
from gateway.outbox import Outbox, VisitRow
from gateway.roster import resolve
from gateway.visit import Outcome, visit
from tests.fix_ble import BleHome
from tests.fix_gateway import GATEWAY_ID, FakeCloud, eventually

METER, CUFF = "F0:00:00:00:00:01", "F0:00:00:00:00:02"
PASSKEY = 123456
GLUCOSE = tuple(BleRecordSpec(age_s=3600.0 * number, value=str(100 + number)) for number in range(30))
PRESSURE = (BleRecordSpec(age_s=60, systolic=186, diastolic=112, mean=137, pulse=88),)


def room_of(faults: RadioFaults | None = None) -> RadioSpec:
    """A meter and a cuff that advertise while they hold something that nobody has taken."""
    return RadioSpec(
        devices=(
            BleDeviceSpec(
                profile="roche-accu-chek-guide",
                address=METER,
                serial_number="SIM000001",
                name="meter",
                passkey=PASSKEY,
                records=GLUCOSE,
                faults=faults or RadioFaults(),
                advertise_every_s=3600.0,
            ),
            BleDeviceSpec(
                profile="and-ua-651ble",
                address=CUFF,
                serial_number="SIM000002",
                name="cuff",
                records=PRESSURE,
                advertise_every_s=3600.0,
            ),
        )
    )


@asynccontextmanager
async def radio(spec: RadioSpec) -> AsyncIterator[tuple[SimulatedRoom, BleBackend]]:
    room = await furnish(spec, catalogue(), clock.now)
    try:
        async with open_central(room.radio, passkey=lambda: PASSKEY) as backend:
            yield room, backend
    finally:
        await room.close()


def configured(folder: Path, broker: OwnBroker) -> Config:
    return Config(
        gateway_id=GATEWAY_ID,
        data_dir=folder / "data",
        mqtt=Mqtt(host=broker.host, port=broker.port),
        password=broker.add_user(GATEWAY_ID),
        adapter="hci0",
        intervals=Intervals(ble_cooldown_s=0.2, backoff_max_s=0.2),
        devices=(
            DeviceEntry(name="meter", profile="roche-accu-chek-guide", address=METER.lower()),
            DeviceEntry(name="cuff", profile="and-ua-651ble", address=CUFF),
        ),
    )


@asynccontextmanager
async def running(config: Config, backend: BleBackend) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(app.run(config, ble_backend=backend, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


def visits(config: Config) -> dict[str, VisitRow]:
    outbox = Outbox.read_only(app.outbox_path(config))
    try:
        return outbox.visits()
    finally:
        outbox.close()


def ladder(config: Config, name: str = "meter") -> Ladder:
    outbox = Outbox.read_only(app.outbox_path(config))
    try:
        return outbox.ladder(name)
    finally:
        outbox.close()


async def test_a_meter_and_a_cuff_are_read_when_they_advertise(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (room, backend), running(config, backend):
        await cloud.until(lambda: len(cloud.received()) == 31)
        assert room.measure(NewBleRecord(device="meter", record=BleRecordSpec(value="312")))
        await cloud.until(lambda: len(cloud.received()) == 32)
        await eventually(lambda: {visit.outcome for visit in visits(config).values()} == {"complete"})


async def test_a_meter_that_hangs_up_in_the_middle_is_read_whole_the_next_time(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    config = configured(tmp_path, broker)
    async with radio(room_of(RadioFaults(drop_after=10))) as (_, backend), running(config, backend):
        await cloud.until(lambda: len(cloud.received()) == 31)
        await eventually(lambda: visits(config)["meter"].outcome == "complete")


async def test_a_meter_that_forgot_us_is_paired_again(broker: OwnBroker, cloud: FakeCloud, tmp_path: Path) -> None:
    """Whoever holds the meter puts it into pairing mode: a simulated one always is."""
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (room, backend), running(config, backend):
        await cloud.until(lambda: len(cloud.received()) == 31)
        await eventually(lambda: visits(config)["meter"].outcome == "complete")
        await room.devices[METER].forget_bonds()
        assert room.measure(NewBleRecord(device="meter", record=BleRecordSpec(value="312")))
        await cloud.until(lambda: len(cloud.received()) == 32)
        await eventually(lambda: visits(config)["meter"].outcome == "complete")
    assert ladder(config) == Ladder(forgotten=1)


async def test_a_wedged_adapter_is_climbed_up_to_and_switched_off_and_on(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (_, backend):
        adapter = cast(BumbleAdapter, backend.adapter)

        class Wedged(backend.client):  # type: ignore[name-defined,misc]  # a type made at run time
            async def connect(self, pair: bool, **platform: Any) -> None:
                if adapter.power_cycles == 0:
                    raise TimeoutError("nothing moves")
                await super().connect(pair, **platform)

        async with running(config, replace(backend, client=Wedged)):
            await cloud.until(lambda: len(cloud.received()) == 31)
            await eventually(lambda: {visit.outcome for visit in visits(config).values()} == {"complete"})
    climbed = [ladder(config, name) for name in ("meter", "cuff")]
    assert sum(one.power_cycled for one in climbed) >= 1
    assert all(one.rung == 0 for one in climbed)


async def test_a_scan_that_has_stuck_is_begun_anew(broker: OwnBroker, cloud: FakeCloud, tmp_path: Path) -> None:
    config = configured(tmp_path, broker)
    config = replace(config, intervals=msgspec.structs.replace(config.intervals, scanner_quiet_s=0.3))
    async with radio(room_of()) as (_, backend):
        starts: list[str] = []

        class Stuck(backend.scanner):  # type: ignore[name-defined,misc]  # a type made at run time
            async def start(self) -> None:
                starts.append("start")
                self.deaf = len(starts) == 1
                if not self.deaf:
                    await super().start()

            async def stop(self) -> None:
                if not self.deaf:
                    await super().stop()

        async with running(config, replace(backend, scanner=Stuck)):
            await cloud.until(lambda: len(cloud.received()) == 31)
    assert len(starts) >= 2


async def test_a_bluetooth_service_that_is_not_there_yet_is_waited_for(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio_of_home, "SCANNER_RETRY_S", 0.05)
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (_, backend):
        errors: list[Exception] = [
            BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", []),
            EOFError(),
            ConnectionResetError(),
        ]

        class Absent(backend.scanner):  # type: ignore[name-defined,misc]  # a type made at run time
            async def start(self) -> None:
                if errors:
                    raise errors.pop()
                await super().start()

        async with running(config, replace(backend, scanner=Absent)):
            await cloud.until(lambda: len(cloud.received()) == 31)
    assert errors == []


async def test_an_adapter_that_a_person_has_to_switch_on_is_named_for_each_device_and_used_once_it_is_on(
    broker: OwnBroker,
    cloud: FakeCloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(radio_of_home, "SCANNER_RETRY_S", 0.05)
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (_, backend):
        adapter = cast(BumbleAdapter, backend.adapter)
        adapter.off = "the Bluetooth adapter hci0 is off"
        async with running(config, backend):
            await eventually(lambda: caplog.text.count("the radio cannot be used") > 2)
            assert set(visits(config)) == {"meter", "cuff"}
            assert all(adapter.off in visit.reason for visit in visits(config).values())
            adapter.off = None
            await cloud.until(lambda: len(cloud.received()) == 31)
            await eventually(lambda: {visit.outcome for visit in visits(config).values()} == {"complete"})


async def test_a_trouble_of_the_radio_that_is_over_is_told_no_more(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cuff may be silent for days: its status must not speak of the radio for so long."""
    monkeypatch.setattr(radio_of_home, "SCANNER_RETRY_S", 0.05)
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (_, backend):
        adapter, service = cast(BumbleAdapter, backend.adapter), BluezService()
        service.came()
        async with running(config, replace(backend, service=service)):
            await cloud.until(lambda: len(cloud.received()) == 31)
            await eventually(lambda: {visit.outcome for visit in visits(config).values()} == {"complete"})
            before = visits(config)
            adapter.off = "the Bluetooth adapter hci0 is off"
            service.went()
            service.came()
            await eventually(lambda: {visit.outcome for visit in visits(config).values()} == {"unreachable"})
            adapter.off = None
            await eventually(lambda: visits(config) == before)


async def test_a_service_that_died_is_scanned_with_again_as_soon_as_it_is_back(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio_of_home, "SCANNER_RETRY_S", 3600.0)  # longer than this test may take
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (room, backend):
        service = BluezService()
        service.came()
        async with running(config, replace(backend, service=service)):
            await cloud.until(lambda: len(cloud.received()) == 31)
            await eventually(lambda: {visit.outcome for visit in visits(config).values()} == {"complete"})
            service.went()
            assert room.measure(NewBleRecord(device="meter", record=BleRecordSpec(value="312")))
            service.came()
            await cloud.until(lambda: len(cloud.received()) == 32)


async def test_a_visit_that_the_service_cut_by_dying_is_made_again_and_costs_no_step_of_the_ladder(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    config = configured(tmp_path, broker)
    async with radio(room_of(RadioFaults(rest_s=0.05))) as (room, backend):
        service = BluezService()
        service.came()
        async with running(config, replace(backend, service=service)):
            await eventually(lambda: room.devices[METER].pushed > 5)
            service.went()
            await eventually(lambda: "meter" in visits(config) and visits(config)["meter"].outcome == "cut")
            assert "ServiceGone" in visits(config)["meter"].reason
            service.came()
            await cloud.until(lambda: len(cloud.received()) == 31)
    assert ladder(config) == Ladder()


@pytest.mark.parametrize(
    ("rostered", "stands_there", "words"),
    [
        ("roche-accu-chek-guide", "ascensia-contour-next-one", "Ascensia Contour Next One"),
        ("and-ua-651ble", "beurer-bm85", "Beurer BM85"),
    ],
)
async def test_another_model_at_the_address_is_named_and_not_read(
    ble_home: BleHome, tmp_path: Path, rostered: str, stands_there: str, words: str
) -> None:
    records = (BleRecordSpec(value="112", systolic=120, diastolic=80),)
    spec = BleDeviceSpec(
        profile=stands_there, address=METER, serial_number="SIM000007", passkey=PASSKEY, records=records
    )
    add = ble_home.meter if "contour" in stands_there else ble_home.cuff
    device = await add(spec)
    (entry,) = resolve([DeviceEntry(name="it", profile=rostered, address=METER)], catalogue()).ble
    with closing(Outbox.open(tmp_path / "outbox.sqlite")) as outbox:
        for _ in range(2):  # a cuff of A&D is paired in a visit of its own
            report = await visit(entry, partial(ble.connect, METER, backend=ble_home.backend), outbox, clock.now)
        assert outbox.depth().rows == 0
    assert (report.outcome, report.received) == (Outcome.NO_PROFILE, 0)
    assert report.reason == f"the device says it is a {words}, the profile is {rostered}"
    assert report.identity is not None
    assert "SIM000007" in report.identity
    assert (device.has_untaken(), device.pushed) == (True, 0)


async def test_what_a_killed_gateway_left_connected_is_hung_up_on_and_a_refusal_keeps_nobody_from_being_heard(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    config = configured(tmp_path, broker)
    async with radio(room_of()) as (_, backend):
        closed: list[str] = []

        class Stubborn(BumbleAdapter):
            async def close(self, address: str) -> None:
                closed.append(address.upper())
                raise LinkError("Disconnect: org.bluez.Error.Failed")

        stubborn = Stubborn(cast(BumbleAdapter, backend.adapter)._central)
        async with running(config, replace(backend, adapter=stubborn)):
            await cloud.until(lambda: len(cloud.received()) == 31)
    assert sorted(closed) == [METER, CUFF]
