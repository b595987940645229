"""LifeScan UltraMini / UltraEasy: link frames and messages. Wire page: ``drivers/lifescan_ultramini.md``.

The Verio IQ has the same frames and other messages: ``lifescan_verio_iq``.

Frame: ``02 length control payload 03 crc_low crc_high``; length counts the whole frame, the CRC is
CRC-16/CCITT-FALSE over everything before it. All numbers are little endian. Total: every byte string gives a value or
a CodecError; a frame reader never fails, it reports damage and goes on.
"""

import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntFlag

from device_drivers.codecs import frame_reader
from device_drivers.errors import ChecksumError, CodecError

FORMAT = "lifescan-ultramini"

STX, ETX = 0x02, 0x03
OVERHEAD = 6  # STX, length, control, ETX, CRC
# The longest frame known is the 26 octets of the version; a longer claim is noise that looks like a start.
LONGEST = 64

LOW, HIGH = 0xFFFE, 0xFFFF
# An index beyond any memory: the meter answers with the number of records it holds.
COUNT_INDEX = 512
# The clock counts seconds of local wall time from here.
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the device's wall clock is naive by definition

READ_VERSION = bytes.fromhex("050d02")
READ_SERIAL_NUMBER = bytes.fromhex("050b02") + bytes(9)
READ_CLOCK = bytes.fromhex("05200200000000")
_READ_RECORD = bytes.fromhex("051f")
READ_COUNT = _READ_RECORD + COUNT_INDEX.to_bytes(2, "little")
_REPLY = bytes.fromhex("0506")
_COUNT_REPLY = bytes.fromhex("050f")
_VERSION_REPLY = bytes.fromhex("050611")


class Control(IntFlag):
    """The link control octet; the upper three bits are zero."""

    SEND = 0x01  # number of this data frame, modulo 2
    EXPECT = 0x02  # number of the frame expected next, modulo 2
    ACKNOWLEDGE = 0x04
    DISCONNECT = 0x08
    MORE = 0x10


_ALL = 0x1F


@dataclass(frozen=True, slots=True)
class Frame:
    """One link frame; a payload is a message, an empty one belongs to the link alone."""

    control: Control
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Record:
    """One glucose record: seconds of local wall time since the epoch, and mg/dL or one of LOW and HIGH.

    The marks and the other epoch are a Verio IQ's: ``meal`` is 0 none, 1 before, 2 after.
    """

    seconds: int
    value: int
    is_control: bool = False
    meal: int = 0
    epoch: datetime = EPOCH

    @property
    def local(self) -> datetime:
        """The meter's wall clock at the measurement."""
        return self.epoch + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Version:
    """Software version and the date of its making, as the meter spells them (``P02.00.00``, ``25/05/07``)."""

    software: str
    made: str = ""


def decode(octets: bytes) -> Frame:
    """One link frame; what its payload says depends on the command that it answers. CodecError, ChecksumError."""
    return decode_frame(octets)


def encode_frame(frame: Frame) -> bytes:
    """The octets of a frame. ValueError where the payload is too long."""
    length = len(frame.payload) + OVERHEAD
    if length > LONGEST:
        raise ValueError(f"a payload of {len(frame.payload)} octets does not fit into a frame")
    body = bytes([STX, length, frame.control]) + frame.payload + bytes([ETX])
    return body + crc(body)


def crc(body: bytes) -> bytes:
    """CRC-16/CCITT-FALSE as it stands in the frame, low octet first."""
    return binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "little")


def decode_frame(octets: bytes) -> Frame:
    """Exactly one whole frame. CodecError, ChecksumError."""
    if len(octets) < OVERHEAD:
        raise CodecError(FORMAT, "a frame has at least 6 octets", octets, len(octets))
    if octets[0] != STX:
        raise CodecError(FORMAT, "no start octet", octets, 0)
    if octets[1] != len(octets):
        raise CodecError(FORMAT, f"length {octets[1]} for {len(octets)} octets", octets, 1)
    if octets[2] & ~_ALL:
        raise CodecError(FORMAT, f"unknown control bits {octets[2]:02x}", octets, 2)
    if octets[-3] != ETX:
        raise CodecError(FORMAT, "no end octet", octets, len(octets) - 3)
    wanted = crc(octets[:-2])
    if octets[-2:] != wanted:
        reason = f"CRC {octets[-2:].hex()}, computed {wanted.hex()}"
        raise ChecksumError(FORMAT, reason, octets, len(octets) - 2)
    return Frame(Control(octets[2]), octets[3:-3])


