from datetime import timedelta
from decimal import Decimal

import pytest

from device_drivers.drivers.conversation import Complete
from device_drivers.errors import ChecksumError, DeviceError, LinkLost, LinkTimeout
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity, QuantityState, Sample
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

METER = "lifescan-onetouch-ultramini"
RECORDS = tuple(
    RecordSpec(age_s=60 + 3600 * age, value=value) for age, value in enumerate(["112", "HI", "LO", "196", "80"])
)
TEXTS = ["112 mg/dL", "HI (> 600 mg/dL)", "LO (< 20 mg/dL)", "196 mg/dL", "80 mg/dL"]


def a_meter(faults: Faults | None = None, records: tuple[RecordSpec, ...] = RECORDS, skew_s: float = 0) -> DeviceSpec:
    """A meter with a memory."""
    return DeviceSpec(
        profile=METER, name="meter", serial_number="CGWA1E5CR", clock_skew_s=skew_s, records=records,
        faults=faults or Faults(),
    )  # fmt: skip


async def visit_on_a_pty(faults: Faults | None = None) -> Visit:
    """One visit to a fresh meter, with the line's faults."""
    profile = impatient(METER)
    async with on_a_pty(a_meter(faults), profile) as (_, link):
        return await visit(link, profile)


def values(found: Visit) -> list[str]:
    """What was measured, as text, without repetitions, newest first."""
    return list(dict.fromkeys(str(reading.components[0].quantity) for reading in found.readings))


async def test_the_memory_comes_out_as_it_was_put_in() -> None:
    found = await visit_on_a_pty()
    assert found.error is None
    assert values(found) == TEXTS
    assert [reading.reported_time.local for reading in found.readings] == [
        NOW.replace(tzinfo=None) - timedelta(seconds=record.age_s) for record in RECORDS
    ]
    assert {(reading.kind, reading.sample, reading.profile) for reading in found.readings} == {
        (Kind.GLUCOSE, Sample.PATIENT, METER)
    }


async def test_the_meter_says_who_it_is_and_what_time_it_thinks_it_is() -> None:
    profile = impatient(METER)
    _, link = in_memory(a_meter(skew_s=7200), profile)
    found = await visit(link, profile)
    assert found.opened is not None
    assert found.opened.identity.device_id == "lifescan:sn:CGWA1E5CR"
    assert found.opened.identity.firmware == "P02.00.00"
    assert found.opened.holds == 5
    assert found.opened.coincident is not None
    assert found.opened.coincident.offset == timedelta(hours=-2)


async def test_hi_and_lo_are_states_with_the_profiles_bounds_and_never_numbers() -> None:
    found = await visit_on_a_pty()
    assert [reading.components[0].quantity for reading in found.readings[1:3]] == [
        Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, Decimal(600)),
        Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE, Decimal(20)),
    ]


async def test_an_empty_memory_is_complete() -> None:
    profile = impatient(METER)
    _, link = in_memory(a_meter(records=()), profile)
    assert (await visit(link, profile)).complete == Complete(cursor={}, holds=0)


async def test_the_next_visit_reads_only_what_is_new() -> None:
    profile = impatient(METER)
    line, link = in_memory(a_meter(), profile)
    first = await visit(link, profile)
    assert first.complete is not None
    line.device.measure(RecordSpec(value="141"))
    second = await visit(link, profile, first.complete.cursor)
    assert values(second) == ["141 mg/dL"]
    assert second.complete is not None
    assert second.complete.holds == 6
    third = await visit(link, profile, second.complete.cursor)
    assert (third.readings, third.complete) == ([], second.complete)


async def test_a_full_ring_that_has_overwritten_the_cursor_is_reported() -> None:
    profile = impatient(METER)
    _, link = in_memory(a_meter(), profile)
    found = await visit(link, profile, {"newest": "0" * 32, "equal": 1})
    assert found.complete is not None
    assert "overwritten" in found.complete.warnings[0]
    assert values(found) == TEXTS


SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "noise stands in the line": Faults(noise="ff02ff0210"),
    "the answer to the disconnect is damaged": Faults(corrupt_frames=(1,)),
    "an acknowledgement is damaged": Faults(corrupt_frames=(8,)),
    "an acknowledgement is lost": Faults(drop_frames=(8,)),
    "a record is damaged": Faults(corrupt_frames=(15,)),
    "a record is damaged twice": Faults(corrupt_frames=(15, 18)),
    "a record is lost": Faults(drop_frames=(15,)),
    "a record comes twice": Faults(repeat_frames=(15,)),
    "everything comes twice": Faults(repeat_frames=tuple(range(1, 60))),
    "a measurement is made during the dump": Faults(measure_after_frame=15, measured=RecordSpec(value="141")),
    "a measurement is made between count and first record": Faults(
        measure_after_frame=11, measured=RecordSpec(value="141")
    ),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visit_on_a_pty(SURVIVED[fault])
    assert found.error is None
    assert found.complete is not None
    expected = [*TEXTS, "141 mg/dL"] if SURVIVED[fault].measure_after_frame else TEXTS
    assert sorted(values(found)) == sorted(expected)
    assert {reading.occurrence for reading in found.readings} == {0}
    assert len({reading.reading_id for reading in found.readings}) == found.complete.holds


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(corrupt_frames=tuple(range(15, 999))), ChecksumError),
        (Faults(drop_frames=tuple(range(15, 999))), LinkTimeout),
        (Faults(drop_frames=tuple(range(1, 999))), LinkTimeout),
    ],
    ids=["always damaged", "goes silent", "never answers"],
)
async def test_a_line_that_stays_bad_ends_the_visit_without_complete(faults: Faults, error: type[DeviceError]) -> None:
    found = await visit_on_a_pty(faults)
    assert isinstance(found.error, error)
    assert found.complete is None


@pytest.mark.parametrize("octets", [1, 3, 40, 97, 150, 170, 200])
async def test_a_cable_pulled_at_any_octet_leaves_whole_readings_and_no_complete(octets: int) -> None:
    found = await visit_on_a_pty(Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert found.complete is None
    assert values(found) == TEXTS[: len(found.readings)]


async def test_after_a_pulled_cable_the_next_visit_takes_up_where_the_meter_still_holds_data() -> None:
    profile = impatient(METER)
    line, link = in_memory(a_meter(Faults(unplug_after_octets=200)), profile)
    broken = await visit(link, profile)
    assert isinstance(broken.error, LinkLost)
    line.plug_in()
    whole = await visit(link, profile)
    assert values(whole) == TEXTS
    assert {r.reading_id for r in broken.readings} <= {r.reading_id for r in whole.readings}
