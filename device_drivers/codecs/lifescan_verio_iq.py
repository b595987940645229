"""LifeScan Verio IQ: its messages, inside the UltraMini's frames. Wire page: ``drivers/lifescan_ultramini.md``.

The same conversation as ``lifescan_ultramini``, so the same names: commands begin with 03, answers with 03 and a status
(06 done, 09 refused), times count from 2000, records mark control solution and meals. All numbers are little endian.
Total: every byte string gives a value or a CodecError.
"""

from datetime import datetime, timedelta

from device_drivers.codecs.lifescan_ultramini import Frame, Record, Version, decode_frame
from device_drivers.errors import CodecError

FORMAT = "lifescan-verio-iq"

# The clock counts seconds of local wall time from here.
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the device's wall clock is naive by definition

READ_VERSION = bytes.fromhex("030d01")
READ_SERIAL_NUMBER = bytes.fromhex("030b0102")
READ_CLOCK = bytes.fromhex("032002")
READ_COUNT = bytes.fromhex("032700")
REFUSED = bytes.fromhex("0309")
_READ_RECORD = bytes.fromhex("0321")
_REPLY = bytes.fromhex("0306")


def decode(octets: bytes) -> Frame:
    """One link frame; what its payload says depends on the command that it answers. CodecError, ChecksumError."""
    return decode_frame(octets)


def read_record(index: int) -> bytes:
    """The message that asks for a record, 0 the newest."""
    return _READ_RECORD + index.to_bytes(2, "little")


def decode_version(message: bytes) -> Version:
    """Reply to READ_VERSION: a length, so many characters, a zero. CodecError."""
    body = _expect(message)
    if not body or len(body) < body[0] + 1:
        raise CodecError(FORMAT, "the version is shorter than its length says", message, len(message))
    return Version(_ascii(body[1 : body[0] + 1], message))


def decode_serial_number(message: bytes) -> str:
    """Reply to READ_SERIAL_NUMBER: characters up to a zero. CodecError."""
    text = _ascii(_expect(message).partition(b"\0")[0], message)
    if not text:
        raise CodecError(FORMAT, "an empty serial number", message, 2)
    return text


def decode_clock(message: bytes) -> datetime:
    """Reply to READ_CLOCK: the meter's wall clock. CodecError."""
    return local_time(int.from_bytes(_expect(message, 4), "little"))


def decode_count(message: bytes) -> int:
    """Reply to READ_COUNT: how many records the memory holds. CodecError."""
    return int.from_bytes(_expect(message, 2), "little")


def decode_record(message: bytes) -> Record:
    """Reply to ``read_record``; the two octets behind the marks are unknown and left out. CodecError."""
    body = _expect(message, 10)
    if body[6] > 1:
        raise CodecError(FORMAT, f"the mark for control solution is {body[6]:02x}", message, 8)
    return Record(
        seconds=int.from_bytes(body[:4], "little"),
        value=int.from_bytes(body[4:6], "little"),
        is_control=body[6] == 1,
        meal=body[7],
        epoch=EPOCH,
    )


def local_time(seconds: int) -> datetime:
    """The wall clock that a 32-bit count of seconds shows."""
    return EPOCH + timedelta(seconds=seconds)


def seconds_of(local: datetime) -> int:
    """The count of seconds that shows this wall clock."""
    return (local - EPOCH) // timedelta(seconds=1)


def encode_version(version: Version) -> bytes:
    """The meter's side of READ_VERSION."""
    return _REPLY + bytes([len(version.software)]) + version.software.encode("ascii") + b"\0"


def encode_serial_number(serial_number: str) -> bytes:
    """The meter's side of READ_SERIAL_NUMBER."""
    return _REPLY + serial_number.encode("ascii") + b"\0"


def encode_clock(clock: datetime) -> bytes:
    """The meter's side of READ_CLOCK."""
    return _REPLY + seconds_of(clock).to_bytes(4, "little")


def encode_count(count: int) -> bytes:
    """The meter's side of READ_COUNT."""
    return _REPLY + count.to_bytes(2, "little")


def encode_record(record: Record) -> bytes:
    """The meter's side of ``read_record``."""
    figures = record.seconds.to_bytes(4, "little") + record.value.to_bytes(2, "little")
    return _REPLY + figures + bytes([record.is_control, record.meal, 0, 0])


def decode_request(message: bytes) -> int | None:
    """The index that a ``read_record`` asks for, None for any other message."""
    return int.from_bytes(message[2:], "little") if len(message) == 4 and message[:2] == _READ_RECORD else None


def _expect(message: bytes, length: int | None = None) -> bytes:
    """What follows a good status, of exactly this length where one is given."""
    if message[:2] == REFUSED:
        raise CodecError(FORMAT, "the meter refused", message, 1)
    if not message.startswith(_REPLY):
        raise CodecError(FORMAT, f"a reply begins with {_REPLY.hex()}", message, 0)
    body = message[len(_REPLY) :]
    if length is not None and len(body) != length:
        raise CodecError(FORMAT, f"this reply has {length + 2} octets", message, min(len(message), length + 2))
    return body


def _ascii(text: bytes, message: bytes) -> str:
    if not text.isascii() or not text.decode("ascii").isprintable():
        raise CodecError(FORMAT, "not a printable character", message, 2)
    return text.decode("ascii").strip()
