"""Every Bluetooth profile of the catalogue: simulate, drive, compare. A new TOML file is covered by being there."""

from collections import Counter
from decimal import Decimal

import msgspec
import pytest

from device_drivers.codecs.record_access_control_point import Operator, encode_request
from device_drivers.drivers.bluetooth_glucose import QUIRKS as GLUCOSE_QUIRKS
from device_drivers.drivers.record_access import report, requests_for_missing
from device_drivers.errors import ForbiddenCommand
from device_drivers.links.allow_list import GattAllowList, sig_uuid
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, Reading, Sample
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec, RadioFaults
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.fix_ble import METER, PASSKEY, BleHome

BLE = [profile for profile in catalogue() if profile.firmware.transport == "ble"]
METERS = [profile for profile in BLE if profile.device.kind == "glucose"]
CUFFS = [profile for profile in BLE if profile.device.kind == "blood_pressure"]
CONTROL_POINT = sig_uuid(0x2A52)

GLUCOSE = (
    BleRecordSpec(age_s=7200, value="98", meal=1),
    BleRecordSpec(age_s=3600, value="HI"),
    BleRecordSpec(age_s=1800, value="120", control_solution=True),
    BleRecordSpec(age_s=600, value="LO"),
    BleRecordSpec(age_s=60, value="154", flags=("device_battery_low",)),
)
PRESSURE = (
    BleRecordSpec(age_s=7200, systolic=124, diastolic=78, mean=93, pulse=68, user=1),
    BleRecordSpec(age_s=3600, systolic=181, diastolic=112, mean=135, pulse=91, flags=("irregular_pulse",)),
    BleRecordSpec(age_s=600, systolic=0, diastolic=0, mean=0, pulse=0, flags=("failed_measurement",)),
    BleRecordSpec(age_s=60, systolic=131, diastolic=84, mean=100, pulse=74, flags=("body_movement",), user=2),
)


def ids(profiles: list[Profile]) -> list[str]:
    return [profile.id for profile in profiles]


def spec(profile: Profile, faults: RadioFaults = RadioFaults()) -> BleDeviceSpec:  # noqa: B008 - frozen
    return BleDeviceSpec(
        profile=profile.id,
        address=METER,
        serial_number="SIM0042",
        passkey=PASSKEY,
        records=GLUCOSE if profile.device.kind == "glucose" else PRESSURE,
        faults=faults,
    )


def figures(reading: Reading) -> dict[Mdc, str]:
    return {component.code: str(component.quantity) for component in reading.components}


@pytest.mark.parametrize("profile", METERS, ids=ids(METERS))
async def test_a_meter_gives_its_memory_back_whole(ble_home: BleHome, profile: Profile) -> None:
    device = await ble_home.meter(spec(profile))
    visited = await ble_home.visit(device)
    readings = sorted(visited.readings, key=lambda reading: reading.reported_time.text)
    assert visited.complete is not None
    assert visited.complete.holds == len(GLUCOSE)
    values = profile.firmware.values
    low = f"LO (< {values.low} mg/dL)" if values.low else "LO (mg/dL)"
    high = f"HI (> {values.high} mg/dL)" if values.high else "HI (mg/dL)"
    assert [str(r.components[0].quantity) for r in readings] == ["98 mg/dL", high, "120 mg/dL", low, "154 mg/dL"]
    assert [r.sample for r in readings].count(Sample.CONTROL_SOLUTION) == 1
    assert readings[2].sample is Sample.CONTROL_SOLUTION
    assert readings[4].annotations == ("device_battery_low",)
    assert readings[0].context["meal"] == "preprandial"
    assert (visited.opened and visited.opened.coincident is not None) == profile.firmware.clock.readable
    assert {r.profile for r in readings} == {profile.id}


@pytest.mark.parametrize("profile", METERS, ids=ids(METERS))
async def test_a_meter_that_was_read_gives_only_what_is_new(ble_home: BleHome, profile: Profile) -> None:
    device = await ble_home.meter(spec(profile))
    first = await ble_home.visit(device)
    assert first.complete is not None
    nothing = await ble_home.visit(device, first.complete.cursor)
    assert nothing.readings == []
    assert nothing.complete is not None
    device.measure(BleRecordSpec(value="201"))
    after = await ble_home.visit(device, nothing.complete.cursor)
    known = {reading.reading_id for reading in first.readings}
    assert [v for v, r in zip(after.values, after.readings, strict=True) if r.reading_id not in known] == ["201 mg/dL"]


