import asyncio
from datetime import timedelta

import pytest

from device_drivers.codecs import maibobo_rbp as wire
from device_drivers.codecs.maibobo_rbp import Frame, SubType
from device_drivers.drivers.conversation import Complete
from device_drivers.errors import ChecksumError, CodecError, ForbiddenCommand, LinkLost, LinkTimeout
from device_drivers.nomenclature import Mdc
from device_drivers.readings import QuantityState, Reading
from device_drivers.simulators.line import Line
from device_drivers.simulators.maibobo import SimulatedMaibobo
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from device_drivers.timestamps import TimeQuality, effective_time
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

CUFFS = ["maibobo-rbp-9000c", "maibobo-rbp-9000c-9600"]
FIRST = RecordSpec(systolic=128, diastolic=79, pulse=74)
SECOND = RecordSpec(systolic=270, diastolic=130, pulse=101, user=2)
UNSET = RecordSpec(systolic=121, diastolic=80, pulse=66, flags=("clock_not_set",))
LOOSE = RecordSpec(flags=("failed_measurement", "no_pulse_signal"))


def a_cuff(
    *records: RecordSpec, faults: Faults | None = None, firmware: str | None = None, skew_s: float = 0
) -> DeviceSpec:
    """A cuff on which somebody measures as soon as it is connected."""
    return DeviceSpec(
        profile=CUFFS[0], name="cuff", serial_number="-", records=records, faults=faults or Faults(),
        firmware=firmware, clock_skew_s=skew_s,
    )  # fmt: skip


async def visit_on_a_pty(*records: RecordSpec, faults: Faults | None = None, profile_id: str = CUFFS[0]) -> Visit:
    """One visit to a fresh cuff, with the line's faults."""
    profile = impatient(profile_id)
    async with on_a_pty(a_cuff(*records, faults=faults), profile) as (_, link):
        return await visit(link, profile)


def of(line: Line) -> SimulatedMaibobo:
    """The cuff at the end of a line."""
    assert isinstance(line.device, SimulatedMaibobo)
    return line.device


def figures(reading: Reading) -> tuple[str, ...]:
    """Systolic, diastolic, pulse."""
    codes = (Mdc.PRESS_BLD_NONINV_SYS, Mdc.PRESS_BLD_NONINV_DIA, Mdc.PULS_RATE_NON_INV)
    return tuple(str(reading.quantity(code)) for code in codes)


@pytest.mark.parametrize("profile_id", CUFFS)
async def test_what_is_measured_comes_out(profile_id: str) -> None:
    found = await visit_on_a_pty(FIRST, SECOND, profile_id=profile_id)
    assert found.error is None
    assert [figures(reading) for reading in found.readings] == [
        ("128 mm[Hg]", "79 mm[Hg]", "74 /min"),
        ("270 mm[Hg]", "130 mm[Hg]", "101 /min"),
    ]
    assert [reading.user_index for reading in found.readings] == [1, 2]
    assert found.complete == Complete(cursor={"untimed": 0})


async def test_version_2_is_understood_as_well() -> None:
    profile = impatient(CUFFS[0])
    _, link = in_memory(a_cuff(FIRST, firmware="2"), profile)
    found = await visit(link, profile)
    assert [figures(reading)[0] for reading in found.readings] == ["128 mm[Hg]"]


async def test_the_first_result_tells_the_cuffs_clock() -> None:
    profile = impatient(CUFFS[0])
    _, link = in_memory(a_cuff(FIRST, skew_s=7200), profile)
    found = await visit(link, profile)
    assert found.opened is not None
    (reading,) = found.readings
    assert reading.reported_time.text == "2026-03-01T14:00:30"
    mapped = effective_time(reading.reported_time, found.opened.coincident, NOW)
    assert (mapped.time, mapped.quality) == (NOW, TimeQuality.SYNCHRONISED)


async def test_a_clock_that_was_never_set_gives_no_time_and_equal_readings_stay_apart_for_ever() -> None:
    profile = impatient(CUFFS[0])
    line, link = in_memory(a_cuff(UNSET, UNSET), profile)
    first = await visit(link, profile)
    assert first.complete is not None
    line.measure(UNSET)
    second = await visit(link, profile, first.complete.cursor)
    readings = [*first.readings, *second.readings]
    assert [(r.reported_time.text, r.reported_time.local) for r in readings] == [("2014-01-01T01:01:01", None)] * 3
    assert len({reading.reading_id for reading in readings}) == 3
    assert first.opened is not None
    assert first.opened.coincident is None


