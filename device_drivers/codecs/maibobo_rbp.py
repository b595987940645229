"""Maibobo's (Raycome's) RBP blood-pressure cuffs: frames. Wire page: ``drivers/maibobo_rbp.md``.

``cc 80`` (host) or ``aa 80`` (cuff), version, length, type, sub-type, data, xor; the length counts type, sub-type and
data, the xor covers everything between the first two octets and itself. Numbers are big endian. Total: every byte
string gives a value or a CodecError.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from functools import reduce
from operator import xor

from device_drivers.codecs import frame_reader
from device_drivers.codecs.octets import Octets
from device_drivers.errors import ChecksumError, CodecError

FORMAT = "maibobo-rbp"

# Over a cable; 2 is what the cuffs of the radio say.
VERSION = 3

PRESSURE_TYPE = 1

_OVERHEAD = 5  # what a frame has around type, sub-type and data
_SECOND = 0x80
# A result has 15 octets behind its length; a longer claim than this is noise that looks like a start.
_LONGEST_BODY = 32

# Why a measurement gave no figures.
ERRORS: dict[int, str] = {
    1: "cuff_overpressure",
    2: "arm_position_or_upstream_leak",
    5: "arm_position_or_downstream_leak",
    6: "no_pulse_signal",
    9: "deflation_took_too_long",
    15: "leak",
    16: "motor_failure",
}


class SubType(IntEnum):
    """Of type 1; START, STOP and POWER_OFF are here so that tests can forbid them."""

    CONNECT = 1
    START = 2
    STOP = 3
    POWER_OFF = 4
    CUFF_PRESSURE = 5
    RESULT = 6
    FAILURE = 7


class Sender(Enum):
    """Who speaks: the first octet."""

    HOST = 0xCC
    CUFF = 0xAA


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``data`` may be empty."""

    type: int
    sub_type: int
    data: bytes = b"\x00"
    version: int = VERSION
    sender: Sender = Sender.HOST


@dataclass(frozen=True, slots=True)
class CuffPressure:
    """mm[Hg] in the cuff while it measures."""

    mmhg: int


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement: mm[Hg] and beats per minute.

    ``local`` is None where the date does not exist, ``text`` is the cuff's statement in either case.
    """

    user: int
    text: str
    local: datetime | None
    systolic: int
    diastolic: int
    pulse: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A measurement without figures; ``code`` is one of ERRORS, or unknown."""

    code: int


Message = CuffPressure | Result | Failure | Frame


def encode_frame(frame: Frame) -> bytes:
    """The octets of a frame. ValueError where the data are too long."""
    body = bytes([frame.version, len(frame.data) + 2, frame.type, frame.sub_type]) + frame.data
    if len(frame.data) + 2 > _LONGEST_BODY:
        raise ValueError(f"{len(frame.data)} octets of data do not fit into a frame")
    return bytes([frame.sender.value, _SECOND]) + body + bytes([reduce(xor, body)])


CONNECT_COMMAND = encode_frame(Frame(PRESSURE_TYPE, SubType.CONNECT))


def decode_frame(octets: bytes) -> Frame:
    """Exactly one whole frame, of the host or of the cuff. CodecError, ChecksumError."""
    if len(octets) < _OVERHEAD + 2 or octets[0] not in (0xAA, 0xCC) or octets[1] != _SECOND:
        raise CodecError(FORMAT, "no frame begins so", octets, 0)
    if octets[3] + _OVERHEAD != len(octets):
        raise CodecError(FORMAT, f"length {octets[3]} for {len(octets)} octets", octets, 3)
    wanted = reduce(xor, octets[2:-1])
    if octets[-1] != wanted:
        raise ChecksumError(FORMAT, f"xor {octets[-1]:02x}, computed {wanted:02x}", octets, len(octets) - 1)
    return Frame(octets[4], octets[5], octets[6:-1], octets[2], Sender(octets[0]))


def decode(octets: bytes) -> Message:
    """One whole frame as what it says: a pressure, a result, a failure, or the frame itself. CodecError."""
    return message_of(decode_frame(octets))


def message_of(frame: Frame) -> Message:
    """What a frame says. CodecError where its data are too short for that."""
    if frame.sender is not Sender.CUFF or frame.type != PRESSURE_TYPE:
        return frame
    octets = Octets(FORMAT, frame.data)
    match frame.sub_type:
        case SubType.CUFF_PRESSURE:
            return CuffPressure(_pressure(octets, frame.version))
        case SubType.RESULT:
            return _result(octets)
        case SubType.FAILURE:
            return Failure(octets.uint8("error"))
        case _:
            return frame


def _pressure(octets: Octets, version: int) -> int:
    """Version 3: the first two octets. Version 2: the second octet, and the fifth with the second's bits turned."""
    if version >= VERSION:
        return octets.uint16("pressure", big_endian=True)
    data = octets.take(6, "pressure")
    return data[1] << 8 | data[1] ^ data[4]


def _result(octets: Octets) -> Result:
    user = octets.uint8("user")
    year, month, day, hour, minute, second = octets.take(6, "date and time")
    return Result(
        user=user,
        text=f"{2000 + year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
        local=_local(2000 + year, month, day, hour, minute, second),
        systolic=octets.uint16("systolic", big_endian=True),
        diastolic=octets.uint16("diastolic", big_endian=True),
        pulse=octets.uint16("pulse", big_endian=True),
    )


def encode(message: Message, version: int = VERSION) -> bytes:
    """The cuff's side of a message; a Frame is encoded as it is."""
    match message:
        case Frame():
            return encode_frame(message)
        case CuffPressure(mmhg):
            high, low = divmod(mmhg, 256)
            data = bytes([high, low]) if version >= VERSION else bytes([0, high, 0, 0, high ^ low, 0])
            return encode_frame(Frame(PRESSURE_TYPE, SubType.CUFF_PRESSURE, data, version, Sender.CUFF))
        case Result():
            return encode_frame(Frame(PRESSURE_TYPE, SubType.RESULT, _encode_result(message), version, Sender.CUFF))
        case Failure(code):
            return encode_frame(Frame(PRESSURE_TYPE, SubType.FAILURE, bytes([code]), version, Sender.CUFF))


def _encode_result(result: Result) -> bytes:
    if (local := result.local) is None:
        raise ValueError("no date to encode")
    date = bytes([local.year - 2000, local.month, local.day, local.hour, local.minute, local.second])
    figures = (result.systolic, result.diastolic, result.pulse)
    return bytes([result.user]) + date + b"".join(figure.to_bytes(2, "big") for figure in figures)


def _local(*fields: int) -> datetime | None:
    try:
        return datetime(*fields)  # type: ignore[arg-type]  # noqa: DTZ001 - the cuff's wall clock is naive
    except ValueError:
        return None


def _measure(held: bytes) -> int | None:
    """The cuff's frames only."""
    if held[0] != Sender.CUFF.value or (len(held) > 1 and held[1] != _SECOND):
        return 0
    if len(held) < 4:
        return None
    return held[3] + _OVERHEAD if 2 <= held[3] <= _LONGEST_BODY else 0


def cuff_reader() -> frame_reader.FrameReader[Frame]:
    """What the cuff says, out of a stream."""
    return frame_reader.FrameReader(_measure, decode_frame)
