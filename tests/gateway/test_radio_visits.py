"""Bluetooth devices on one simulated radio: visited one after the other when they advertise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.services.source import OwnBroker
from device_drivers.links.ble import BleBackend
from device_drivers.simulators.radio import SimulatedRoom, furnish
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec, NewBleRecord, RadioFaults, RadioSpec
from device_drivers.simulators.virtual_central import open_central
from firmware_profiles.catalogue import catalogue
from gateway import app, clock
from gateway.config import Config, DeviceEntry, Intervals, Mqtt
from gateway.outbox import Outbox, VisitRow
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
