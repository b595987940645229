from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from device_drivers.codecs import lifescan_ultra as wire
from device_drivers.drivers.conversation import Complete
from device_drivers.drivers.lifescan_ultra import Ultra
from device_drivers.errors import (
    ChecksumError,
    CodecError,
    DeviceError,
    ForbiddenCommand,
    IncompleteTransfer,
    LinkLost,
    LinkTimeout,
    ProtocolError,
)
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Quantity, QuantityState, Sample
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

METER = "lifescan-onetouch-ultra2"
RECORDS = (
    RecordSpec(age_s=60, value="112", flags=("preprandial",)),
    RecordSpec(age_s=3660, value="HI"),
    RecordSpec(age_s=7260, value="103", flags=("control_solution",)),
    RecordSpec(age_s=10860, value="LO"),
    RecordSpec(age_s=10860, value="LO"),
    RecordSpec(age_s=14460, value="80", flags=("memory_parity_error",)),
)
TEXTS = ["112 mg/dL", "HI (> 600 mg/dL)", "103 mg/dL", "LO (< 20 mg/dL)", "LO (< 20 mg/dL)", "not a number (mg/dL)"]


def a_meter(
    faults: Faults | None = None, records: tuple[RecordSpec, ...] = RECORDS, skew_s: float = 0, profile: str = METER
) -> DeviceSpec:
    """A meter with a memory."""
    return DeviceSpec(
        profile=profile, name="meter", serial_number="ZSK2326B", clock_skew_s=skew_s, records=records,
        faults=faults or Faults(),
    )  # fmt: skip


async def visit_on_a_pty(faults: Faults | None = None, profile_id: str = METER) -> Visit:
    """One visit to a fresh meter, with the line's faults."""
    profile = impatient(profile_id)
    async with on_a_pty(a_meter(faults, profile=profile_id), profile) as (_, link):
        return await visit(link, profile)


def values(found: Visit) -> list[str]:
    """What was measured, as text, newest first."""
    return [str(reading.components[0].quantity) for reading in found.readings]


@pytest.mark.parametrize("profile_id", [METER, "lifescan-onetouch-ultra"])
async def test_the_memory_comes_out_as_it_was_put_in(profile_id: str) -> None:
    found = await visit_on_a_pty(profile_id=profile_id)
    assert found.error is None
    assert values(found) == TEXTS
    assert [reading.reported_time.local for reading in found.readings] == [
        NOW.replace(tzinfo=None) - timedelta(seconds=record.age_s) for record in RECORDS
    ]
    assert [reading.occurrence for reading in found.readings] == [0, 0, 0, 1, 0, 0]
    assert len({reading.reading_id for reading in found.readings}) == len(RECORDS)


async def test_the_meter_says_who_it_is_and_what_time_it_thinks_it_is() -> None:
    profile = impatient(METER)
    _, link = in_memory(a_meter(skew_s=7200), profile)
    found = await visit(link, profile)
    assert found.opened is not None
    assert found.opened.identity.device_id == "lifescan:sn:ZSK2326BY"
    assert found.opened.identity.firmware == "P02.00.00"
    assert found.opened.holds == len(RECORDS)
    assert found.opened.coincident is not None
    assert found.opened.coincident.offset == timedelta(hours=-2)


async def test_a_full_memory_comes_over_in_one_piece() -> None:
    found = await visit_on_a_pty(Faults(full_memory=True))
    assert found.complete is not None
    assert len({reading.reading_id for reading in found.readings}) == found.complete.holds == 500


async def test_a_control_solution_is_marked_and_never_a_patients() -> None:
    control = (await visit_on_a_pty()).readings[2]
    assert (control.sample, control.components[0].code) == (Sample.CONTROL_SOLUTION, Mdc.CONC_GLU_CONTROL)


async def test_a_result_that_the_meter_itself_doubts_is_kept_without_a_figure() -> None:
    doubted = (await visit_on_a_pty()).readings[-1]
    assert doubted.components[0].quantity == Quantity(None, Unit.MG_DL, QuantityState.NOT_A_NUMBER)
    assert doubted.annotations == ("memory_parity_error",)
    assert b"  080?" in doubted.raw


async def test_hi_and_lo_are_states_with_the_profiles_bounds() -> None:
    found = await visit_on_a_pty()
    assert [found.readings[index].components[0].quantity for index in (1, 3)] == [
        Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, Decimal(600)),
        Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE, Decimal(20)),
    ]


async def test_the_ultra2_marks_meals_and_the_ultra_has_no_marks() -> None:
    assert (await visit_on_a_pty()).readings[0].context == {"meal": "preprandial"}
    assert (await visit_on_a_pty(profile_id="lifescan-onetouch-ultra")).readings[0].context == {}


