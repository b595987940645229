"""SunTech's OEM blood-pressure modules: packets. Wire page: ``drivers/suntech_nibp.md``.

Host: ``3a command.. check``; module: ``3e length data.. check``, the length counting the whole packet. All octets of a
packet add up to 0 modulo 256. Numbers are little endian. Total: every byte string gives a value or a CodecError.
"""

from dataclasses import dataclass
from enum import IntEnum

from device_drivers.codecs import frame_reader
from device_drivers.codecs.octets import Octets
from device_drivers.errors import ChecksumError, CodecError

FORMAT = "suntech-nibp"

HOST, MODULE = 0x3A, 0x3E
# The longest packet known is the 67 octets of the version strings.
LONGEST = 67

# Packets are told apart by their length.
_STATUS, _PRESSURE, _RESULT = 4, 5, 24


class Status(IntEnum):
    """The one letter of a short packet."""

    RECEIVED = 0x4F  # "O": a command was taken
    EXECUTED = 0x4B  # "K": it is done; after a start, the measurement is
    ABORTED = 0x41  # "A"
    BUSY = 0x42  # "B"
    ERROR = 0x45  # "E"
    UNDEFINED = 0x4E  # "N"
    UNRECOGNISED = 0x44  # "D"
    ASLEEP = 0x53  # "S"
    TIMED_OUT = 0x54  # "T"


_LETTERS = {status.value for status in Status}

# Why a measurement gave no figures.
ERRORS: dict[int, str] = {
    1: "weak_signal",
    2: "erratic_signal",
    3: "pressure_out_of_range",
    4: "measurement_took_too_long",
    85: "pneumatic_blockage",
    86: "stopped_by_a_person",
    87: "loose_cuff_or_leak",
    88: "safety_timeout",
    89: "cuff_overpressure",
    90: "hardware_problem",
    91: "safety_override_or_zero_out_of_range",
    97: "transducer_out_of_range",
    99: "calibration_data_failure",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What the host says; ``data`` is the command with its parameters."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CuffPressure:
    """mm[Hg] in the cuff at this moment."""

    mmhg: int


@dataclass(frozen=True, slots=True)
class Result:
    """The last measurement: mm[Hg] and beats per minute; an ``error`` other than 0 is one of ERRORS, or unknown."""

    systolic: int
    diastolic: int
    beats: int
    status: int
    test_codes: bytes
    pulse: int
    mean: int
    error: int


@dataclass(frozen=True, slots=True)
class Other:
    """A whole packet that says nothing to us (version strings, calibration, a status letter that nobody knows)."""

    data: bytes


Packet = Command | CuffPressure | Status | Result | Other


def _checked(body: bytes) -> bytes:
    return body + bytes([-sum(body) & 0xFF])


def encode_command(data: bytes) -> bytes:
    """A host packet."""
    return _checked(bytes([HOST]) + data)


START = encode_command(bytes([0x20]))
ABORT = encode_command(bytes([0x79, 0x01, 0x00]))
READ_RESULT = encode_command(bytes([0x79, 0x03, 0x00]))
READ_CUFF_PRESSURE = encode_command(bytes([0x79, 0x05, 0x00]))


def decode(octets: bytes) -> Packet:
    """Exactly one whole packet, of the host or of the module. CodecError, ChecksumError."""
    if len(octets) < 3 or octets[0] not in (HOST, MODULE):
        raise CodecError(FORMAT, "no packet begins so", octets, 0)
    if octets[0] == MODULE and octets[1] != len(octets):
        raise CodecError(FORMAT, f"length {octets[1]} for {len(octets)} octets", octets, 1)
    if sum(octets) & 0xFF:
        wanted = -sum(octets[:-1]) & 0xFF
        raise ChecksumError(FORMAT, f"check {octets[-1]:02x}, computed {wanted:02x}", octets, len(octets) - 1)
    return Command(octets[1:-1]) if octets[0] == HOST else _decode_data(octets[2:-1])


def _decode_data(data: bytes) -> Packet:
    length = len(data) + 3
    if length == _STATUS and data[0] in _LETTERS:
        return Status(data[0])
    if length == _PRESSURE:
        return CuffPressure(int.from_bytes(data, "little"))
    if length == _RESULT:
        return _decode_result(Octets(FORMAT, data))
    return Other(data)


def _decode_result(octets: Octets) -> Result:
    systolic, diastolic = octets.uint16("systolic"), octets.uint16("diastolic")
    beats, status = octets.uint8("beats"), octets.uint8("status")
    test_codes = octets.take(8, "test codes")
    pulse, _ = octets.uint8("pulse"), octets.uint8("spare")
    return Result(
        systolic=systolic,
        diastolic=diastolic,
        beats=beats,
        status=status,
        test_codes=test_codes,
        pulse=pulse,
        mean=octets.uint16("mean"),
        error=octets.uint8("error"),
    )


def encode(packet: Packet) -> bytes:
    """A whole packet, of the host for a Command and of the module for everything else."""
    match packet:
        case Command(data):
            return encode_command(data)
        case CuffPressure(mmhg):
            return _from_module(mmhg.to_bytes(2, "little"))
        case Status():
            return _from_module(bytes([packet]))
        case Result():
            return _from_module(_encode_result(packet))
        case Other(data):
            return _from_module(data)


def _encode_result(result: Result) -> bytes:
    return b"".join(
        (
            result.systolic.to_bytes(2, "little"),
            result.diastolic.to_bytes(2, "little"),
            bytes([result.beats, result.status]),
            result.test_codes,
            bytes([result.pulse, 0]),
            result.mean.to_bytes(2, "little"),
            bytes([result.error, 0, 0]),
        )
    )


def _from_module(data: bytes) -> bytes:
    return _checked(bytes([MODULE, len(data) + 3]) + data)


def _measure(held: bytes) -> int | None:
    """The module's packets only: the host's do not say how long they are."""
    if held[0] != MODULE:
        return 0
    if len(held) < 2:
        return None
    return held[1] if 4 <= held[1] <= LONGEST else 0


def packet_reader() -> frame_reader.FrameReader[Packet]:
    """What the module says, out of a stream."""
    return frame_reader.FrameReader(_measure, decode)
