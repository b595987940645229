"""Microlife's USB cuff (BP B3 Comfort PC): reports, messages and the dump. Wire page: ``drivers/microlife_b3.md``.

A message is ``4D way length data sum``: way FF to the cuff and 3A from it, length (16 bits, big endian) of everything
behind itself, sum of everything before it modulo 256. The cuff's reports have 8 octets, the low half of the first says
how many of the others count. Total: every byte string gives a value or a CodecError.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, IntFlag

from device_drivers.errors import ChecksumError, CodecError

FORMAT = "microlife-b3"

START = 0x4D
_FRAME = 4  # start, way, length
_HEADER = 42
_ROW = 10
_COUNT_AT = 7
REPORT = 8
# The memory holds 250 records at most (one octet of count); a longer claim is noise.
LONGEST = _HEADER + 255 * _ROW + 1

READ_MEMORY = bytes.fromhex("00000000000000fd")
SET_CLOCK = 0x0D


class Way(IntEnum):
    """Who speaks."""

    HOST = 0xFF
    CUFF = 0x3A


class Flag(IntFlag):
    """The ninth octet of a row."""

    IRREGULAR = 0x40
    CUFF_FITS = 0x80


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``data`` is what stands between length and sum."""

    way: Way
    data: bytes

    @property
    def command(self) -> str | None:
        """What the host asks, the first octet of its data in hex; None for the cuff's messages."""
        return self.data[:1].hex() if self.way is Way.HOST else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One measurement: mm[Hg], beats per minute, the cuff's wall clock to the minute.

    ``local`` is None where the fields name no date (month and day 0: the clock had never been set), ``time`` is the
    statement in either case.
    """

    time: str
    local: datetime | None
    systolic: int
    diastolic: int
    pulse: int
    cuff_ok: bool
    irregular: bool
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class Dump:
    """The whole memory, oldest first, and the header in front of it (its meaning is not known but for the count)."""

    header: bytes
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class SetClock:
    """A message that we never send: the time to show."""

    local: datetime | None


def report_octets(report: bytes) -> bytes:
    """What one report of the cuff carries. CodecError."""
    if len(report) != REPORT:
        raise CodecError(FORMAT, "a report has 8 octets", report, min(len(report), REPORT))
    count = report[0] & 0x0F
    if count >= REPORT:
        raise CodecError(FORMAT, f"a report cannot carry {count} octets", report, 0)
    return report[1 : 1 + count]


def reports_of(octets: bytes) -> list[bytes]:
    """The cuff's side: an octet string cut into reports."""
    chunks = [octets[start : start + REPORT - 1] for start in range(0, len(octets), REPORT - 1)]
    return [(bytes([len(chunk)]) + chunk).ljust(REPORT, b"\0") for chunk in chunks]


def output_report(octets: bytes) -> bytes:
    """What the host writes: the length as the report's number, and the whole message."""
    return bytes([len(octets)]) + octets


def encode_message(message: Message) -> bytes:
    """The octets of a message."""
    body = bytes([START, message.way]) + (len(message.data) + 1).to_bytes(2, "big") + message.data
    return body + bytes([sum(body) & 0xFF])


def whole_length(octets: bytes) -> int | None:
    """How long the message that begins here will be; None while its length has not come. CodecError."""
    if octets[:1] not in (b"", bytes([START])):
        raise CodecError(FORMAT, "no start octet", octets, 0)
    if len(octets) < _FRAME:
        return None
    length = _FRAME + int.from_bytes(octets[2:_FRAME], "big")
    if length > LONGEST:
        raise CodecError(FORMAT, f"a message of {length} octets", octets, 2)
    return length


def decode_message(octets: bytes) -> Message:
    """Exactly one whole message. CodecError, ChecksumError."""
    length = whole_length(octets)
    if length is None or length != len(octets) or length <= _FRAME:
        raise CodecError(FORMAT, "the length does not fit", octets, min(2, len(octets)))
    if octets[1] not in (Way.HOST, Way.CUFF):
        raise CodecError(FORMAT, f"unknown way {octets[1]:02x}", octets, 1)
    wanted = sum(octets[:-1]) & 0xFF
    if octets[-1] != wanted:
        raise ChecksumError(FORMAT, f"sum {octets[-1]:02x}, computed {wanted:02x}", octets, len(octets) - 1)
    return Message(Way(octets[1]), octets[_FRAME:-1])


def decode_dump(octets: bytes) -> Dump:
    """The answer to READ_MEMORY: header, rows, sum. CodecError, ChecksumError.

    A header that counts other than the rows that follow is a CodecError: what is missing is not known.
    """
    message = decode_message(octets)
    if message.way is not Way.CUFF:
        raise CodecError(FORMAT, "not from the cuff", octets, 1)
    header, rows = octets[:_HEADER], octets[_HEADER:-1]
    if len(octets) <= _HEADER or len(rows) != header[_COUNT_AT] * _ROW:
        raise CodecError(FORMAT, f"{len(rows)} octets of rows for their count", octets, _COUNT_AT)
    return Dump(header, tuple(decode_record(rows[start : start + _ROW]) for start in range(0, len(rows), _ROW)))


def decode_record(row: bytes) -> Record:
    """One row of the dump, 10 octets. CodecError."""
    if len(row) != _ROW:
        raise CodecError(FORMAT, "a row has 10 octets", row, min(len(row), _ROW))
    systolic, diastolic, pulse, year, month, day, hour, minute, flags, _ = row
    return Record(
        time=f"{2000 + year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}",
        local=_local(2000 + year, month, day, hour, minute),
        systolic=systolic,
        diastolic=diastolic,
        pulse=pulse,
        cuff_ok=bool(flags & Flag.CUFF_FITS),
        irregular=bool(flags & Flag.IRREGULAR),
        octets=row,
    )


def decode(octets: bytes) -> Record | Dump | SetClock | Message:
    """One row (10 octets), or one whole message of either side, the reports' counts taken away. CodecError."""
    if len(octets) == _ROW and octets[:1] != bytes([START]):
        return decode_record(octets)
    message = decode_message(octets)
    if message.way is Way.CUFF and len(octets) > _HEADER:
        return decode_dump(octets)
    if message.way is Way.HOST and message.data[:1] == bytes([SET_CLOCK]) and len(message.data) == 7:
        year, month, day, hour, minute, second = message.data[1:]
        return SetClock(_local(2000 + year, month, day, hour, minute, second))
    return message


def encode_record(record: Record, *, clock_was_set: bool = True) -> bytes:
    """The cuff's side of a row. ValueError where the record has no date."""
    if record.local is None:
        raise ValueError("no date to encode")
    local = record.local
    stamp = [local.year - 2000, local.month, local.day, local.hour, local.minute]
    flags = record.cuff_ok * Flag.CUFF_FITS | record.irregular * Flag.IRREGULAR
    figures = [record.systolic, record.diastolic, record.pulse]
    return bytes([*figures, *(stamp if clock_was_set else [stamp[0], 0, 0, 0, 0]), flags, 0])


def encode_dump(rows: list[bytes]) -> bytes:
    """The cuff's side of READ_MEMORY, its header as the captured one but for the count."""
    header = bytes([0, 0, 0, len(rows), 1]).ljust(_HEADER - _FRAME, b"\0")
    return encode_message(Message(Way.CUFF, header + b"".join(rows)))


def _local(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the device's wall clock is naive
    except ValueError:
        return None
