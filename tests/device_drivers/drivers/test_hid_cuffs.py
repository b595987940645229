"""The cuffs on HID cables, and Andon's on both: their memory comes out whole, or with an error and no Complete."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import andon_bm, microlife_b3, omron_hem
from device_drivers.codecs.microlife_b3 import Message, Way
from device_drivers.drivers.conversation import Complete, Cursor
from device_drivers.errors import DeviceError, IncompleteTransfer, LinkLost, LinkTimeout, ProtocolError
from device_drivers.links.allow_list import ReportAllowList
from device_drivers.links.ports import ReportLink, SerialLink, Tap
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, QuantityState, Reading
from device_drivers.simulators.andon_bm import SimulatedAndon
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.omron_hem import SimulatedOmron
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.device_drivers.hid_visits import on_a_socket
from tests.device_drivers.serial_visits import NOW, Visit, impatient, now, on_a_pty, visit

DRIVERS = ("andon_bm", "microlife_b3", "omron_hem")
EVERY = tuple(profile.id for profile in catalogue() if profile.device.driver in DRIVERS)
OMRON, MICROLIFE, BEURER, BEURER_SERIAL = (
    "omron-hem-790it", "microlife-bp-b3-comfort-pc", "beurer-bm55", "beurer-bm65",
)  # fmt: skip
ONE_OF_EACH = (OMRON, "omron-hem-637it", MICROLIFE, BEURER, BEURER_SERIAL)


def records(profile: Profile) -> tuple[RecordSpec, ...]:
    """A memory in which two readings of one minute are equal, with the second user's where there is one."""
    second = 2 if profile.device.users > 1 else 1
    return (
        RecordSpec(age_s=60, systolic=128, diastolic=79, pulse=74),
        RecordSpec(age_s=3600, systolic=181, diastolic=111, pulse=92),
        RecordSpec(age_s=3600, systolic=181, diastolic=111, pulse=92),
        RecordSpec(age_s=7200, systolic=141, diastolic=85, pulse=66),
        RecordSpec(age_s=9000, systolic=121, diastolic=77, pulse=66, user=second),
    )


def figures(reading: Reading) -> tuple[int | None, ...]:
    """User, systolic, diastolic, pulse."""
    codes = (Mdc.PRESS_BLD_NONINV_SYS, Mdc.PRESS_BLD_NONINV_DIA, Mdc.PULS_RATE_NON_INV)
    quantities = [reading.quantity(code) for code in codes]
    return (
        reading.user_index,
        *(None if quantity is None or quantity.value is None else int(quantity.value) for quantity in quantities),
    )


def content(reading: Reading) -> tuple[object, ...]:
    """What its identity is made of, but for the device: a cuff without a serial number is known by the way to it."""
    return (*figures(reading), reading.reported_time, reading.occurrence)


def a_cuff(profile: Profile, faults: Faults | None = None, kept: tuple[RecordSpec, ...] | None = None) -> DeviceSpec:
    """A cuff of this profile with a memory."""
    return DeviceSpec(
        profile=profile.id,
        name="cuff",
        serial_number="1",
        records=records(profile) if kept is None else kept,
        faults=faults or Faults(),
    )


@asynccontextmanager
async def connected(
    spec: DeviceSpec, profile: Profile, tap: Tap | None = None
) -> AsyncIterator[tuple[Line, SerialLink | ReportLink]]:
    """The cuff behind the door of its cable."""
    if profile.firmware.transport == "hid":
        async with on_a_socket(spec, profile, tap) as (line, report_link):
            yield line, report_link
    else:
        async with on_a_pty(spec, profile, tap) as (line, serial_link):
            yield line, serial_link


async def visited(
    profile_id: str,
    faults: Faults | None = None,
    kept: tuple[RecordSpec, ...] | None = None,
    cursor: Cursor | None = None,
) -> Visit:
    """One visit to a fresh cuff, with the line's faults."""
    profile = impatient(profile_id)
    async with connected(a_cuff(profile, faults, kept), profile) as (_, link):
        return await visit(link, profile, cursor)