async def test_a_day_of_the_week_that_does_not_fit_is_asked_for_again_and_takes_the_time_away() -> None:
    profile = impatient(METER)
    wrong = RecordSpec(age_s=60, value="112", flags=("weekday_does_not_fit",))
    _, link = in_memory(a_meter(records=(wrong,)), profile)
    found = await visit(link, profile)
    (reading,) = found.readings
    assert reading.reported_time.local is None
    assert reading.annotations == ("weekday_does_not_fit",)
    assert found.complete is not None


async def test_a_clock_that_was_never_set_is_recognised_by_the_profile() -> None:
    profile = impatient(METER)
    clock = msgspec.structs.replace(profile.firmware.clock, unset=("2026-03-01T11:59:30",))
    profile = msgspec.structs.replace(profile, firmware=msgspec.structs.replace(profile.firmware, clock=clock))
    _, link = in_memory(a_meter(), profile)
    assert [reading.reported_time.local is None for reading in (await visit(link, profile)).readings[:2]] == [
        True,
        False,
    ]


async def test_an_empty_memory_is_complete() -> None:
    profile = impatient(METER)
    _, link = in_memory(a_meter(records=()), profile)
    assert (await visit(link, profile)).complete == Complete(cursor={}, holds=0)


async def test_the_next_visit_gives_only_what_is_new() -> None:
    profile = impatient(METER)
    line, link = in_memory(a_meter(), profile)
    first = await visit(link, profile)
    assert first.complete is not None
    line.device.measure(RecordSpec(value="141"))
    second = await visit(link, profile, first.complete.cursor)
    assert values(second) == ["141 mg/dL"]
    assert second.complete is not None
    third = await visit(link, profile, second.complete.cursor)
    assert (third.readings, third.complete) == ([], second.complete)


async def test_another_model_on_the_line_is_refused_before_the_memory_is_read() -> None:
    profile = impatient(METER)
    line, _ = in_memory(a_meter(profile="lifescan-onetouch-ultra"), impatient("lifescan-onetouch-ultra"))
    async with on_a_pty(a_meter(), profile) as (door_line, link):
        door_line.device = line.device
        found = await visit(link, profile)
    assert isinstance(found.error, ProtocolError)
    assert found.opened is None


async def test_the_guard_lets_no_erasing_out() -> None:
    profile = impatient(METER)
    line, link = in_memory(a_meter(), profile)
    for command in ("DMZ", "DMT01/01/26 00:00:00"):
        with pytest.raises(ForbiddenCommand):
            await Ultra(link, profile).ask(command, wire.Version)
    assert len((await visit(link, profile)).readings) == len(RECORDS)
    line.device.receive(wire.encode_command("DMZ"))  # what the guard is there for
    assert (await visit(link, profile)).readings == []


# The answers to version, serial number and clock are frames 1 to 3; the dump's header is 4, its records 5 to 10.
SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "noise stands in the line": Faults(noise="ff110d2020"),
    "the version is lost": Faults(drop_frames=(1,)),
    "the header is damaged": Faults(corrupt_frames=(4,)),
    "the header is lost": Faults(drop_frames=(4,)),
    "a record is damaged": Faults(corrupt_frames=(7,)),
    "a record is damaged twice": Faults(corrupt_frames=(7, 14)),
    "a record is lost": Faults(drop_frames=(7,)),
    "a record comes twice": Faults(repeat_frames=(7,)),
    "the last record comes twice": Faults(repeat_frames=(10,)),
    "it announces itself in the middle": Faults(announce_before_frames=(2, 4, 6)),
    "a measurement is made during the dump": Faults(measure_after_frame=6, measured=RecordSpec(value="141")),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visit_on_a_pty(SURVIVED[fault])
    assert found.error is None
    assert found.complete is not None
    assert values(found) == TEXTS


@pytest.mark.parametrize(
    ("faults", "errors"),
    [
        (Faults(corrupt_frames=tuple(range(5, 999))), (ChecksumError, CodecError)),
        (Faults(drop_frames=tuple(range(7, 999))), (IncompleteTransfer, LinkTimeout)),
        (Faults(drop_frames=tuple(range(1, 999))), (LinkTimeout,)),
    ],
    ids=["always damaged", "goes silent", "never answers"],
)
async def test_a_line_that_stays_bad_ends_the_visit_without_complete(
    faults: Faults, errors: tuple[type[DeviceError], ...]
) -> None:
    found = await visit_on_a_pty(faults)
    assert isinstance(found.error, errors)
    assert found.complete is None


@pytest.mark.parametrize("octets", [1, 20, 40, 90, 130, 300, 400])
async def test_a_cable_pulled_at_any_octet_is_an_error_and_not_complete(octets: int) -> None:
    found = await visit_on_a_pty(Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert (found.complete, found.readings) == (None, [])
