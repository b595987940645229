from datetime import timedelta

import msgspec
import pytest

from device_drivers.codecs import taidoc_51 as wire
from device_drivers.drivers.conversation import Complete
from device_drivers.drivers.taidoc_51 import TaiDoc
from device_drivers.errors import ChecksumError, DeviceError, LinkLost, LinkTimeout, ProtocolError
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, QuantityState, Reading
from device_drivers.simulators.memory_door import MemoryDoor
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

CUFF = "taidoc-td-3128"
RECORDS = (
    RecordSpec(age_s=60, systolic=128, diastolic=79, mean=95, pulse=74),
    RecordSpec(age_s=3600, systolic=181, diastolic=111, pulse=92, flags=("irregular_pulse", "atrial_fibrillation")),
    RecordSpec(age_s=3610, systolic=181, diastolic=111, pulse=92),
    RecordSpec(age_s=7200, flags=("failed_measurement",), pulse=2),
    RecordSpec(age_s=9000, systolic=121, diastolic=77, pulse=66, flags=("averaged",), user=2),
)
FIGURES = [(128, 79, 95, 74), (181, 111, 134, 92), (181, 111, 134, 92), (None, None, None, None), (121, 77, 91, 66)]


def a_cuff(faults: Faults | None = None, records: tuple[RecordSpec, ...] = RECORDS) -> DeviceSpec:
    """A cuff with a memory."""
    return DeviceSpec(
        profile=CUFF, name="cuff", serial_number="3128213440001333", records=records, faults=faults or Faults()
    )


async def visit_on_a_pty(faults: Faults | None = None) -> Visit:
    """One visit to a fresh cuff, with the line's faults."""
    profile = impatient(CUFF)
    async with on_a_pty(a_cuff(faults), profile) as (_, link):
        return await visit(link, profile)


def figures(reading: Reading) -> tuple[int | None, ...]:
    """Systolic, diastolic, mean, pulse."""
    codes = (Mdc.PRESS_BLD_NONINV_SYS, Mdc.PRESS_BLD_NONINV_DIA, Mdc.PRESS_BLD_NONINV_MEAN, Mdc.PULS_RATE_NON_INV)
    quantities = [reading.quantity(code) for code in codes]
    return tuple(None if quantity is None or quantity.value is None else int(quantity.value) for quantity in quantities)


async def test_the_memory_comes_out_as_it_was_put_in() -> None:
    found = await visit_on_a_pty()
    assert found.error is None
    assert [figures(reading) for reading in found.readings] == FIGURES
    assert [reading.user_index for reading in found.readings] == [1, 1, 1, 1, 2]
    assert {reading.kind for reading in found.readings} == {Kind.BLOOD_PRESSURE}
    assert [reading.reported_time.local for reading in found.readings] == [
        (NOW - timedelta(seconds=record.age_s)).replace(tzinfo=None, second=0) for record in RECORDS
    ]


async def test_the_cuff_says_who_it_is_and_what_time_it_thinks_it_is() -> None:
    profile = impatient(CUFF)
    _, link = in_memory(a_cuff(), profile)
    found = await visit(link, profile)
    assert found.opened is not None
    assert found.opened.identity.device_id == "taidoc:sn:3128213440001333"
    assert (found.opened.identity.model, found.opened.holds) == ("TD-3128", 5)
    assert found.opened.coincident is not None
    assert found.opened.coincident.offset == timedelta(seconds=30)


async def test_the_cuffs_flags_become_annotations() -> None:
    found = await visit_on_a_pty()
    assert [reading.annotations for reading in found.readings] == [
        (), ("irregular_pulse", "atrial_fibrillation"), (), ("failed_measurement",), ("averaged",),
    ]  # fmt: skip


async def test_a_failed_measurement_is_kept_and_none_of_its_figures_is_a_number() -> None:
    failed = (await visit_on_a_pty()).readings[3]
    assert {component.quantity.state for component in failed.components} == {QuantityState.NOT_A_NUMBER}
    assert failed.raw[4:] == bytes([0, 0, 0, 2])


async def test_equal_readings_of_one_minute_are_told_apart_the_same_way_on_every_visit() -> None:
    first, second = await visit_on_a_pty(), await visit_on_a_pty()
    assert [reading.occurrence for reading in first.readings] == [0, 1, 0, 0, 0]
    assert [r.reading_id for r in first.readings] == [r.reading_id for r in second.readings]
    assert len({reading.reading_id for reading in first.readings}) == 5