@pytest.mark.parametrize("profile_id", EVERY)
async def test_the_memory_of_every_profile_comes_out_as_it_was_put_in(profile_id: str) -> None:
    profile = impatient(profile_id)
    expected = sorted(records(profile), key=lambda record: (record.user, record.age_s))
    found = await visited(profile_id)
    assert found.error is None
    says_who = profile.device.users > 1
    assert [figures(reading) for reading in found.readings] == [
        (record.user if says_who else None, record.systolic, record.diastolic, record.pulse) for record in expected
    ]
    resolution = timedelta(seconds=profile.firmware.clock.resolution_s)
    for reading, record in zip(found.readings, expected, strict=True):
        shown = NOW.replace(tzinfo=None) - timedelta(seconds=record.age_s)
        assert reading.reported_time.local is not None
        assert timedelta(0) <= shown - reading.reported_time.local < resolution
    assert {reading.kind for reading in found.readings} == {Kind.BLOOD_PRESSURE}
    assert len({reading.reading_id for reading in found.readings}) == len(expected)
    assert found.complete is not None
    assert found.complete.holds == len(expected)


@pytest.mark.parametrize("profile_id", ONE_OF_EACH)
async def test_the_next_visit_reads_only_what_is_new(profile_id: str) -> None:
    first = await visited(profile_id)
    assert first.complete is not None
    newer = RecordSpec(age_s=1, systolic=140, diastolic=90, pulse=80)
    kept = (newer, *records(impatient(profile_id)))
    second = await visited(profile_id, kept=kept, cursor=first.complete.cursor)
    assert [figures(reading)[1:] for reading in second.readings] == [(140, 90, 80)]
    assert second.complete is not None
    third = await visited(profile_id, kept=kept, cursor=second.complete.cursor)
    assert (third.readings, third.complete) == ([], second.complete)


@pytest.mark.parametrize("profile_id", ONE_OF_EACH)
async def test_an_empty_memory_is_complete(profile_id: str) -> None:
    assert (await visited(profile_id, kept=())).complete == Complete(cursor={}, holds=0)


@pytest.mark.parametrize("profile_id", ONE_OF_EACH)
async def test_a_cuff_that_does_not_say_who_it_is_is_known_by_the_way_to_it(profile_id: str) -> None:
    profile = impatient(profile_id)
    async with connected(a_cuff(profile), profile) as (_, link):
        found = await visit(link, profile)
        assert found.opened is not None
        assert found.opened.identity.address is not None
        assert found.opened.identity.address.startswith(link.address)
    assert found.opened.identity.serial_number is None
    assert found.opened.coincident is None


SURVIVED = {
    "noise stands in the line": Faults(noise="0860000000000000"),
    "the first answer is lost": Faults(drop_frames=(1,)),
    "an answer is lost": Faults(drop_frames=(5,)),
    "an answer is damaged": Faults(corrupt_frames=(4,)),
    "answers come twice here and there": Faults(repeat_frames=(6, 9)),
    "a measurement is made meanwhile": Faults(
        measure_after_frame=12, measured=RecordSpec(systolic=140, diastolic=90, pulse=80)
    ),
}


@pytest.mark.parametrize("fault", SURVIVED)
@pytest.mark.parametrize("profile_id", ONE_OF_EACH)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(profile_id: str, fault: str) -> None:
    found = await visited(profile_id, SURVIVED[fault])
    assert found.error is None
    assert found.complete is not None
    undisturbed = await visited(profile_id)
    assert {content(reading) for reading in found.readings} >= {content(reading) for reading in undisturbed.readings}
    assert len({reading.reading_id for reading in found.readings}) == found.complete.holds


@pytest.mark.parametrize("profile_id", ONE_OF_EACH)
@pytest.mark.parametrize(
    "faults",
    [
        Faults(corrupt_frames=tuple(range(8, 999, 2))),
        Faults(drop_frames=tuple(range(6, 999))),
        Faults(drop_frames=tuple(range(1, 999))),
    ],
    ids=["every other frame damaged", "goes silent", "never answers"],
)
async def test_a_line_that_stays_bad_ends_the_visit_without_complete(profile_id: str, faults: Faults) -> None:
    found = await visited(profile_id, faults)
    assert isinstance(found.error, DeviceError)
    assert found.complete is None


