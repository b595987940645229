"""TaiDoc's 8-octet frames and the records in them. Wire page: ``drivers/taidoc_51.md``.

Frame: ``51 command d0 d1 d2 d3 direction sum``, direction A3 from the host and A5 from the device, sum of the first
seven octets modulo 256. Total: every byte string gives a value or a CodecError; a frame reader never fails.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import IntEnum

from device_drivers.codecs import frame_reader
from device_drivers.errors import ChecksumError, CodecError

FORMAT = "taidoc-51"

START = 0x51
LENGTH = 8


class Direction(IntEnum):
    """Who speaks."""

    HOST = 0xA3
    DEVICE = 0xA5


class Command(IntEnum):
    """The commands that we know; START_MEASUREMENT, POWER_OFF and CLEAR are here so that tests can forbid them."""

    CONNECT = 0x22
    READ_CLOCK = 0x23
    READ_MODEL = 0x24
    RECORD_TIME = 0x25
    RECORD_VALUE = 0x26
    SERIAL_LATER = 0x27
    SERIAL_FORMER = 0x28
    COUNT = 0x2B
    SET_CLOCK = 0x33
    START_MEASUREMENT = 0x43
    POWER_OFF = 0x50
    CLEAR = 0x52
    ENTERED_COMMUNICATION = 0x54


class Heartbeat(IntEnum):
    """The two bits of the irregular-heartbeat class."""

    NORMAL = 0
    FAST_OR_SLOW = 1  # above 110 or below 50
    VARIED = 2  # by more than 20 %
    ATRIAL_FIBRILLATION = 3


class Meal(IntEnum):
    """The two top bits of a glucose value's last octet."""

    GENERAL = 0
    BEFORE = 1
    AFTER = 2
    CONTROL_SOLUTION = 3


class Analyte(IntEnum):
    """The four bits of a strip's type that we know."""

    GLUCOSE = 0
    HAEMATOCRIT = 6
    KETONE = 7
    URIC_ACID = 8
    CHOLESTEROL = 9
    HAEMOGLOBIN = 11
    LACTATE = 12
    TRIGLYCERIDES = 13


# A ketone value is 30 times the mmol/L.
KETONE_FACTOR = 30


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``command`` is any octet, known or not, and ``data`` always four octets."""

    command: int
    data: bytes = bytes(4)
    direction: Direction = Direction.HOST


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date and time to the minute, with the five flag bits that share its octets.

    ``local`` is None where the fields name no existing date (a clock that was never set), ``text`` is the statement
    in either case.
    """

    text: str
    local: datetime | None
    is_pressure: bool = False
    arrhythmia: bool = False
    averaged: bool = False
    heartbeat: Heartbeat = Heartbeat.NORMAL


@dataclass(frozen=True, slots=True)
class Pressure:
    """mm[Hg] and beats per minute; ``mean`` is None in the layout that has none."""

    systolic: int
    mean: int | None
    diastolic: int
    pulse: int


@dataclass(frozen=True, slots=True)
class Glucose:
    """A strip's value as the meter keeps it: glucose in mg/dL, ketones 30 times the mmol/L; meal or control; the type.

    ``type`` is one of Analyte, or a number that nobody knows.
    """

    value: int
    meal: Meal = Meal.GENERAL
    type: int = Analyte.GLUCOSE


def encode_frame(frame: Frame) -> bytes:
    """The octets of a frame. ValueError where the data are not four octets."""
    if len(frame.data) != 4:
        raise ValueError(f"a frame carries 4 octets, not {len(frame.data)}")
    body = bytes([START, frame.command]) + frame.data + bytes([frame.direction])
    return body + bytes([sum8(body)])


def sum8(body: bytes) -> int:
    """The frame's sum."""
    return sum(body) & 0xFF


def decode_frame(octets: bytes) -> Frame:
    """Exactly one whole frame. CodecError, ChecksumError."""
    if len(octets) != LENGTH:
        raise CodecError(FORMAT, "a frame has 8 octets", octets, min(len(octets), LENGTH))
    if octets[0] != START:
        raise CodecError(FORMAT, "no start octet", octets, 0)
    if octets[6] not in (Direction.HOST, Direction.DEVICE):
        raise CodecError(FORMAT, f"unknown direction {octets[6]:02x}", octets, 6)
    if octets[7] != sum8(octets[:7]):
        raise ChecksumError(FORMAT, f"sum {octets[7]:02x}, computed {sum8(octets[:7]):02x}", octets, 7)
    return Frame(octets[1], octets[2:6], Direction(octets[6]))


class FrameReader(frame_reader.FrameReader[Frame]):
    """Frames out of a stream."""

    def __init__(self) -> None:
        super().__init__(lambda held: LENGTH if held[0] == START else 0, decode_frame)


def select_record(index: int, user: int = 0) -> bytes:
    """The four octets that select a record: 0 the newest; ``user`` in the last octet, 0 on meters without users."""
    return index.to_bytes(2, "little") + bytes([0, user])