@pytest.mark.parametrize("profile", METERS, ids=ids(METERS))
async def test_a_record_that_got_lost_on_the_way_is_fetched_in_the_same_visit(
    ble_home: BleHome, profile: Profile
) -> None:
    device = await ble_home.meter(spec(profile, RadioFaults(omit=3)))
    visited = await ble_home.visit(device)
    assert len(visited.readings) == len(GLUCOSE)
    assert len({reading.reading_id for reading in visited.readings}) == len(GLUCOSE)
    assert visited.complete is not None


@pytest.mark.parametrize("profile", METERS, ids=ids(METERS))
def test_a_meters_profile_lists_whatever_the_driver_asks(profile: Profile) -> None:
    guard = GattAllowList(profile.firmware.commands, profile.id)
    for request in (*requests_for_missing({3, 5}, None), *requests_for_missing({7}, 3), *requests_for_missing({9}, 9)):
        guard.check(CONTROL_POINT, encode_request(request))
    guard.check(CONTROL_POINT, encode_request(report(Operator.GREATER_THAN_OR_EQUAL_TO, 0)))
    assert {quirk.name for quirk in profile.firmware.quirks} <= GLUCOSE_QUIRKS


@pytest.mark.parametrize("profile", BLE, ids=ids(BLE))
@pytest.mark.parametrize("command", ["0201", "020301 0000", "0206", "c0030100e2070b1d162d3b"])
def test_no_profile_lets_anything_be_deleted_or_set(profile: Profile, command: str) -> None:
    guard = GattAllowList(profile.firmware.commands, profile.id)
    for characteristic in (CONTROL_POINT, sig_uuid(0xFFF1), sig_uuid(0x2A08), sig_uuid(0x2A2B)):
        with pytest.raises(ForbiddenCommand):
            guard.check(characteristic, bytes.fromhex(command))


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("profile", CUFFS, ids=ids(CUFFS))
async def test_a_cuff_gives_its_memory_back_whole(ble_home: BleHome, profile: Profile, newest_first: bool) -> None:
    device = await ble_home.cuff(msgspec.structs.replace(spec(profile), newest_first=newest_first))
    visited = await ble_home.visit(device)
    readings = sorted(visited.readings, key=lambda reading: reading.reported_time.text)
    assert visited.complete is not None
    systolic = [figures(reading)[Mdc.PRESS_BLD_NONINV_SYS] for reading in readings]
    assert systolic == ["124 mm[Hg]", "181 mm[Hg]", "not a number (mm[Hg])", "131 mm[Hg]"]
    assert [figures(reading)[Mdc.PULS_RATE_NON_INV] for reading in readings][:2] == ["68 /min", "91 /min"]
    assert [reading.annotations for reading in readings] == [
        (), ("irregular_pulse",), ("failed_measurement",), ("body_movement",),
    ]  # fmt: skip
    assert [reading.user_index for reading in readings] == [1, 1, 1, 2]
    assert {reading.kind for reading in readings} == {Kind.BLOOD_PRESSURE}


@pytest.mark.parametrize("profile", CUFFS, ids=ids(CUFFS))
async def test_a_cuff_that_is_read_twice_gives_the_same_readings(ble_home: BleHome, profile: Profile) -> None:
    device = await ble_home.cuff(spec(profile))
    first = await ble_home.visit(device)
    again = await ble_home.visit(device)
    known = Counter(reading.reading_id for reading in first.readings)
    assert Counter(reading.reading_id for reading in again.readings) == known
    assert first.readings[0].components[0].quantity.value == Decimal(124)


@pytest.mark.parametrize("profile", CUFFS, ids=ids(CUFFS))
async def test_a_cuff_that_drops_the_link_gives_whole_readings(ble_home: BleHome, profile: Profile) -> None:
    device = await ble_home.cuff(spec(profile, RadioFaults(drop_after=2)))
    visited = await ble_home.visit(device)
    assert len(visited.readings) <= 2
    assert len((await ble_home.visit(device)).readings) == len(PRESSURE)


@pytest.mark.parametrize(("percent", "warnings"), [(None, 0), (100, 0), (21, 0), (20, 1), (0, 1), (255, 0)])
@pytest.mark.parametrize("profile_id", ["roche-accu-chek-guide", "and-ua-651ble"])
async def test_a_battery_that_is_nearly_empty_is_a_warning(
    ble_home: BleHome, profile_id: str, percent: int | None, warnings: int
) -> None:
    profile = catalogue().get(profile_id)
    described = msgspec.structs.replace(spec(profile), battery_percent=percent)
    visited = await ble_home.visit(await ble_home.meter(described))
    assert visited.complete is not None
    assert len(visited.complete.warnings) == warnings
