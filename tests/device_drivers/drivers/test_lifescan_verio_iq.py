"""The Verio IQ is a profile of the UltraMini's driver: what its quirks change."""

from datetime import timedelta

import pytest

from device_drivers.errors import ChecksumError, CodecError, DeviceError, LinkLost, LinkTimeout
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Sample
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

METER = "lifescan-onetouch-verio-iq"
RECORDS = (
    RecordSpec(age_s=60, value="112", flags=("preprandial",)),
    RecordSpec(age_s=3660, value="HI"),
    RecordSpec(age_s=7260, value="103", flags=("control_solution",)),
    RecordSpec(age_s=10860, value="LO"),
    RecordSpec(age_s=14460, value="601"),
)
TEXTS = ["112 mg/dL", "HI (> 600 mg/dL)", "103 mg/dL", "LO (< 20 mg/dL)", "HI (> 600 mg/dL)"]


def a_meter(faults: Faults | None = None) -> DeviceSpec:
    """A meter with a memory."""
    return DeviceSpec(
        profile=METER, name="meter", serial_number="VIQ00012", firmware="VEI_02.03", records=RECORDS,
        faults=faults or Faults(),
    )  # fmt: skip


async def visit_on_a_pty(faults: Faults | None = None) -> Visit:
    """One visit to a fresh meter, with the line's faults."""
    profile = impatient(METER)
    async with on_a_pty(a_meter(faults), profile) as (_, link):
        return await visit(link, profile)


def values(found: Visit) -> list[str]:
    """What was measured, as text, without repetitions, newest first."""
    return [str(reading.components[0].quantity) for reading in found.readings]


async def test_the_memory_comes_out_as_it_was_put_in_and_times_count_from_2000() -> None:
    found = await visit_on_a_pty()
    assert found.error is None
    assert values(found) == TEXTS
    assert [reading.reported_time.local for reading in found.readings] == [
        NOW.replace(tzinfo=None) - timedelta(seconds=record.age_s) for record in RECORDS
    ]
    assert found.opened is not None
    assert found.opened.identity.device_id == "lifescan:sn:VIQ00012"
    assert found.opened.identity.firmware == "VEI_02.03"


async def test_control_solution_and_meal_are_marked() -> None:
    readings = (await visit_on_a_pty()).readings
    assert [reading.sample is Sample.CONTROL_SOLUTION for reading in readings] == [False, False, True, False, False]
    assert readings[2].components[0].code is Mdc.CONC_GLU_CONTROL
    assert [reading.context for reading in readings] == [{"meal": "preprandial"}, {}, {}, {}, {}]


async def test_not_one_frame_belongs_to_a_link_layer() -> None:
    profile, crossed = impatient(METER), list[tuple[str, bytes]]()
    async with on_a_pty(a_meter(), profile, lambda way, _, octets: crossed.append((way, octets))) as (_, link):
        await visit(link, profile)
    sent = [octets for way, octets in crossed if way == "out"]
    assert {octets[2] for octets in sent} == {0}
    # Version, serial number, clock; the count three times, five records, and the head once more.
    assert len(sent) == 3 + 3 + 5 + 2


async def test_the_next_visit_reads_only_what_is_new() -> None:
    profile = impatient(METER)
    line, link = in_memory(a_meter(), profile)
    first = await visit(link, profile)
    assert first.complete is not None
    line.device.measure(RecordSpec(value="141"))
    second = await visit(link, profile, first.complete.cursor)
    assert values(second) == ["141 mg/dL"]


# The answers to version, serial number, clock and count are frames 1 to 4 and 5 (the walk counts again); then records.
SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "noise stands in the line": Faults(noise="ff02ff0210"),
    "a record is damaged": Faults(corrupt_frames=(7,)),
    "a record is lost": Faults(drop_frames=(7,)),
    "everything comes twice": Faults(repeat_frames=tuple(range(1, 60))),
    "the count is lost": Faults(drop_frames=(4,)),
    "a measurement is made during the dump": Faults(measure_after_frame=7, measured=RecordSpec(value="141")),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visit_on_a_pty(SURVIVED[fault])
    assert found.error is None
    assert found.complete is not None
    expected = {*TEXTS, "141 mg/dL"} if SURVIVED[fault].measure_after_frame else set(TEXTS)
    assert set(values(found)) == expected
    assert len({reading.reading_id for reading in found.readings}) == found.complete.holds


@pytest.mark.parametrize(
    ("faults", "errors"),
    [
        (Faults(corrupt_frames=tuple(range(7, 999))), (ChecksumError, CodecError)),
        (Faults(drop_frames=tuple(range(7, 999))), (LinkTimeout,)),
        (Faults(drop_frames=tuple(range(1, 999))), (LinkTimeout,)),
        (Faults(unplug_after_octets=100), (LinkLost, LinkTimeout)),
    ],
    ids=["always damaged", "goes silent", "never answers", "unplugged"],
)
async def test_a_line_that_stays_bad_ends_the_visit_without_complete(
    faults: Faults, errors: tuple[type[DeviceError], ...]
) -> None:
    found = await visit_on_a_pty(faults)
    assert isinstance(found.error, errors)
    assert found.complete is None