@pytest.mark.parametrize("octets", [1, 16, 40, 47])
@pytest.mark.parametrize("profile_id", ONE_OF_EACH)
async def test_a_cable_pulled_at_any_octet_leaves_whole_readings_and_no_complete(profile_id: str, octets: int) -> None:
    found = await visited(profile_id, Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert found.complete is None
    whole = [figures(reading) for reading in (await visited(profile_id)).readings]
    assert [figures(reading) for reading in found.readings] == whole[: len(found.readings)]


@pytest.mark.parametrize(
    ("profile_id", "flags"),
    [
        (OMRON, ("irregular_pulse", "body_movement", "truread_2")),
        (MICROLIFE, ("irregular_pulse", "cuff_too_loose")),
        (BEURER, ("irregular_pulse", "body_movement")),
        ("beurer-bm58", ("irregular_pulse",)),
    ],
)
async def test_the_cuffs_flags_become_annotations(profile_id: str, flags: tuple[str, ...]) -> None:
    kept = (RecordSpec(systolic=120, diastolic=80, pulse=60, flags=flags),)
    (reading,) = (await visited(profile_id, kept=kept)).readings
    assert reading.annotations == flags


@pytest.mark.parametrize(("profile_id", "flag"), [("beurer-bm58", "body_movement"), (BEURER_SERIAL, "irregular_pulse")])
async def test_a_bit_that_the_profile_does_not_explain_costs_the_reading_its_time(profile_id: str, flag: str) -> None:
    kept = (RecordSpec(systolic=120, diastolic=80, pulse=60, flags=(flag,)),)
    (reading,) = (await visited(profile_id, kept=kept)).readings
    assert (reading.annotations, reading.reported_time.local) == (("unexplained_bits",), None)


async def test_what_was_measured_before_the_clock_was_set_has_no_time_and_is_told_apart() -> None:
    kept = tuple(
        RecordSpec(age_s=age, systolic=120, diastolic=80, pulse=60, flags=("unset_clock",)) for age in (60, 70, 80)
    )
    found = await visited(MICROLIFE, kept=kept)
    assert {reading.reported_time.text for reading in found.readings} == {"2026-00-00T00:00"}
    assert {reading.reported_time.local for reading in found.readings} == {None}
    assert [reading.occurrence for reading in found.readings] == [2, 1, 0]


async def test_a_failed_measurement_is_kept_and_none_of_its_figures_is_a_number() -> None:
    (reading,) = (await visited(OMRON, kept=(RecordSpec(systolic=0, diastolic=0, pulse=0),))).readings
    assert {component.quantity.state for component in reading.components} == {QuantityState.NOT_A_NUMBER}
    assert reading.annotations == ("failed_measurement",)


async def test_a_busy_omron_is_asked_again() -> None:
    found = await visited(OMRON, Faults(busy_commands=(3, 5, 6)))
    assert found.error is None
    assert len(found.readings) == 5


async def test_an_omron_that_stays_busy_ends_the_visit_without_complete() -> None:
    found = await visited(OMRON, Faults(busy_commands=tuple(range(5, 99))))
    assert isinstance(found.error, LinkTimeout)
    assert found.complete is None


async def test_another_omron_on_the_cable_is_refused_before_anything_is_read() -> None:
    profile, other = impatient(OMRON), impatient("omron-bp791it")
    async with on_a_socket(a_cuff(other), other) as (_, link):
        found = await visit(link, profile)
    assert isinstance(found.error, ProtocolError)
    assert (found.opened, "M7222IT" in str(found.error)) == (None, True)


@pytest.mark.parametrize("profile_id", [OMRON, BEURER])
async def test_the_cuff_is_switched_off_when_all_is_read(profile_id: str) -> None:
    profile = impatient(profile_id)
    async with on_a_socket(a_cuff(profile), profile) as (line, link):
        await visit(link, profile)
        with pytest.raises(LinkTimeout):
            await link.read(timeout_s=0.05)
        assert isinstance(line.device, SimulatedOmron | SimulatedAndon)
        assert not line.device.is_on


async def test_a_cuff_that_is_gone_at_the_good_bye_has_still_been_read() -> None:
    sent: list[bytes] = []
    profile = impatient(BEURER)
    line = line_to(profile, a_cuff(profile), now)

    class Leaving:
        """Hangs up at the good-bye."""

        address = "here"

        def __init__(self) -> None:
            self._arrived: list[bytes] = []

        async def write(self, report: bytes) -> None:
            sent.append(report)
            if report[0] == andon_bm.BYE:
                raise LinkLost("gone")
            self._arrived.append(line.exchange(report))

        async def set_feature(self, report: bytes) -> None:
            line.set_feature(report)

        async def read(self, timeout_s: float) -> bytes:  # noqa: ARG002 - the port's shape
            return self._arrived.pop(0)

        async def drain_input(self) -> None:
            self._arrived.clear()

    found = await visit(Leaving(), profile)
    assert found.error is None
    assert found.complete is not None
    assert sent[-1][0] == andon_bm.BYE


async def test_a_record_that_is_counted_and_not_there_is_an_incomplete_transfer() -> None:
    profile = impatient(BEURER_SERIAL)
    async with on_a_pty(a_cuff(profile), profile) as (line, link):
        assert isinstance(line.device, SimulatedAndon)
        line.device.hides_records_from = 3
        found = await visit(link, profile)
    assert isinstance(found.error, IncompleteTransfer)
    assert (found.error.expected, found.error.received, found.complete) == (5, 2, None)


async def test_a_list_in_the_other_order_gives_the_same_readings() -> None:
    profile = impatient(BEURER)
    forward = await visited(BEURER)
    async with on_a_socket(a_cuff(profile), profile) as (line, link):
        assert isinstance(line.device, SimulatedAndon)
        line.device.oldest_first = True
        backward = await visit(link, profile)
    assert [r.reading_id for r in backward.readings] == [r.reading_id for r in forward.readings]
    assert backward.complete == forward.complete


@pytest.mark.parametrize("profile_id", EVERY)
async def test_only_listed_commands_leave_and_the_clock_stays_as_it_is(profile_id: str) -> None:
    profile = impatient(profile_id)
    sent: list[tuple[str, bytes]] = []
    tap: Tap = lambda way, channel, octets: sent.append((channel, octets)) if way == "out" else None  # noqa: E731
    async with connected(a_cuff(profile), profile, tap) as (_, link):
        await visit(link, profile)
    assert sent
    starts = {octets[1:4] for channel, octets in sent if not channel}
    if profile.device.driver == "omron_hem":
        letters = {start for start in starts if start.isalpha()}
        assert letters == {b"VER", b"SRL", b"GDC", b"GME", b"END"}
        assert {octets for channel, octets in sent if channel} == {omron_hem.INFORMATION, omron_hem.READINGS}


class Babbler:
    """Says these things, one per report, whatever the report was; then nothing any more."""

    address = "nowhere"

    def __init__(self, things: list[list[bytes]]) -> None:
        self._things = list(things)
        self._arrived: list[bytes] = []
        self.heard: list[tuple[bytes, bool]] = []

    async def write(self, report: bytes) -> None:
        """Provokes the next thing."""
        self.heard.append((report, False))
        self._arrived += self._things.pop(0) if self._things else []

    async def set_feature(self, report: bytes) -> None:
        """Provokes nothing."""
        self.heard.append((report, True))

    async def read(self, timeout_s: float) -> bytes:
        """What has arrived."""
        if not self._arrived:
            raise LinkTimeout(f"nothing within {timeout_s} s")
        return self._arrived.pop(0)

    async def drain_input(self) -> None:
        """Forget what has arrived."""
        self._arrived.clear()


ANSWERS = st.one_of(
    st.sampled_from([b"OK", b"NO", b"OK" + omron_hem.OFF, b"\x55", b"\x00", b"\x02"]),
    st.binary(max_size=13).map(omron_hem.encode_answer),
    st.just(omron_hem.encode_answer(b"M7080IT 207")),
    st.just(omron_hem.encode_answer(bytes([7, 1, 1, 0, 6, 38, 0, 0, 123, 78, 87, 0, 0]))),
    st.binary(max_size=20).map(lambda data: microlife_b3.encode_message(Message(Way.CUFF, data))),
    st.lists(st.binary(min_size=10, max_size=10), max_size=3).map(microlife_b3.encode_dump),
)
REPORTS = ANSWERS.map(omron_hem.reports_of) | st.lists(st.binary(max_size=9) | st.binary(min_size=8, max_size=8))


@pytest.mark.parametrize("profile_id", [OMRON, MICROLIFE, BEURER])
@given(things=st.lists(REPORTS, max_size=30))
async def test_any_reports_end_in_a_device_error_or_an_honest_end(profile_id: str, things: list[list[bytes]]) -> None:
    profile, babbler = impatient(profile_id, retries=1), Babbler(things)
    found = await visit(babbler, profile)
    assert (found.error is None) is (found.complete is not None)
    # Whatever it says, it provokes nothing that the profile does not list.
    guard = ReportAllowList(profile.firmware.commands, profile.id)
    for report, is_feature in babbler.heard:
        (guard.check_feature if is_feature else guard.check)(report)
