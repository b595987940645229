"""Stories in simulated memories: the same for one seed, and each with the thing that it is named for."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, QuantityState, Reading, Sample
from device_drivers.simulators.line import line_to
from device_drivers.simulators.memories import with_memory
from device_drivers.simulators.memory_door import MemoryDoor
from device_drivers.simulators.radio_spec import BleDeviceSpec
from device_drivers.simulators.spec import DeviceSpec, Faults
from device_drivers.simulators.storylines import RESET_CLOCK, STORYLINES, storylines_of, tell
from device_drivers.timestamps import TimeQuality, effective_time
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.device_drivers.serial_visits import NOW, Visit, impatient, now, visit

LOCAL = datetime(2026, 3, 1, 13, 0, 30)  # noqa: DTZ001 - a home's wall clock
METER, CUFF, KETONES = "lifescan-onetouch-ultra2", "taidoc-td-3128", "abbott-precision-xtra"
SERIAL_NUMBERS = {METER: "QTZ0004CY", CUFF: "3128213440001333", KETONES: "SIMU001-A0001"}


async def told(name: str, profile_id: str) -> Visit:
    """The story as it is read from a simulated device, which lives an hour east of Greenwich."""
    profile = impatient(profile_id)
    spec = DeviceSpec(
        profile=profile_id,
        name="it",
        serial_number=SERIAL_NUMBERS[profile_id],
        clock_skew_s=3600,
        storyline=name,
    )
    found = await visit(MemoryDoor(line_to(profile, spec, now), profile), profile)
    assert found.error is None
    assert found.readings
    return found


def figures(readings: list[Reading], code: Mdc) -> list[Decimal]:
    """The numbers of one code."""
    found = [reading.quantity(code) for reading in readings]
    return [quantity.value for quantity in found if quantity is not None and quantity.value is not None]


@pytest.mark.parametrize("profile", list(catalogue()), ids=lambda profile: f"{profile.id} {profile.firmware.versions}")
def test_every_model_can_tell_a_quiet_week_and_a_lost_clock(profile: Profile) -> None:
    assert {"quiet_week", "lost_clock"} <= set(storylines_of(profile))


@pytest.mark.parametrize("name", STORYLINES)
def test_a_story_is_the_same_for_one_seed_and_another_for_another(name: str) -> None:
    profile = next(profile for profile in catalogue() if name in storylines_of(profile))
    assert tell(name, profile, LOCAL) == tell(name, profile, LOCAL)
    assert tell(name, profile, LOCAL, seed=1) != tell(name, profile, LOCAL)
    assert all(record.age_s >= 0 for record in tell(name, profile, LOCAL).records)


@pytest.mark.parametrize("hour", range(24))
def test_the_night_of_the_hypo_is_over_at_any_hour(hour: int) -> None:
    profile = catalogue().get(METER)
    story = tell("night-hypo", profile, LOCAL.replace(hour=hour))
    low = [record for record in story.records if int(record.value or 0) < 65]
    assert len(low) >= 3
    assert all(record.age_s < timedelta(hours=30).total_seconds() for record in low)


async def test_a_night_hypo_is_read_from_the_meter() -> None:
    assert min(figures((await told("night_hypo", METER)).readings, Mdc.CONC_GLU_CAPILLARY_PLASMA)) < 54


async def test_control_solution_is_marked_and_the_rest_is_the_patients() -> None:
    readings = (await told("control_solution", METER)).readings
    assert [reading.sample for reading in readings].count(Sample.CONTROL_SOLUTION) == 2


async def test_hi_and_lo_are_states() -> None:
    states = [reading.components[0].quantity.state for reading in (await told("hi_and_lo", METER)).readings]
    assert {QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE} <= set(states)


async def test_ketones_are_no_glucose() -> None:
    readings = (await told("ketones", KETONES)).readings
    ketones = [reading for reading in readings if reading.kind is Kind.KETONE]
    assert len(ketones) == 4
    assert {reading.components[0].quantity.unit for reading in ketones} == {Unit.MMOL_L}


async def test_mornings_surge() -> None:
    readings = (await told("morning_surge", CUFF)).readings
    assert max(figures(readings, Mdc.PRESS_BLD_NONINV_SYS)) > 160


async def test_an_irregular_pulse_is_annotated() -> None:
    assert "irregular_pulse" in {a for r in (await told("irregular_pulse", CUFF)).readings for a in r.annotations}


async def test_two_people_share_a_cuff() -> None:
    assert {reading.user_index for reading in (await told("two_users", CUFF)).readings} == {1, 2}


async def test_a_lost_clock_is_mapped_since_and_unbelievable_before() -> None:
    found = await told("lost_clock", METER)
    assert found.opened is not None
    assert found.opened.coincident is not None
    assert found.opened.coincident.device_time.year == RESET_CLOCK.year
    since = [r for r in found.readings if r.reported_time.local and r.reported_time.local.year == RESET_CLOCK.year]
    before = [r for r in found.readings if r not in since]
    assert since
    assert before
    mapped = [effective_time(reading.reported_time, found.opened.coincident, NOW) for reading in since]
    assert {each.quality for each in mapped} == {TimeQuality.MAPPED}
    assert all(each.time is not None and NOW - timedelta(days=2) <= each.time <= NOW for each in mapped)
    lost = [effective_time(reading.reported_time, found.opened.coincident, NOW).quality for reading in before]
    assert set(lost) == {TimeQuality.IMPLAUSIBLE}


def test_a_story_that_a_device_cannot_tell_is_refused_with_those_that_it_can() -> None:
    with pytest.raises(ValueError, match="cannot tell 'morning_surge'; it can tell quiet_week, night_hypo"):
        tell("morning_surge", catalogue().get(METER), LOCAL)
    with pytest.raises(ValueError, match="no storyline is called 'nonsense'; known: quiet_week"):
        tell("nonsense", catalogue().get(METER), LOCAL)


def test_a_bluetooth_meter_tells_the_same_stories() -> None:
    profile = catalogue().get("roche-accu-chek-guide")
    spec = BleDeviceSpec(
        profile=profile.id, address="F0:00:00:00:00:01", serial_number="1", storyline="control_solution"
    )
    records = with_memory(spec, profile, NOW).records
    assert [record.control_solution for record in records].count(True) == 2
    assert all(record.flags == () for record in records)


def test_mmol_is_told_in_mmol() -> None:
    profile = catalogue().get(METER)
    values = msgspec.structs.replace(profile.firmware.values, unit="mmol/L")
    profile = msgspec.structs.replace(profile, firmware=msgspec.structs.replace(profile.firmware, values=values))
    assert all(Decimal(record.value or 0) < 10 for record in tell("quiet_week", profile, LOCAL).records)


async def test_a_full_ring_overwrites_its_oldest_record_with_each_measurement() -> None:
    profile = impatient(METER)
    spec = DeviceSpec(
        profile=METER, name="it", serial_number="QTZ0004CY", storyline="quiet_week", faults=Faults(full_memory=True)
    )
    line = line_to(profile, spec, now)
    first = await visit(MemoryDoor(line, profile), profile)
    assert len(first.readings) == profile.device.memory
    line.device.measure(with_memory(spec, profile, NOW).records[0])
    second = await visit(MemoryDoor(line, profile), profile)
    assert len(second.readings) == profile.device.memory
    oldest = {reading.reading_id for reading in first.readings} - {reading.reading_id for reading in second.readings}
    assert len(oldest) == 1