def select_user(user: int) -> bytes:
    """The four octets that select whose records are counted."""
    return bytes([user, 0, 0, 0])


def decode_selection(data: bytes) -> tuple[int, int]:
    """Index and user of a record selection."""
    _check_four(data)
    return int.from_bytes(data[:2], "little"), data[3]


def decode_model(data: bytes) -> str:
    """``83 41 ..`` is TD-4183: four decimal digits, low octet first. CodecError where a digit is none."""
    _check_four(data)
    digits = data[1::-1].hex()
    if not digits.isdecimal():
        raise CodecError(FORMAT, f"{digits} is not a model number", data, 0)
    return f"TD-{digits}"


def encode_model(model: str) -> bytes:
    """The device's side of READ_MODEL, from ``TD-4183``."""
    return bytes.fromhex(model.removeprefix("TD-"))[::-1] + bytes(2)


def decode_serial_half(data: bytes) -> str:
    """Eight hex digits, high octet last; the former half comes with SERIAL_FORMER, the later with SERIAL_LATER."""
    _check_four(data)
    return data[::-1].hex().upper()


def encode_serial_half(half: str) -> bytes:
    """The device's side of a half of the serial number."""
    return bytes.fromhex(half)[::-1]


def decode_count(data: bytes) -> int:
    """How many records the user has; the second half counts those without control tests and is FFFF when empty."""
    _check_four(data)
    return int.from_bytes(data[:2], "little")


def encode_count(count: int) -> bytes:
    """The device's side of COUNT."""
    return count.to_bytes(2, "little") + (count.to_bytes(2, "little") if count else b"\xff\xff")


def decode_stamp(data: bytes) -> Stamp:
    """Clock or record time: ``year7 month4 day5`` little endian, minute, hour; flags in the bits left over."""
    _check_four(data)
    date = int.from_bytes(data[:2], "little")
    year, month, day = 2000 + (date >> 9), date >> 5 & 0x0F, date & 0x1F
    minute, hour = data[2] & 0x3F, data[3] & 0x1F
    return Stamp(
        text=f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}",
        local=_local(year, month, day, hour, minute),
        is_pressure=bool(data[2] & 0x80),
        arrhythmia=bool(data[2] & 0x40),
        averaged=bool(data[3] & 0x80),
        heartbeat=Heartbeat(data[3] >> 5 & 0x03),
    )


def encode_stamp(stamp: Stamp) -> bytes:
    """The device's side of a clock or record time, from ``local``. ValueError where there is none."""
    if stamp.local is None:
        raise ValueError("no date to encode")
    local = stamp.local
    date = (local.year - 2000) << 9 | local.month << 5 | local.day
    minute = local.minute | stamp.is_pressure << 7 | stamp.arrhythmia << 6
    hour = local.hour | stamp.averaged << 7 | stamp.heartbeat << 5
    return date.to_bytes(2, "little") + bytes([minute, hour])


def decode_pressure(data: bytes, *, with_mean: bool) -> Pressure:
    """A record's values: systolic, mean, diastolic, pulse; without mean the systolic has 16 bits."""
    _check_four(data)
    if with_mean:
        return Pressure(systolic=data[0], mean=data[1], diastolic=data[2], pulse=data[3])
    return Pressure(systolic=int.from_bytes(data[:2], "little"), mean=None, diastolic=data[2], pulse=data[3])


def encode_pressure(pressure: Pressure) -> bytes:
    """The device's side of a pressure record's values."""
    if pressure.mean is not None:
        return bytes([pressure.systolic, pressure.mean, pressure.diastolic, pressure.pulse])
    return pressure.systolic.to_bytes(2, "little") + bytes([pressure.diastolic, pressure.pulse])


def decode_glucose(data: bytes) -> Glucose:
    """A record's value on the glucose models."""
    _check_four(data)
    return Glucose(value=int.from_bytes(data[:2], "little"), meal=Meal(data[3] >> 6), type=data[3] >> 2 & 0x0F)


def encode_glucose(glucose: Glucose) -> bytes:
    """The device's side of a glucose record's value."""
    return glucose.value.to_bytes(2, "little") + bytes([0, glucose.meal << 6 | glucose.type << 2])


def ketone_mmol_l(raw: int) -> Decimal:
    """What the display shows: a thirtieth, cut to one decimal."""
    return (Decimal(raw) / KETONE_FACTOR).quantize(Decimal("0.1"), ROUND_DOWN)


def ketone_raw(mmol_l: Decimal) -> int:
    """The device's side of it."""
    return int(mmol_l * KETONE_FACTOR)


def _check_four(data: bytes) -> None:
    if len(data) != 4:
        raise CodecError(FORMAT, "a frame carries 4 octets", data, min(len(data), 4))


def _local(year: int, month: int, day: int, hour: int, minute: int) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - the device's wall clock is naive
    except ValueError:
        return None
