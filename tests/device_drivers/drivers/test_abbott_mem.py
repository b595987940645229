from datetime import timedelta

import pytest

from device_drivers.drivers.conversation import Complete
from device_drivers.errors import ChecksumError, CodecError, DeviceError, LinkLost, LinkTimeout, UnexpectedDevice
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, QuantityState, Reading, Sample
from device_drivers.simulators.abbott import SimulatedAbbott
from device_drivers.simulators.line import Line
from device_drivers.simulators.memory_door import MemoryDoor
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from firmware_profiles.catalogue import catalogue
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

METERS = ["abbott-freestyle-lite", "abbott-freestyle-freedom-lite", "abbott-freestyle-mini"]
OPTIUM = "abbott-freestyle-optium"
GLUCOSE = (
    RecordSpec(age_s=60, value="112"),
    RecordSpec(age_s=65, value="112"),
    RecordSpec(age_s=3600, value="HI"),
    RecordSpec(age_s=7200, value="LO"),
    RecordSpec(age_s=9000, value="93", flags=("control_solution",)),
    RecordSpec(age_s=10800, value="101", flags=("clock_not_set",)),
)
TEXTS = [
    "112 mg/dL", "112 mg/dL", "HI (> 500 mg/dL)", "LO (< 20 mg/dL)", "93 mg/dL", "101 mg/dL",
]  # fmt: skip
KETONES = (
    RecordSpec(age_s=60, value="1.5", analyte="ketone"),
    RecordSpec(age_s=120, value="0.2", analyte="ketone"),
    RecordSpec(age_s=180, value="HI", analyte="ketone"),
    RecordSpec(age_s=240, value="0.6", analyte="ketone", flags=("control_solution",)),
)


# The first letters tell the FreeStyle models apart.
SERIAL_NUMBERS = {"abbott-freestyle-freedom-lite": "CDMN169-C4824", "abbott-freestyle-mini": "DAMN169-C4824"}


def a_meter(profile_id: str, records: tuple[RecordSpec, ...] = GLUCOSE, faults: Faults | None = None) -> DeviceSpec:
    """A meter with a memory."""
    return DeviceSpec(
        profile=profile_id,
        name="meter",
        serial_number=SERIAL_NUMBERS.get(profile_id, "DBMN169-C4824"),
        records=records,
        faults=faults or Faults(),
    )


async def visit_on_a_pty(profile_id: str, faults: Faults | None = None) -> Visit:
    """One visit to a fresh meter, with the line's faults."""
    profile = impatient(profile_id)
    async with on_a_pty(a_meter(profile_id, faults=faults), profile) as (_, link):
        return await visit(link, profile)


def texts(found: Visit) -> list[str]:
    """The figures as a person reads them."""
    return [str(component.quantity) for reading in found.readings for component in reading.components]


def control(reading: Reading) -> bool:
    """Whether it is marked as control solution."""
    return reading.sample is Sample.CONTROL_SOLUTION


@pytest.mark.parametrize("profile_id", [*METERS, OPTIUM, "abbott-precision-xtra"])
async def test_the_memory_comes_out_as_it_was_put_in(profile_id: str) -> None:
    found = await visit_on_a_pty(profile_id)
    assert found.error is None
    assert texts(found) == TEXTS
    assert [reading.reported_time.local for reading in found.readings[:5]] == [
        (NOW - timedelta(seconds=record.age_s)).replace(tzinfo=None, second=0) for record in GLUCOSE[:5]
    ]
    assert found.complete is not None
    assert found.complete.holds == 6


async def test_control_solution_is_marked_and_has_a_code_of_its_own() -> None:
    found = await visit_on_a_pty(METERS[0])
    assert [control(reading) for reading in found.readings] == [False] * 4 + [True, False]
    assert found.readings[4].components[0].code is Mdc.CONC_GLU_CONTROL
    assert found.readings[0].components[0].code is Mdc.CONC_GLU_CAPILLARY_PLASMA


async def test_a_reading_of_a_lost_clock_keeps_its_statement_and_has_no_time() -> None:
    lost = (await visit_on_a_pty(METERS[0])).readings[5]
    assert (lost.reported_time.text, lost.reported_time.local) == ("2026-03-01T09:00", None)
    assert lost.annotations == ("clock_not_set",)