@pytest.mark.parametrize("flag", sorted(wire.ERRORS.values()))
async def test_a_failed_measurement_is_kept_with_its_reason_and_none_of_its_figures_is_a_number(flag: str) -> None:
    profile = impatient(CUFFS[0])
    _, link = in_memory(a_cuff(RecordSpec(flags=("failed_measurement", flag))), profile)
    (reading,) = (await visit(link, profile)).readings
    assert {component.quantity.state for component in reading.components} == {QuantityState.NOT_A_NUMBER}
    assert reading.annotations == ("failed_measurement", flag)
    assert reading.reported_time.local is None


async def test_an_error_that_nobody_knows_keeps_its_number() -> None:
    profile = impatient(CUFFS[0])
    line, link = in_memory(a_cuff(), profile)
    line.push(wire.encode(wire.Failure(77)))
    (reading,) = (await visit(link, profile)).readings
    assert reading.annotations == ("failed_measurement", "error_77")


async def test_a_measurement_in_the_middle_of_a_visit_is_heard_at_once() -> None:
    profile, connected = impatient(CUFFS[0]), asyncio.Event()
    async with on_a_pty(a_cuff(), profile, lambda *_: connected.set()) as (line, link):
        visiting = asyncio.create_task(visit(link, profile))
        await connected.wait()
        line.measure(FIRST)
        found = await visiting
    assert [figures(reading)[0] for reading in found.readings] == ["128 mm[Hg]"]


async def test_a_quiet_visit_is_complete_and_knows_the_cuff_by_its_port() -> None:
    found = await visit_on_a_pty()
    assert found.opened is not None
    assert found.opened.identity.device_id.startswith("maibobo:addr:")
    assert (found.opened.coincident, found.complete) == (None, Complete(cursor={"untimed": 0}))


# Frames of a visit to FIRST and LOOSE: 1 connected, 2 to 7 pressures, 8 the result, 9 to 14 pressures, 15 the failure.
SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "noise stands in the line": Faults(noise="aa8003aa80"),
    "a pressure is lost": Faults(drop_frames=(4,)),
    "everything comes twice": Faults(repeat_frames=tuple(range(1, 16))),
    "the connect is not heard": Faults(swallow_commands=(1, 2)),
    "the connect comes back": Faults(echo_commands=(1,)),
    "somebody presses a button": Faults(announce_before_frames=(1, 8)),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visit_on_a_pty(FIRST, LOOSE, faults=SURVIVED[fault])
    assert found.error is None
    assert [figures(reading)[0] for reading in found.readings] == ["128 mm[Hg]", "not a number (mm[Hg])"]
    assert len({reading.reading_id for reading in found.readings}) == 2


async def test_a_damaged_result_cannot_come_again_so_the_visit_is_not_complete() -> None:
    found = await visit_on_a_pty(FIRST, SECOND, faults=Faults(corrupt_frames=(8,)))
    assert isinstance(found.error, ChecksumError)
    assert found.complete is None
    assert [figures(reading)[0] for reading in found.readings] == ["270 mm[Hg]"]


async def test_a_result_with_too_little_in_it_is_an_error() -> None:
    profile = impatient(CUFFS[0])
    line, link = in_memory(a_cuff(), profile)
    line.push(wire.encode_frame(Frame(1, SubType.RESULT, b"\x01", sender=wire.Sender.CUFF)))
    found = await visit(link, profile)
    assert isinstance(found.error, CodecError)
    assert found.complete is None


async def test_a_cuff_that_never_says_anything_is_unreachable() -> None:
    found = await visit_on_a_pty(faults=Faults(swallow_commands=tuple(range(99))))
    assert isinstance(found.error, LinkTimeout)
    assert (found.opened, found.complete) == (None, None)


@pytest.mark.parametrize("octets", [1, 9, 70, 90])
async def test_a_cable_pulled_at_any_octet_leaves_whole_readings_and_no_complete(octets: int) -> None:
    found = await visit_on_a_pty(FIRST, SECOND, faults=Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost)
    assert found.complete is None
    assert [figures(reading)[0] for reading in found.readings] == ["128 mm[Hg]", "270 mm[Hg]"][: len(found.readings)]


@pytest.mark.parametrize("sub_type", [SubType.START, SubType.STOP, SubType.POWER_OFF])
@pytest.mark.parametrize("version", [2, 3])
async def test_nothing_that_inflates_a_cuff_or_switches_it_off_ever_leaves(sub_type: SubType, version: int) -> None:
    profile = impatient(CUFFS[0])
    line, link = in_memory(a_cuff(), profile)
    with pytest.raises(ForbiddenCommand):
        await link.write(wire.encode_frame(Frame(1, sub_type, version=version)))
    assert of(line).inflations == 0


async def test_the_clock_of_the_cuff_is_the_time_of_its_result() -> None:
    found = await visit_on_a_pty(FIRST)
    assert found.opened is not None
    assert found.opened.coincident is not None
    assert found.opened.coincident.offset == timedelta(0)
