"""A home behind the guest's own Bluetooth adapter: simulated devices, the production stack, the production gateway."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from device_drivers.simulators.ble_cuff import Cuff
from device_drivers.simulators.ble_glucometer import Glucometer
from device_drivers.simulators.radio import SimulatedRoom, simulated
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec, NewBleRecord, RadioFaults
from device_drivers.simulators.virtual_radio import KERNEL_ADDRESS, VirtualRadio
from firmware_profiles.catalogue import catalogue
from gateway import clock
from tests.bluez.gateway_process import GatewayProcess
from tests.bluez.stack import BONDS, Stack, bluetooth_stack, until

METER = "F0:00:00:00:00:01"
CUFF = "F0:00:00:00:00:02"
PASSKEY = 123456
NO_FAULTS = RadioFaults()


def glucose_values(count: int) -> Iterator[str]:
    """Figures in the order of measuring; neighbours differ."""
    return (str(70 + number % 331) for number in range(count))


def meter(records: int, faults: RadioFaults = NO_FAULTS) -> BleDeviceSpec:
    """A glucometer that shows a passkey when it is paired; one record a minute."""
    return BleDeviceSpec(
        profile="roche-accu-chek-guide",
        address=METER,
        serial_number="SIM000001",
        name="meter",
        passkey=PASSKEY,
        records=tuple(
            BleRecordSpec(age_s=60.0 * (records - number), value=value)
            for number, value in enumerate(glucose_values(records))
        ),
        faults=faults,
        advertise_every_s=3600.0,
    )


def cuff(records: int, faults: RadioFaults = NO_FAULTS, *, deletes_when_confirmed: bool = False) -> BleDeviceSpec:
    """A cuff that pairs by Just Works and sends whatever was not yet confirmed."""
    return BleDeviceSpec(
        profile="and-ua-651ble",
        address=CUFF,
        serial_number="SIM000002",
        name="cuff",
        records=tuple(
            BleRecordSpec(age_s=60.0 * (records - number), systolic=110 + number % 60, diastolic=70, mean=85, pulse=60)
            for number in range(records)
        ),
        faults=faults,
        deletes_when_confirmed=deletes_when_confirmed,
        advertise_every_s=3600.0,
    )


@dataclass
class Home:
    """What a scenario moves: the devices' side, the stack and the gateway."""

    folder: Path
    room: SimulatedRoom
    stack: Stack
    gateway: GatewayProcess

    def measure(self, device: str, value: str) -> None:
        """Somebody measures their glucose now."""
        self._measure(device, BleRecordSpec(value=value))

    def measure_pressure(self, device: str) -> None:
        """Somebody measures their blood pressure now."""
        self._measure(device, BleRecordSpec(systolic=171, diastolic=99, mean=120, pulse=88))

    def forget_bond(self, device: str) -> None:
        """The device is reset, or paired to a telephone."""
        _bonds(self.folder, device).unlink()

    async def is_read(self, name: str, *, new: int, timeout_s: float = 60.0) -> None:
        """Wait for a complete visit that brought so many new readings."""
        await until(lambda: self.gateway.visit(name)[::2] == ("complete", new), timeout_s)

    def _measure(self, device: str, record: BleRecordSpec) -> None:
        assert self.room.measure(NewBleRecord(device=device, record=record))


@asynccontextmanager
async def home(
    folder: Path, artefacts: Path, *devices: BleDeviceSpec, passkeys_are_typed: bool = False
) -> AsyncIterator[Home]:
    """Everything but the gateway is on. Its configuration has the passkeys, unless a person is to type them."""
    async with bluetooth_stack(artefacts) as stack:
        room = SimulatedRoom(VirtualRadio())
        try:
            for spec in devices:
                await _switch_on(room, spec, str(_bonds(folder, spec.name or "")))
            await room.radio.plug_into_kernel()  # last: the kernel gives the adapter 2 s to answer its first command
            await until((BONDS / KERNEL_ADDRESS).is_dir)
            known = () if passkeys_are_typed else ("meter",)
            yield Home(folder, room, stack, GatewayProcess(folder, artefacts, devices, known))
        finally:
            await room.close()


async def _switch_on(room: SimulatedRoom, spec: BleDeviceSpec, bonds: str) -> None:
    device = simulated(spec, catalogue(), clock.now)
    if isinstance(device, Glucometer | Cuff) and len(spec.records) > len(device.memory):
        device.memory = deque(maxlen=len(spec.records))  # more than its model holds
        if isinstance(device, Glucometer):
            device.set_next_sequence_number(0)
        for record in spec.records:
            device.measure(record)
    await room.add(device, bonds)


def _bonds(folder: Path, device: str) -> Path:
    return folder / f"{device}-bonds.json"
