"""Contour meters on a serial cable (through a pty) and on USB (through a socket in the place of hidraw)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from device_drivers.codecs.astm_e1381 import Control, Frame, encode_frame
from device_drivers.drivers.conversation import Complete
from device_drivers.errors import (
    CodecError,
    DeviceError,
    ForbiddenCommand,
    IncompleteTransfer,
    LinkLost,
    LinkTimeout,
    ProtocolError,
)
from device_drivers.links.ports import Tap
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Quantity, QuantityState, Sample
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.device_drivers.hid_visits import on_a_socket
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, on_a_pty, visit

SERIAL, USB = "ascensia-contour", "ascensia-contour-usb"
EVERY = [profile.id for profile in catalogue() if profile.device.driver.startswith("ascensia")]
RECORDS = (
    RecordSpec(age_s=90, value="7.9", flags=("preprandial",)),
    RecordSpec(age_s=90, value="7.9", flags=("preprandial",)),
    RecordSpec(age_s=3690, value="HI"),
    RecordSpec(age_s=7290, value="103", flags=("control_solution",)),
    RecordSpec(age_s=10890, value="LO"),
    RecordSpec(age_s=14490, value="99", flags=("control_order",)),
    RecordSpec(age_s=18090, value="80", flags=("postprandial",)),
    RecordSpec(age_s=21690, value="HI", flags=("mmol_l",)),
)
USB_TEXTS = [
    "7.9 mmol/L", "7.9 mmol/L", "HI (> 600 mg/dL)", "103 mg/dL", "LO (< 10 mg/dL)", "99 mg/dL", "80 mg/dL",
    "HI (mmol/L)",
]  # fmt: skip


def a_meter(
    profile: str, faults: Faults | None = None, records: tuple[RecordSpec, ...] = RECORDS, skew_s: float = 0
) -> DeviceSpec:
    """A meter with a memory."""
    return DeviceSpec(
        profile=profile, name="meter", serial_number="7390-1163170", clock_skew_s=skew_s, records=records,
        faults=faults or Faults(),
    )  # fmt: skip


async def visited(spec: DeviceSpec, profile: Profile | None = None, tap: Tap | None = None) -> Visit:
    """One visit to a fresh meter, over the way that its profile says."""
    profile = profile or impatient(spec.profile)
    if profile.firmware.transport == "serial":
        async with on_a_pty(spec, profile, tap) as (_, serial_link):
            return await visit(serial_link, profile)
    async with on_a_socket(spec, profile, tap) as (_, link):
        return await visit(link, profile)


def values(found: Visit) -> list[str]:
    """What was measured, as text, newest first."""
    return [str(reading.components[0].quantity) for reading in found.readings]


@pytest.mark.parametrize("profile_id", EVERY)
async def test_the_memory_comes_out_as_it_was_put_in(profile_id: str) -> None:
    found = await visited(a_meter(profile_id))
    assert found.error is None
    assert [text.replace("20 mg/dL)", "10 mg/dL)") for text in values(found)] == USB_TEXTS
    minute = [(NOW.replace(tzinfo=None) - timedelta(seconds=record.age_s)).replace(second=0) for record in RECORDS]
    assert [reading.reported_time.local for reading in found.readings] == minute
    assert [reading.occurrence for reading in found.readings] == [1, 0, 0, 0, 0, 0, 0, 0]
    assert len({reading.reading_id for reading in found.readings}) == len(RECORDS)


@pytest.mark.parametrize("profile_id", [SERIAL, USB])
async def test_each_encoding_of_a_control_solution_is_one(profile_id: str) -> None:
    readings = (await visited(a_meter(profile_id))).readings
    assert [reading.sample is Sample.CONTROL_SOLUTION for reading in readings] == [
        False, False, False, True, False, True, False, False,
    ]  # fmt: skip
    assert readings[3].components[0].code is Mdc.CONC_GLU_CONTROL


async def test_the_average_of_a_serial_meter_is_no_reading() -> None:
    profile, crossed = impatient(SERIAL), bytearray()
    async with on_a_pty(a_meter(SERIAL), profile, lambda _way, _, octets: crossed.extend(octets)) as (_, link):
        found = await visit(link, profile)
    assert b"R|1|^^^Glucose|99|" in crossed
    assert len(found.readings) == len(RECORDS)


async def test_the_limits_are_the_headers_and_in_its_unit_only() -> None:
    readings = (await visited(a_meter(USB))).readings
    assert readings[2].components[0].quantity == Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, Decimal(600))
    assert readings[4].components[0].quantity == Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE, Decimal(10))
    assert readings[7].components[0].quantity == Quantity(None, Unit.MMOL_L, QuantityState.ABOVE_RANGE)


async def test_marks_become_context() -> None:
    readings = (await visited(a_meter(USB))).readings
    assert [reading.context.get("meal") for reading in readings[:7]] == [
        "preprandial", "preprandial", None, None, None, None, "postprandial",
    ]  # fmt: skip
    assert readings[3].context == {"marks": "C"}


@pytest.mark.parametrize("profile_id", [SERIAL, USB])
async def test_the_meter_says_who_it_is_and_what_time_it_thinks_it_is(profile_id: str) -> None:
    found = await visited(a_meter(profile_id, skew_s=7200))
    assert found.opened is not None
    assert found.opened.identity.device_id == "ascensia:sn:7390-1163170"
    assert found.opened.identity.firmware == "01.20"
    assert found.opened.holds == (len(RECORDS) if profile_id == USB else None)
    assert found.opened.coincident is not None
    assert found.opened.coincident.offset == timedelta(hours=-2, seconds=30)


@pytest.mark.parametrize("profile_id", EVERY)
async def test_an_empty_memory_is_complete(profile_id: str) -> None:
    assert (await visited(a_meter(profile_id, records=()))).complete == Complete(cursor={}, holds=0)


async def visits_before_and_after_a_measurement(profile_id: str) -> tuple[Visit, Visit]:
    """Two visits to one meter, over the way that its profile says."""
    profile, spec = impatient(profile_id), a_meter(profile_id)
    async with on_a_pty(spec, profile) if profile.firmware.serial else on_a_socket(spec, profile) as (line, link):
        first = await visit(link, profile)
        assert first.complete is not None
        line.device.measure(RecordSpec(value="141"))
        return first, await visit(link, profile, first.complete.cursor)


async def test_the_next_visit_to_a_usb_meter_gives_only_what_is_new() -> None:
    _, second = await visits_before_and_after_a_measurement(USB)
    assert values(second) == ["141 mg/dL"]


async def test_the_next_visit_to_a_serial_meter_gives_everything_with_the_same_identities() -> None:
    first, second = await visits_before_and_after_a_measurement(SERIAL)
    assert len(second.readings) == len(first.readings) + 1
    assert {reading.reading_id for reading in first.readings} < {reading.reading_id for reading in second.readings}


async def test_another_model_on_the_line_is_refused_before_its_results_are_read() -> None:
    other = impatient("ascensia-contour-next-usb")
    async with on_a_socket(a_meter(USB), impatient(USB)) as (_, link):
        found = await visit(link, other)
    assert isinstance(found.error, ProtocolError)
    assert found.opened is None


async def test_the_guard_lets_nobody_into_the_remote_mode() -> None:
    profile = impatient(SERIAL)
    _, link = in_memory(a_meter(SERIAL), profile)
    for command in (Control.ENQ.octets, b"W|", b"D|", b"260301|\r"):
        with pytest.raises(ForbiddenCommand):
            await link.write(command)


# The meter's first frame is the offer (three reports on USB: EOT, header, ENQ), then header, patient, results.
SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "a frame is damaged": Faults(corrupt_frames=(4,)),
    "a frame is damaged twice": Faults(corrupt_frames=(6, 7)),
    "a frame is lost": Faults(drop_frames=(5,)),
    "the offer is lost": Faults(drop_frames=(1,)),
    "a frame comes twice": Faults(repeat_frames=(5,)),
    "every frame comes twice": Faults(repeat_frames=tuple(range(2, 60))),
    "a measurement is made during the dump": Faults(measure_after_frame=5, measured=RecordSpec(value="141")),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found = await visited(a_meter(SERIAL, SURVIVED[fault]))
    assert found.error is None
    assert found.complete is not None
    assert values(found) == USB_TEXTS


async def test_noise_before_the_meter_speaks_is_passed_over() -> None:
    assert values(await visited(a_meter(SERIAL, Faults(noise="ff023152ff0d0a15")))) == USB_TEXTS


@pytest.mark.parametrize("report", range(1, 16))
async def test_a_report_that_is_lost_costs_time_and_no_reading(report: int) -> None:
    found = await visited(a_meter(USB, Faults(drop_frames=(report,))))
    assert found.error is None
    assert values(found) == USB_TEXTS


@pytest.mark.parametrize(
    ("faults", "errors"),
    [
        (Faults(corrupt_frames=tuple(range(5, 999))), (CodecError,)),
        (Faults(drop_frames=tuple(range(5, 999))), (LinkTimeout,)),
        (Faults(drop_frames=tuple(range(1, 999))), (LinkTimeout,)),
        (Faults(announce_before_frames=(6,)), (ProtocolError,)),
    ],
    ids=["always damaged", "goes silent", "never answers", "begins anew"],
)
async def test_a_line_that_stays_bad_ends_the_visit_without_complete(
    faults: Faults, errors: tuple[type[DeviceError], ...]
) -> None:
    found = await visited(a_meter(SERIAL, faults))
    assert isinstance(found.error, errors)
    assert (found.complete, found.readings) == (None, [])


@pytest.mark.parametrize("octets", [1, 3, 60, 100, 250, 500])
@pytest.mark.parametrize("profile_id", [SERIAL, USB])
async def test_a_cable_pulled_at_any_octet_is_an_error_and_not_complete(profile_id: str, octets: int) -> None:
    found = await visited(a_meter(profile_id, Faults(unplug_after_octets=octets)))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert (found.complete, found.readings) == (None, [])


class Script:
    """A line on which a message comes frame by frame, whatever the answers are."""

    address = "script"

    def __init__(self, *records: str) -> None:
        texts = [record + "\r" for record in records]
        frames = [Frame((n + 1) % 8, text, last=n == len(texts) - 1) for n, text in enumerate(texts)]
        self._arriving = [Control.ENQ.octets, *map(encode_frame, frames), Control.EOT.octets]

    async def write(self, data: bytes) -> None:
        """Goes nowhere."""

    async def read(self, size: int, timeout_s: float) -> bytes:
        """The next frame."""
        if not self._arriving:
            raise LinkTimeout(f"nothing within {timeout_s} s")
        return self._arriving.pop(0)[:size]

    async def drain_input(self) -> None:
        """What the script still holds has not arrived yet."""


HEADER = "H|\\^&||pw|Bayer7150^1.05\\0.00^7150-SAM2193||{count}|||||P|1|200305121635"
RESULT = "R|{number}|^^^Glucose|93|mg/dL^P||A||2003051216{number:02d}"


@pytest.mark.parametrize(
    ("records", "error"),
    [
        (
            (HEADER.format(count=3), "P|1", RESULT.format(number=1), RESULT.format(number=2), "L|1||N"),
            IncompleteTransfer,
        ),
        (
            (HEADER.format(count=""), "P|1", RESULT.format(number=1), RESULT.format(number=3), "L|1||N"),
            IncompleteTransfer,
        ),
        ((HEADER.format(count=""), "P|1", RESULT.format(number=1)), IncompleteTransfer),
        ((HEADER.format(count=""), "P|1", RESULT.format(number=1), "L|1||Q"), ProtocolError),
        ((HEADER.format(count=""), HEADER.format(count=""), "L|1||N"), ProtocolError),
        (("P|1", "L|1||N"), ProtocolError),
    ],
    ids=["fewer than announced", "a number is missing", "no end", "an abnormal end", "two headers", "no header"],
)
async def test_a_message_that_is_not_whole_is_never_complete(
    records: tuple[str, ...], error: type[DeviceError]
) -> None:
    found = await visit(Script(*records), impatient(SERIAL))
    assert isinstance(found.error, error)
    assert (found.complete, found.readings) == (None, [])


async def test_a_result_that_is_no_glucose_is_counted_and_not_read() -> None:
    carbohydrates = "R|2|^^^Carb|30|1^||||200305121635"
    records = (HEADER.format(count=3), RESULT.format(number=1), carbohydrates, RESULT.format(number=3), "L|1||N")
    found = await visit(Script(*records), impatient(SERIAL))
    assert found.error is None
    assert values(found) == ["93 mg/dL"]  # the first one is the average