class SaysAlways:
    """A device that gives one answer to everything."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def receive(self, data: bytes) -> list[bytes]:
        """The answer."""
        return [self._answer] if data else []

    def announce(self) -> bytes:
        """Nothing."""
        return b""

    def measure(self, record: RecordSpec) -> None:
        """Changes nothing."""


async def visit_to(answer: bytes) -> Visit:
    """One visit to a device that says this, whatever it is asked."""
    profile = impatient(METERS[0], retries=0)
    return await visit(MemoryDoor(Line(SaysAlways(answer)), profile), profile)


async def test_bits_that_nobody_knows_stay_visible() -> None:
    body = b"\r\nDBMN169-C4824\r\n0.31-P\r\nJan  21 2010 20:40:00\r\n001\r\n\n234  Jan  17 2010 00:39 00 0x04\r\n"
    found = await visit_to(body + f"0x{sum(body) & 0xFFFF:04X}  END\r\n".encode())
    assert found.readings[0].annotations == ("unknown_flags_04",)


async def test_ketones_are_a_kind_of_their_own_in_the_displays_tenths() -> None:
    profile = impatient(OPTIUM)
    _, link = in_memory(a_meter(OPTIUM, KETONES), profile)
    found = await visit(link, profile)
    assert {reading.kind for reading in found.readings} == {Kind.KETONE}
    assert texts(found) == ["1.5 mmol/L", "0.2 mmol/L", "HI (> 8.0 mmol/L)", "0.6 mmol/L"]
    assert {component.code for reading in found.readings for component in reading.components} == {
        Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD
    }
    assert [control(reading) for reading in found.readings] == [False, False, False, True]


async def test_where_the_limit_of_the_ketone_strip_is_not_known_no_bound_is_made_up() -> None:
    profile = impatient("abbott-precision-xtra")
    _, link = in_memory(a_meter("abbott-precision-xtra", KETONES[2:3]), profile)
    (quantity,) = (component.quantity for component in (await visit(link, profile)).readings[0].components)
    assert (quantity.state, quantity.bound) == (QuantityState.ABOVE_RANGE, None)


async def test_the_meter_says_who_it_is_and_what_time_it_thinks_it_is() -> None:
    found = await visit_on_a_pty(METERS[0])
    assert found.opened is not None
    assert (found.opened.identity.device_id, found.opened.holds) == ("abbott:sn:DBMN169-C4824", 6)
    assert found.opened.coincident is not None
    assert found.opened.coincident.offset == timedelta(0)
    assert catalogue().get(METERS[0], found.opened.identity.firmware).id == METERS[0]


async def test_every_visit_gives_all_readings_with_the_same_identities() -> None:
    profile = impatient(METERS[0])
    line, link = in_memory(a_meter(METERS[0]), profile)
    first = await visit(link, profile)
    assert first.complete is not None
    line.device.measure(RecordSpec(age_s=60, value="112"))
    second = await visit(link, profile, first.complete.cursor)
    assert [reading.occurrence for reading in second.readings[:3]] == [2, 1, 0]
    assert {r.reading_id for r in first.readings} < {r.reading_id for r in second.readings}
    assert len({r.reading_id for r in second.readings}) == 7


async def test_an_empty_memory_is_complete() -> None:
    profile = impatient(METERS[0])
    _, link = in_memory(a_meter(METERS[0], ()), profile)
    assert (await visit(link, profile)).complete == Complete(cursor={}, holds=0)


# A dump of six records on a fresh FreeStyle: frames are its lines; 6 is the lone line feed, 13 the checksum.
SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "noise stands in the line": Faults(noise="ff0d0a00"),
    "the first command is not heard": Faults(swallow_commands=(1,)),
    "the first two commands are not heard": Faults(swallow_commands=(1, 2)),
    "the first command comes back": Faults(echo_commands=(1,)),
    "a record is damaged": Faults(corrupt_frames=(8,)),
    "the checksum is damaged": Faults(corrupt_frames=(13,)),
    "a record is lost": Faults(drop_frames=(8,)),
    "the end is lost": Faults(drop_frames=(13,)),
    "a record comes twice": Faults(repeat_frames=(8,)),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visit_on_a_pty(METERS[0], SURVIVED[fault])
    assert found.error is None
    assert texts(found) == TEXTS


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(corrupt_frames=tuple(range(8, 999, 13))), ChecksumError),
        (Faults(drop_frames=tuple(range(8, 999, 13))), CodecError),
        (Faults(drop_frames=tuple(range(13, 999, 13))), LinkTimeout),
        (Faults(swallow_commands=(1, 2, 3, 4)), LinkTimeout),
    ],
    ids=["always damaged", "a record always missing", "never ends", "never answers"],
)
async def test_a_line_that_stays_bad_ends_the_visit_without_complete(faults: Faults, error: type[DeviceError]) -> None:
    found = await visit_on_a_pty(METERS[0], faults)
    assert isinstance(found.error, error)
    assert (found.readings, found.complete) == ([], None)


@pytest.mark.parametrize("octets", [1, 17, 60, 200, 250])
async def test_a_cable_pulled_at_any_octet_gives_nothing_and_no_complete(octets: int) -> None:
    found = await visit_on_a_pty(METERS[0], Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert (found.readings, found.complete) == ([], None)


async def test_a_meter_that_never_ends_is_not_listened_to_for_ever() -> None:
    assert isinstance((await visit_to(b"\r\nDBMN169-C4824\r\n" + b"100\r\n" * 9999)).error, CodecError)


async def test_nothing_but_the_dump_is_ever_sent() -> None:
    sent: list[bytes] = []
    profile = impatient(OPTIUM)
    tap = lambda direction, _, octets: sent.append(octets) if direction == "out" else None  # noqa: E731
    async with on_a_pty(a_meter(OPTIUM), profile, tap) as (line, link):
        await visit(link, profile)
        assert isinstance(line.device, SimulatedAbbott)
        assert line.device.clock_settings == 0
    assert sent == [b"$xmem\r\n"]


async def test_another_freestyle_than_the_profiles_is_named_and_not_read() -> None:
    profile = impatient("abbott-freestyle-mini")
    _, link = in_memory(a_meter("abbott-freestyle-lite"), profile)
    found = await visit(link, profile)
    assert isinstance(found.error, UnexpectedDevice)
    assert (found.error.model, found.readings) == ("FreeStyle Lite", [])