class FrameReader(frame_reader.FrameReader[Frame]):
    """Frames out of a stream."""

    def __init__(self) -> None:
        super().__init__(_measure, decode_frame)


def _measure(held: bytes) -> int | None:
    """0 where what is held is no beginning of a frame."""
    if held[0] != STX or (len(held) > 2 and held[2] & ~_ALL):
        return 0
    if len(held) < 2:
        return None
    return held[1] if OVERHEAD <= held[1] <= LONGEST else 0


def read_record(index: int) -> bytes:
    """The message that asks for a record, 0 the newest."""
    return _READ_RECORD + index.to_bytes(2, "little")


def decode_version(message: bytes) -> Version:
    """Reply to READ_VERSION. CodecError."""
    text = _ascii(_expect(message, _VERSION_REPLY, 20), message)
    return Version(software=text[:-8].strip(), made=text[-8:])


def decode_serial_number(message: bytes) -> str:
    """Reply to READ_SERIAL_NUMBER: nine characters. CodecError."""
    text = _ascii(_expect(message, _REPLY, 11), message).strip()
    if not text:
        raise CodecError(FORMAT, "an empty serial number", message, 2)
    return text


def decode_clock(message: bytes) -> datetime:
    """Reply to READ_CLOCK: the meter's wall clock. CodecError."""
    return local_time(int.from_bytes(_expect(message, _REPLY, 6), "little"))


def decode_count(message: bytes) -> int:
    """Reply to READ_COUNT: how many records the memory holds. CodecError."""
    return int.from_bytes(_expect(message, _COUNT_REPLY, 4), "little")


def decode_record(message: bytes) -> Record:
    """Reply to ``read_record``. CodecError."""
    body = _expect(message, _REPLY, 10)
    return Record(int.from_bytes(body[:4], "little"), int.from_bytes(body[4:], "little"))


def local_time(seconds: int) -> datetime:
    """The wall clock that a 32-bit count of seconds shows."""
    return EPOCH + timedelta(seconds=seconds)


def encode_version(version: Version) -> bytes:
    """The meter's side of READ_VERSION."""
    return _VERSION_REPLY + (version.software + version.made).encode("ascii")


def encode_serial_number(serial_number: str) -> bytes:
    """The meter's side of READ_SERIAL_NUMBER."""
    return _REPLY + serial_number.encode("ascii").ljust(9)


def encode_clock(clock: datetime) -> bytes:
    """The meter's side of READ_CLOCK."""
    return _REPLY + seconds_of(clock).to_bytes(4, "little")


def encode_count(count: int) -> bytes:
    """The meter's side of an index beyond its memory."""
    return _COUNT_REPLY + count.to_bytes(2, "little")


def encode_record(record: Record) -> bytes:
    """The meter's side of ``read_record``."""
    return _REPLY + record.seconds.to_bytes(4, "little") + record.value.to_bytes(4, "little")


def decode_request(message: bytes) -> int | None:
    """The index that a ``read_record`` asks for, None for any other message."""
    return int.from_bytes(message[2:], "little") if len(message) == 4 and message[:2] == _READ_RECORD else None


def seconds_of(local: datetime) -> int:
    """The count of seconds that shows this wall clock."""
    return (local - EPOCH) // timedelta(seconds=1)


def _expect(message: bytes, prefix: bytes, length: int) -> bytes:
    """What follows the prefix, in a message of exactly this length."""
    if not message.startswith(prefix):
        raise CodecError(FORMAT, f"a reply begins with {prefix.hex()}", message, 0)
    if len(message) != length:
        raise CodecError(FORMAT, f"this reply has {length} octets", message, min(len(message), length))
    return message[len(prefix) :]


def _ascii(text: bytes, message: bytes) -> str:
    for offset, octet in enumerate(text):
        if not 0x20 <= octet < 0x7F:
            raise CodecError(FORMAT, "not a printable character", message, len(message) - len(text) + offset)
    return text.decode("ascii")
