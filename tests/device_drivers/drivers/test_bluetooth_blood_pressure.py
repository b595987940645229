import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from device_drivers.drivers.bluetooth_blood_pressure import read, reading_from
from device_drivers.drivers.conversation import Received
from device_drivers.errors import CodecError
from device_drivers.identity import DeviceIdentity
from device_drivers.links import ble
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import QuantityState
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec, RadioFaults
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.fix_ble import CUFF, NOW, BleHome, Visited, visit

UA_651 = "and-ua-651ble"
BM85 = "beurer-bm85"
NO_FAULTS = RadioFaults()
IDENTITY = DeviceIdentity(manufacturer="A&D Medical", model="UA-651BLE", serial_number="5170900125")


def cuff(
    *records: BleRecordSpec, profile: str = UA_651, faults: RadioFaults = NO_FAULTS, deletes: bool = False
) -> BleDeviceSpec:
    return BleDeviceSpec(
        profile=profile,
        address=CUFF,
        serial_number="5170900125",
        records=records,
        faults=faults,
        deletes_when_confirmed=deletes,
    )


def measured(
    systolic: int, diastolic: int = 80, pulse: int = 60, age_s: float = 0, flags: tuple[str, ...] = ()
) -> BleRecordSpec:
    return BleRecordSpec(systolic=systolic, diastolic=diastolic, mean=93, pulse=pulse, age_s=age_s, flags=flags, user=1)


def figures(visited: Visited) -> list[list[str]]:
    return [[str(component.quantity) for component in reading.components] for reading in visited.readings]


async def test_a_cuff_sends_what_it_holds_and_hangs_up(ble_home: BleHome) -> None:
    device = await ble_home.cuff(cuff(measured(124), measured(136, age_s=3600, flags=("irregular_pulse",))))
    device.set_clock_skew(timedelta(minutes=3))
    visited = await ble_home.visit(device)
    assert figures(visited) == [
        ["136 mm[Hg]", "80 mm[Hg]", "93 mm[Hg]", "60 /min"],
        ["124 mm[Hg]", "80 mm[Hg]", "93 mm[Hg]", "60 /min"],
    ]
    assert visited.readings[0].annotations == ("irregular_pulse",)
    assert visited.readings[1].reported_time.text == "2026-11-20T12:00:00"
    assert visited.readings[1].user_index == 1
    assert visited.opened is not None
    assert visited.opened.coincident is not None
    assert visited.opened.coincident.device_time == datetime(2026, 11, 20, 12, 3)  # noqa: DTZ001 - a device's clock
    assert visited.complete is not None


async def test_a_reading_waits_for_none_that_is_still_to_come_and_those_that_came_meanwhile_come_together(
    ble_home: BleHome,
) -> None:
    """So one write makes all durable that the cuff may have deleted already."""
    device = await ble_home.cuff(
        cuff(*(measured(120 + i, age_s=60 * (9 - i)) for i in range(10)), faults=RadioFaults(rest_s=0.02))
    )
    await ble_home.visit(device)  # it is paired, and has sent everything once
    together: list[int] = []
    async with ble.connect(CUFF, device.profile, backend=ble_home.backend) as link:
        async for event in read(link, device.profile, None, lambda: NOW):
            if isinstance(event, Received):
                together.append(len(event.readings))
                while len(together) == 2 and device.pushed < 20:  # noqa: ASYNC110 -- the cuff tells nobody
                    await asyncio.sleep(0.01)
    assert together[:2] == [1, 1]
    assert together[2] > 1
    assert sum(together) == 10


async def test_a_failed_measurement_is_kept_as_one(ble_home: BleHome) -> None:
    device = await ble_home.cuff(cuff(measured(120, flags=("failed_measurement", "cuff_too_loose"))))
    (reading,) = (await ble_home.visit(device)).readings
    assert {component.quantity.state for component in reading.components} == {QuantityState.NOT_A_NUMBER}
    assert reading.annotations == ("cuff_too_loose", "failed_measurement")


async def test_a_beurer_cuff_is_read_through_its_quirks(ble_home: BleHome) -> None:
    device = await ble_home.cuff(
        cuff(measured(118, pulse=60, flags=("irregular_pulse", "pulse_rate_above_range")), profile=BM85)
    )
    visited = await ble_home.visit(device)
    assert figures(visited) == [["118 mm[Hg]", "80 mm[Hg]", "60 /min"]]
    assert visited.readings[0].annotations == ("irregular_pulse", "pulse_rate_above_range")
    assert visited.opened is not None
    assert visited.opened.coincident is None


def test_the_captured_beurer_record_reads_as_its_owner_states() -> None:
    octets = bytes.fromhex("566a0047000000ea07080b121f00003f000000")
    reading = reading_from(octets, IDENTITY, catalogue().get(BM85))
    assert [(component.code, component.quantity.value) for component in reading.components] == [
        (Mdc.PRESS_BLD_NONINV_SYS, Decimal(106)),
        (Mdc.PRESS_BLD_NONINV_DIA, Decimal(71)),
        (Mdc.PULS_RATE_NON_INV, Decimal(63)),
    ]
    assert (reading.reported_time.text, reading.user_index) == ("2026-08-11T18:31:00", 0)


def test_kilopascals_stay_kilopascals() -> None:
    reading = reading_from(bytes.fromhex("01a5f06bf07ef0"), IDENTITY, catalogue().get(UA_651))
    assert str(reading.quantity(Mdc.PRESS_BLD_NONINV_SYS)) == "16.5 kPa"
    assert reading.components[0].quantity.unit is Unit.KPA


async def test_a_cuff_that_drops_out_sends_the_rest_at_the_next_visit(ble_home: BleHome) -> None:
    specs = (measured(120 + i, age_s=60 * (9 - i)) for i in range(10))
    device = await ble_home.cuff(cuff(*specs, faults=RadioFaults(drop_after=4), deletes=True))
    first, second = await ble_home.visit(device), await ble_home.visit(device)
    assert (len(first.readings), len(second.readings)) == (4, 6)
    assert len({reading.reading_id for reading in first.readings + second.readings}) == 10
    assert not device.memory


async def test_equal_readings_without_a_time_are_told_apart(ble_home: BleHome) -> None:
    device = await ble_home.cuff(cuff())
    device.sends = [bytes.fromhex("007800500061003c00")] * 2
    visited = await ble_home.visit(device)
    assert [reading.occurrence for reading in visited.readings] == [0, 1]
    assert len({reading.reading_id for reading in visited.readings}) == 2
    assert visited.readings[0].reported_time.local is None


async def test_a_damaged_record_does_not_hide_those_behind_it(ble_home: BleHome) -> None:
    device = await ble_home.cuff(cuff(measured(131)))
    device.sends = [bytes.fromhex("1678"), device.encoded(device.memory[0])]
    visited = Visited()
    with pytest.raises(CodecError, match="systolic"):
        await ble_home.visit(device, into=visited)
    assert figures(visited) == [["131 mm[Hg]", "80 mm[Hg]", "93 mm[Hg]", "60 /min"]]
    assert visited.complete is None


async def test_a_cuff_that_stays_silent_is_left(ble_home: BleHome) -> None:
    device = await ble_home.cuff(cuff(measured(120)))
    device.hangs_up = False
    soon = msgspec.structs.replace(device.ble, idle_timeout_s=0.2)
    firmware = msgspec.structs.replace(device.profile.firmware, ble=soon)
    visited = await visit(ble_home.backend, Profile(device=device.profile.device, firmware=firmware), CUFF)
    assert visited.complete is not None
    assert len(visited.readings) == 1
