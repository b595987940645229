"""The same driver on meters, and on a meter and cuff in one."""

from datetime import timedelta

import pytest

from device_drivers.drivers.taidoc_51 import name_of
from device_drivers.errors import ForbiddenCommand, LinkLost, LinkTimeout
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, QuantityState, Reading, Sample
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

METERS = ["taidoc-td-4277", "taidoc-td-4235", "taidoc-td-4141", "taidoc-td-4283"]
HCT = "taidoc-td-4279"
BOTH = "taidoc-td-3261"
STRIPS = (
    RecordSpec(age_s=60, value="112"),
    RecordSpec(age_s=65, value="112"),
    RecordSpec(age_s=3600, value="85", flags=("preprandial",)),
    RecordSpec(age_s=7200, value="140", flags=("postprandial",)),
    RecordSpec(age_s=9000, value="HI"),
    RecordSpec(age_s=9100, value="LO"),
    RecordSpec(age_s=10800, value="93", flags=("control_solution",)),
)
TEXTS = ["112 mg/dL", "112 mg/dL", "85 mg/dL", "140 mg/dL", "HI (> 600 mg/dL)", "LO (< 20 mg/dL)", "93 mg/dL"]
MANY_STRIPS = (
    RecordSpec(age_s=60, value="112"),
    RecordSpec(age_s=70, value="42", analyte="haematocrit"),
    RecordSpec(age_s=3600, value="1.5", analyte="ketone"),
    RecordSpec(age_s=4000, value="HI", analyte="ketone"),
    RecordSpec(age_s=4100, value="0.6", analyte="ketone", flags=("control_solution",)),
    RecordSpec(age_s=5000, value="73", analyte="uric_acid"),
    RecordSpec(age_s=6000, value="41", analyte="haematocrit"),
)


def a_device(profile_id: str, records: tuple[RecordSpec, ...], faults: Faults | None = None) -> DeviceSpec:
    """A device with a memory."""
    return DeviceSpec(
        profile=profile_id, name="it", serial_number="4277000000001333", records=records, faults=faults or Faults()
    )


async def visit_on_a_pty(profile_id: str, records: tuple[RecordSpec, ...], faults: Faults | None = None) -> Visit:
    """One visit to a fresh device, with the line's faults."""
    profile = impatient(profile_id)
    async with on_a_pty(a_device(profile_id, records, faults), profile) as (_, link):
        return await visit(link, profile)


def texts(readings: list[Reading]) -> list[str]:
    """The figures as a person reads them."""
    return [str(component.quantity) for reading in readings for component in reading.components]


@pytest.mark.parametrize("profile_id", METERS)
async def test_the_memory_comes_out_as_it_was_put_in(profile_id: str) -> None:
    found = await visit_on_a_pty(profile_id, STRIPS)
    assert found.error is None
    assert texts(found.readings) == TEXTS
    assert {(reading.kind, reading.user_index) for reading in found.readings} == {(Kind.GLUCOSE, None)}
    assert [reading.reported_time.local for reading in found.readings] == [
        (NOW - timedelta(seconds=record.age_s)).replace(tzinfo=None, second=0) for record in STRIPS
    ]
    assert found.complete is not None
    assert (found.complete.holds, found.complete.warnings) == (7, ())


async def test_meals_are_context_and_control_solution_is_no_meal_but_a_sample() -> None:
    found = await visit_on_a_pty(METERS[0], STRIPS)
    assert [reading.context.get("meal") for reading in found.readings] == [
        None, None, "preprandial", "postprandial", None, None, None,
    ]  # fmt: skip
    assert [reading.sample for reading in found.readings] == [Sample.PATIENT] * 6 + [Sample.CONTROL_SOLUTION]
    assert found.readings[6].components[0].code is Mdc.CONC_GLU_CONTROL


async def test_ketones_are_a_kind_of_their_own_and_other_strips_are_left_out_with_a_word() -> None:
    found = await visit_on_a_pty(HCT, MANY_STRIPS)
    assert texts(found.readings) == ["112 mg/dL", "1.5 mmol/L", "HI (> 8.0 mmol/L)", "0.6 mmol/L"]
    assert [reading.kind for reading in found.readings] == [Kind.GLUCOSE, Kind.KETONE, Kind.KETONE, Kind.KETONE]
    assert found.readings[3].sample is Sample.CONTROL_SOLUTION
    assert all("not_read" not in reading.context for reading in found.readings)
    assert found.complete is not None
    assert found.complete.warnings == (
        "left out: 2 of haematocrit, which has no place in a reading",
        "left out: 1 of uric acid, which has no place in a reading",
    )


