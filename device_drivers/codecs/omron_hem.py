"""Omron's USB cuffs (HEM-790IT and its family): reports, commands and answers. Wire page: ``drivers/omron_hem.md``.

A report has 8 octets: how many of the next seven count, and those; what stands behind them is stale. Commands and
answers are octet strings cut into reports. An answer is ``OK``, or ``NO`` (busy, ask again), or ``OK 00 data xor``,
where xor is that of the data. Total: every byte string gives a value or a CodecError.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import xor

from device_drivers.errors import ChecksumError, CodecError

FORMAT = "omron-hem"

REPORT = 8
_CARRIES = 7

INFORMATION = bytes.fromhex("0101")
READINGS = bytes.fromhex("74bc")

OK, BUSY, OFF = b"OK", b"NO", b"OFF\r\n"
VERSION, PROFILE, SERIAL_NUMBER = b"VER00", b"PRF00", b"SRL00"
END = b"END\xff\xff"
CLEAR = bytes(23)
_COUNT, _RECORD = b"GDC", b"GME"

# How long the answers are, ``OK 00`` and xor counted.
VERSION_LENGTH, PROFILE_LENGTH, SERIAL_NUMBER_LENGTH, COUNT_LENGTH = 15, 14, 11, 8
RECORD_LENGTH, RECORD_WITHOUT_FLAGS_LENGTH = 17, 15
_WEEK_LENGTH = 12
# The week's systolic is stored without its first 25 mm[Hg].
_WEEK_OFFSET = 25

IRREGULAR, MOVEMENT, TRUREAD = 0x0001, 0x0002, 0x0030


@dataclass(frozen=True, slots=True)
class Plain:
    """An answer without data: ``OK``, ``NO`` or ``OFF``."""

    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """The model's code and its firmware (``M7080IT 207``)."""

    text: str

    @property
    def model(self) -> str:
        """``M7080IT``."""
        return self.text.split()[0] if self.text.split() else ""

    @property
    def firmware(self) -> str | None:
        """``207``; None where the device does not say."""
        return " ".join(self.text.split()[1:]) or None


@dataclass(frozen=True, slots=True)
class Octets:
    """An answer whose meaning nobody has published: PRF and SRL."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Count:
    """How many records a bank holds; ``pointer`` is where the next one will be written."""

    count: int
    pointer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One measurement: mm[Hg], beats per minute, the cuff's wall clock.

    ``local`` is None where the date does not exist, ``time`` is the statement in either case. ``truread`` is 1 to 3
    in a series of three, else 0. The octet of ``unit_number`` has no known meaning.
    """

    time: str
    local: datetime | None
    systolic: int
    diastolic: int
    pulse: int
    irregular: bool = False
    movement: bool = False
    truread: int = 0
    unit_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A weekly average, which we do not read: it is none of the patient's measurements."""

    week: int
    week_start: str
    systolic: int
    diastolic: int
    pulse: int


Answer = Plain | Version | Octets | Count | Record | Week


def report_octets(report: bytes) -> bytes:
    """What one report carries; nothing where its first octet is no count (noise of the link). CodecError."""
    if len(report) != REPORT:
        raise CodecError(FORMAT, "a report has 8 octets", report, min(len(report), REPORT))
    return report[1 : 1 + report[0]] if report[0] <= _CARRIES else b""


def reports_of(octets: bytes) -> list[bytes]:
    """An octet string cut into reports, padded with zeros."""
    chunks = [octets[start : start + _CARRIES] for start in range(0, len(octets), _CARRIES)]
    return [(bytes([len(chunk)]) + chunk).ljust(REPORT, b"\0") for chunk in chunks]


def count_command(bank: int) -> bytes:
    """Ask how many records a bank holds: 0 for user A, 1 for user B."""
    return _command(_COUNT, bytes([0, bank, 0, 0]))


def record_command(bank: int, index: int) -> bytes:
    """Ask for a record of a bank, 0 the newest."""
    return _command(_RECORD, bytes([0, bank]) + index.to_bytes(2, "big"))


@dataclass(frozen=True, slots=True)
class Question:
    """What a command asks of a bank: its count, or the record at ``index``."""

    bank: int
    index: int | None


def decode_question(octets: bytes) -> Question | None:
    """The device's side of ``count_command`` and ``record_command``; None where the octets are neither."""
    letters, data = octets[:3], octets[3:]
    if letters not in (_COUNT, _RECORD) or len(data) != 5 or reduce(xor, data) != 0:
        return None
    return Question(data[1], int.from_bytes(data[2:4], "big") if letters == _RECORD else None)