async def test_the_next_visit_reads_only_what_is_new_of_each_user() -> None:
    profile = impatient(CUFF)
    line, link = in_memory(a_cuff(), profile)
    first = await visit(link, profile)
    assert first.complete is not None
    line.device.measure(RecordSpec(systolic=140, diastolic=90, pulse=80, user=2))
    second = await visit(link, profile, first.complete.cursor)
    assert [(reading.user_index, figures(reading)[0]) for reading in second.readings] == [(2, 140)]
    assert second.complete is not None
    third = await visit(link, profile, second.complete.cursor)
    assert (third.readings, third.complete) == ([], second.complete)


async def test_an_empty_memory_is_complete() -> None:
    profile = impatient(CUFF)
    _, link = in_memory(a_cuff(records=()), profile)
    assert (await visit(link, profile)).complete == Complete(cursor={}, holds=0)


async def test_a_systolic_of_16_bits_is_read_where_the_profile_has_no_mean() -> None:
    profile = impatient(CUFF)
    profile = msgspec.structs.replace(profile, firmware=msgspec.structs.replace(profile.firmware, quirks=()))
    _, link = in_memory(a_cuff(records=(RecordSpec(systolic=270, diastolic=130, pulse=3),)), profile)
    (reading,) = (await visit(link, profile)).readings
    assert figures(reading) == (270, 130, None, 3)


async def test_another_model_on_the_line_is_refused_before_anything_is_read() -> None:
    profile = impatient(CUFF)
    other = msgspec.structs.replace(profile, device=msgspec.structs.replace(profile.device, model="TD-4183"))
    line, _ = in_memory(a_cuff(), other)
    found = await visit(MemoryDoor(line, profile), profile)
    assert isinstance(found.error, ProtocolError)
    assert "TD-4183" in str(found.error)
    assert found.opened is None


SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "noise stands in the line": Faults(noise="00510051a5"),
    "it announces itself before an answer": Faults(announce_before_frames=(1, 4, 11, 12, 13)),
    "it announces itself instead of an answer": Faults(announce_before_frames=(11,), drop_frames=(11,)),
    "a value is damaged": Faults(corrupt_frames=(12,)),
    "a value is damaged twice": Faults(corrupt_frames=(12, 13)),
    "a value is lost": Faults(drop_frames=(12,)),
    "everything comes twice": Faults(repeat_frames=tuple(range(1, 80))),
    "a measurement is made during the dump": Faults(
        measure_after_frame=14, measured=RecordSpec(systolic=140, diastolic=90, pulse=80)
    ),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visit_on_a_pty(SURVIVED[fault])
    assert found.error is None
    assert found.complete is not None
    expected = {reading.reading_id for reading in (await visit_on_a_pty()).readings}
    identities = {reading.reading_id for reading in found.readings}
    assert identities >= expected
    assert len(identities) == found.complete.holds


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(corrupt_frames=tuple(range(12, 999))), ChecksumError),
        (Faults(drop_frames=tuple(range(12, 999))), LinkTimeout),
        (Faults(drop_frames=tuple(range(1, 999))), LinkTimeout),
    ],
    ids=["always damaged", "goes silent", "never answers"],
)
async def test_a_line_that_stays_bad_ends_the_visit_without_complete(faults: Faults, error: type[DeviceError]) -> None:
    found = await visit_on_a_pty(faults)
    assert isinstance(found.error, error)
    assert found.complete is None


@pytest.mark.parametrize("octets", [1, 11, 84, 93, 110, 130])
async def test_a_cable_pulled_at_any_octet_leaves_whole_readings_and_no_complete(octets: int) -> None:
    found = await visit_on_a_pty(Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert found.complete is None
    assert [figures(reading) for reading in found.readings] == FIGURES[: len(found.readings)]


class ScriptedLink:
    """A line on which things arrive in a given order, whatever is sent; None is a silence."""

    def __init__(self, *arriving: bytes | None) -> None:
        self._arriving = list(arriving)

    @property
    def address(self) -> str:
        """Nowhere."""
        return "nowhere"

    async def write(self, data: bytes) -> None:
        """Goes nowhere."""

    async def read(self, size: int, timeout_s: float) -> bytes:
        """The next thing of the script."""
        if (data := self._arriving.pop(0)) is None:
            raise LinkTimeout(f"nothing within {timeout_s} s")
        return data[:size]

    async def drain_input(self) -> None:
        """What the script still holds has not arrived yet."""


async def test_an_answer_that_comes_late_is_not_taken_for_the_next_one() -> None:
    first, second = (
        wire.encode_frame(wire.Frame(wire.Command.COUNT, wire.encode_count(count), wire.Direction.DEVICE))
        for count in (1, 2)
    )
    cuff = TaiDoc(ScriptedLink(None, first, first, None, second), impatient(CUFF))
    assert wire.decode_count(await cuff.ask(wire.Command.COUNT, wire.select_user(1))) == 1
    assert wire.decode_count(await cuff.ask(wire.Command.COUNT, wire.select_user(2))) == 2