async def test_what_was_left_out_is_told_once() -> None:
    profile = impatient(HCT)
    line, link = in_memory(a_device(HCT, MANY_STRIPS), profile)
    first = await visit(link, profile)
    assert first.complete is not None
    line.device.measure(RecordSpec(value="40", analyte="haematocrit"))
    second = await visit(link, profile, first.complete.cursor)
    assert second.readings == []
    assert second.complete is not None
    assert second.complete.warnings == ("left out: 1 of haematocrit, which has no place in a reading",)


def test_a_type_that_nobody_knows_has_its_number_for_a_name() -> None:
    assert (name_of(6), name_of(5)) == ("haematocrit", "strip type 5")


@pytest.mark.parametrize("flags", [(), ("control_solution",)])
async def test_a_meter_and_cuff_in_one_gives_both_kinds(flags: tuple[str, ...]) -> None:
    records = (
        RecordSpec(age_s=60, systolic=128, diastolic=79, pulse=74),
        RecordSpec(age_s=90, value="112", flags=flags),
        RecordSpec(age_s=3600, systolic=270, diastolic=79, pulse=74, user=2),
    )
    found = await visit_on_a_pty(BOTH, records)
    assert found.error is None
    assert texts(found.readings) == [
        "128 mm[Hg]", "79 mm[Hg]", "74 /min", "112 mg/dL", "270 mm[Hg]", "79 mm[Hg]", "74 /min",
    ]  # fmt: skip
    assert [reading.user_index for reading in found.readings] == [1, 1, 2]


async def test_a_cuff_with_one_octet_of_systolic_gives_the_mean() -> None:
    found = await visit_on_a_pty("taidoc-td-3140", (RecordSpec(systolic=128, diastolic=79, mean=95, pulse=3),))
    assert texts(found.readings) == ["128 mm[Hg]", "79 mm[Hg]", "95 mm[Hg]", "3 /min"]


async def test_a_pulse_of_zero_is_a_failed_measurement_on_every_cuff() -> None:
    found = await visit_on_a_pty(BOTH, (RecordSpec(systolic=128, diastolic=79, pulse=0),))
    (reading,) = found.readings
    assert {component.quantity.state for component in reading.components} == {QuantityState.NOT_A_NUMBER}
    assert reading.annotations == ("failed_measurement",)


# Frames of a visit to a meter: 1 connect, 2 model, 3 and 4 serial number, 5 clock, 6 and 7 count; then per record
# time, value, time.
SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "the meter announces itself": Faults(announce_before_frames=(1, 2, 9)),
    "a value is damaged": Faults(corrupt_frames=(9,)),
    "a value is lost": Faults(drop_frames=(9,)),
    "a value comes twice": Faults(repeat_frames=(9,)),
    "a question is not heard": Faults(swallow_commands=(3,)),
    "a question comes back": Faults(echo_commands=(3,)),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visit_on_a_pty(METERS[0], STRIPS, SURVIVED[fault])
    assert found.error is None
    assert texts(found.readings) == TEXTS


@pytest.mark.parametrize("frame", range(6, 32))
async def test_a_measurement_at_any_moment_of_the_dump_never_mixes_two_records(frame: int) -> None:
    profile = impatient(METERS[0])
    faults = Faults(measure_after_frame=frame, measured=RecordSpec(value="141"))
    _, link = in_memory(a_device(METERS[0], STRIPS, faults), profile)
    found = await visit(link, profile)
    assert found.error is None
    calm = await visit_on_a_pty(METERS[0], (RecordSpec(value="141"), *STRIPS))
    assert {reading.reading_id for reading in found.readings} == {reading.reading_id for reading in calm.readings}


@pytest.mark.parametrize("octets", [1, 40, 63, 77, 100])
async def test_a_cable_pulled_at_any_octet_leaves_whole_readings_and_no_complete(octets: int) -> None:
    found = await visit_on_a_pty(METERS[0], STRIPS, Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert found.complete is None
    assert texts(found.readings) == TEXTS[: len(found.readings)]


@pytest.mark.parametrize("profile_id", [*METERS, HCT, BOTH, "taidoc-td-3140"])
@pytest.mark.parametrize("command", ["33", "43", "50", "52"])
async def test_nothing_that_changes_the_device_or_inflates_a_cuff_ever_leaves(profile_id: str, command: str) -> None:
    profile = impatient(profile_id)
    async with on_a_pty(a_device(profile_id, ()), profile) as (_, link):
        with pytest.raises(ForbiddenCommand):
            await link.write(bytes.fromhex(f"51{command}00000000a300"))