def decode(octets: bytes) -> Answer:
    """One whole answer, the counts of its reports taken away. CodecError, ChecksumError."""
    if octets in (OK, BUSY, OFF, OK + OFF):
        return Plain(octets.decode("ascii").strip())
    data = data_of(octets)
    match len(octets):
        case 15 if all(0x20 <= octet < 0x7F for octet in data):
            return decode_version(octets)
        case 17 | 15:
            return decode_record(octets)
        case 8:
            return decode_count(octets)
        case 12:
            return _decode_week(octets)
        case _:
            return Octets(data)


def data_of(octets: bytes) -> bytes:
    """The data of an ``OK 00 data xor``. CodecError, ChecksumError."""
    if octets[:2] != OK:
        raise CodecError(FORMAT, "an answer begins with OK or NO", octets, 0)
    if len(octets) < 5:
        raise CodecError(FORMAT, "the answer is cut", octets, len(octets))
    if octets[2] != 0:
        raise CodecError(FORMAT, f"status {octets[2]:02x}", octets, 2)
    data, check = octets[3:-1], octets[-1]
    if reduce(xor, data) != check:
        raise ChecksumError(FORMAT, f"xor {check:02x}, computed {reduce(xor, data):02x}", octets, len(octets) - 1)
    return data


def decode_version(octets: bytes) -> Version:
    """The answer to VERSION. CodecError."""
    data = _expect(octets, VERSION_LENGTH)
    if not all(0x20 <= octet < 0x7F for octet in data):
        raise CodecError(FORMAT, "a version is printable", octets, 3)
    return Version(data.decode("ascii").strip())


def decode_octets(octets: bytes) -> Octets:
    """The answer to PROFILE or SERIAL_NUMBER. CodecError."""
    return Octets(data_of(octets))


def decode_count(octets: bytes) -> Count:
    """The answer to ``count_command``. CodecError."""
    data = _expect(octets, COUNT_LENGTH)
    return Count(count=int.from_bytes(data[2:4], "big"), pointer=int.from_bytes(data[:2], "big"))


def decode_record(octets: bytes) -> Record:
    """The answer to ``record_command``; a HEM-637's is without flags. CodecError."""
    without_flags = len(octets) == RECORD_WITHOUT_FLAGS_LENGTH
    data = data_of(octets) + bytes(2) if without_flags else _expect(octets, RECORD_LENGTH)
    year, month, day, hour, minute, second, unit_number = data[:7]
    flags = int.from_bytes(data[11:13], "big")
    return Record(
        time=f"{2000 + year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
        local=_local(2000 + year, month, day, hour, minute, second),
        systolic=int.from_bytes(data[7:9], "big"),
        diastolic=data[9],
        pulse=data[10],
        irregular=bool(flags & IRREGULAR),
        movement=bool(flags & MOVEMENT),
        truread=(flags & TRUREAD) >> 4,
        unit_number=unit_number,
    )


def _decode_week(octets: bytes) -> Week:
    data = _expect(octets, _WEEK_LENGTH)
    return Week(
        week=data[1],
        week_start=f"{2000 + data[2]:04}-{data[3]:02}-{data[4]:02}",
        systolic=data[5] + _WEEK_OFFSET,
        diastolic=data[6],
        pulse=data[7],
    )


def encode_answer(data: bytes) -> bytes:
    """The cuff's side: ``OK 00 data xor``."""
    return OK + b"\0" + data + bytes([reduce(xor, data, 0)])


def encode_count(count: Count) -> bytes:
    """The cuff's side of ``count_command``."""
    return encode_answer(count.pointer.to_bytes(2, "big") + count.count.to_bytes(2, "big"))


def encode_record(record: Record, *, with_flags: bool = True) -> bytes:
    """The cuff's side of ``record_command``. ValueError where the record has no date."""
    if record.local is None:
        raise ValueError("no date to encode")
    local = record.local
    stamp = bytes([local.year - 2000, local.month, local.day, local.hour, local.minute, local.second])
    figures = record.systolic.to_bytes(2, "big") + bytes([record.diastolic, record.pulse])
    flags = record.irregular * IRREGULAR | record.movement * MOVEMENT | record.truread << 4
    body = stamp + bytes([record.unit_number]) + figures
    return encode_answer(body + flags.to_bytes(2, "big") if with_flags else body)


def _command(letters: bytes, data: bytes) -> bytes:
    return letters + data + bytes([reduce(xor, data)])


def _expect(octets: bytes, length: int) -> bytes:
    if len(octets) != length:
        raise CodecError(FORMAT, f"this answer has {length} octets", octets, min(len(octets), length))
    return data_of(octets)


def _local(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the device's wall clock is naive
    except ValueError:
        return None
