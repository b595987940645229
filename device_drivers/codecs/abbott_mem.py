"""Abbott's text dumps: ``mem`` of the FreeStyle meters, ``$xmem`` and ``$colq`` of the Optium and Precision meters.

ASCII lines ended by CR LF. A dump: an empty line, serial number, software version, clock, number of records (three
digits, or ``Log Empty``), the records, ``0xHHHH  END``. The checksum is the 16-bit sum of all octets before ``0x``.
Wire page: ``drivers/abbott_mem.md``. Total: every byte string gives a value or a CodecError.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import IntFlag, StrEnum

from device_drivers.errors import ChecksumError, CodecError

FORMAT = "abbott-mem"

MEM = b"mem"
XMEM = b"$xmem\r\n"

# 450 records of 35 octets and a header; what is longer without an END is no dump.
LONGEST = 32768

# A ketone record is 18 times the mmol/L (Tidepool: abbottPrecisionXtra.js), cut to a whole number: 0.2 is 003.
KETONE_FACTOR = 18

_EMPTY = "Log Empty"
_SERIAL_NUMBER = r"[A-Z][0-9A-Z-]{10,12}"
_START = re.compile(rf"\r\n({_SERIAL_NUMBER})\r\n".encode())
_HEAD = re.compile(rf"\r\n{_SERIAL_NUMBER}\r\n[^\r\n]*\r\n[^\r\n]*\r\n".encode())
_END = re.compile(rb"END\r\n")
_SUM = re.compile(r"0x([0-9A-F]{4})  END")
_NOT_EMPTY = re.compile(r"[^\r\n]+")

# Padded to four characters, and the two that fill them written in full; ``$colq`` has plain three-letter months.
_MONTHS = ("Jan ", "Feb ", "Mar ", "Apr ", "May ", "June", "July", "Aug ", "Sep ", "Oct ", "Nov ", "Dec ")
_SHORT_MONTHS = tuple(month[:3] for month in _MONTHS)
_DAY = rf"(?P<month>{'|'.join(_MONTHS)}) (?P<day>\d\d) (?P<year>\d{{4}})"
_CLOCK = re.compile(rf"{_DAY} (?P<time>\d\d:\d\d:\d\d)", re.ASCII)
_COLQ_CLOCK = re.compile(
    rf"Clock:\t(?P<month>{'|'.join(_SHORT_MONTHS)})  (?P<day>\d\d) (?P<year>\d{{4}})\t(?P<time>\d\d:\d\d:\d\d)",
    re.ASCII,
)
_RECORD = re.compile(
    rf"(?P<value>\d{{3}}|HI |LO )  {_DAY} (?P<time>\d\d:\d\d)"
    r" (?P<kind>G|K|[0-9A-Fa-f]{2}) 0x(?P<flags>[0-9A-Fa-f]{2})",
    re.ASCII,
)
_VERSION = re.compile(r"\d+\.\d+ *(-P[0-9A-Z-]*)?", re.ASCII)


class OutOfRange(StrEnum):
    """What stands in place of a value."""

    HIGH = "HI"
    LOW = "LO"


class Analyte(StrEnum):
    """What a strip measures."""

    GLUCOSE = "G"
    KETONE = "K"


_LETTERS = {analyte.value for analyte in Analyte}


class Flags(IntFlag):
    """The record's last octet; the other bits are not known."""

    CONTROL_SOLUTION = 0x01
    LOST_TIME = 0x02  # the meter's clock was not set


NO_FLAGS = Flags(0)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: mg/dL (ketones: 18 times the mmol/L) and the meter's wall clock to the minute.

    ``local`` is None where the date does not exist, ``text`` is the statement in either case. ``plasma_type`` is the
    two-digit field that the FreeStyle meters have in place of the analyte's letter, ``line`` the record as it came.
    """

    value: int | OutOfRange
    text: str
    local: datetime | None
    analyte: Analyte = Analyte.GLUCOSE
    flags: Flags = NO_FLAGS
    plasma_type: str | None = None
    line: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Dump:
    """A whole memory, in the order of the meter. ``checked`` is False where no checksum stood behind an empty log."""

    serial_number: str
    version: str
    clock: datetime | None
    records: tuple[Record, ...]
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock's line of ``$colq``."""

    local: datetime


@dataclass(frozen=True, slots=True)
class SerialNumber:
    """A serial number, and the model where its first letters tell it."""

    text: str
    model: str | None


def decode(octets: bytes) -> Dump | Record | Clock:
    """One whole dump, one record line, or the clock line of ``$colq``, as they stand on the line. CodecError."""
    if _END.search(octets) or octets.startswith(b"\r\n"):
        return decode_dump(octets)
    line = _text(octets).rstrip("\r\n")
    return decode_colq_clock(line) if line.startswith("Clock:") else decode_record(line)


def find_dump(octets: bytes) -> bytes | None:
    """The first dump in a stream from its empty line to its END, whatever stands before it; None until it has ended."""
    start = _START.search(octets)
    end = _END.search(octets, start.end()) if start else None
    return octets[start.start() : end.end()] if start and end else None


def has_clock(octets: bytes) -> bool:
    """Whether the clock's line of a dump has arrived."""
    return _HEAD.search(octets) is not None


def decode_dump(octets: bytes) -> Dump:
    """A whole dump; everything but a dump is a CodecError. ChecksumError."""
    start = _START.match(octets)
    if start is None:
        raise CodecError(FORMAT, "no empty line and serial number", octets, 0)
    lines = _Lines(octets)
    serial_number = lines.next("serial number")
    version = lines.next("software version")
    clock = decode_clock(lines.next("clock"))
    count = lines.next("number of records")
    if count.startswith(_EMPTY):
        return Dump(serial_number, version, clock, (), checked=_end_of_empty(lines, count))
    if not re.fullmatch(r"\d{3}", count, re.ASCII):
        raise lines.error(f"{count!r} is no number of records")
    records = tuple(decode_record(lines.next("record")) for _ in range(int(count)))
    lines.check_sum(lines.next("checksum"))
    lines.check_end()
    return Dump(serial_number, version, clock, records)


def _end_of_empty(lines: "_Lines", line: str) -> bool:
    """Whether a checksum stood behind ``Log Empty``; END may stand in the same line or in the next."""
    rest = line.removeprefix(_EMPTY).strip() or lines.next("END")
    if rest != "END":
        lines.check_sum(rest)
    lines.check_end()
    return rest != "END"


def encode_dump(dump: Dump) -> bytes:
    """The meter's side. A FreeStyle meter (records with a plasma type) sends a lone line feed behind the number."""
    head = f"\r\n{dump.serial_number}\r\n{dump.version}\r\n{encode_clock(dump.clock)}\r\n"
    if not dump.records:
        body = f"{head}{_EMPTY}\r\n"
        return f"{body}0x{sum16(body.encode()):04X}  END\r\n".encode()
    feed = "\n" if dump.records[0].plasma_type is not None else ""
    lines = "".join(f"{encode_record(record)}\r\n" for record in dump.records)
    body = f"{head}{len(dump.records):03}\r\n{feed}{lines}"
    return f"{body}0x{sum16(body.encode()):04X}  END\r\n".encode()


def sum16(octets: bytes) -> int:
    """The checksum of everything before it."""
    return sum(octets) & 0xFFFF


def decode_record(line: str) -> Record:
    """One record without its line end. CodecError."""
    found = _RECORD.fullmatch(line)
    if found is None:
        raise CodecError(FORMAT, "not a record", line.encode(), 0)
    value = found["value"].strip()
    month = _MONTHS.index(found["month"]) + 1
    kind = found["kind"]
    return Record(
        value=int(value) if value.isdecimal() else OutOfRange(value),
        text=f"{found['year']}-{month:02}-{found['day']}T{found['time']}",
        local=_local(found, month),
        analyte=Analyte(kind) if kind in _LETTERS else Analyte.GLUCOSE,
        flags=Flags(int(found["flags"], 16)),
        plasma_type=None if kind in _LETTERS else kind,
        line=line,
    )


def encode_record(record: Record) -> str:
    """The meter's side of one record, from ``local``. ValueError without one, or where the value has four digits."""
    if record.local is None:
        raise ValueError("no date to encode")
    value = f"{record.value:03}" if isinstance(record.value, int) else f"{record.value:3}"
    if len(value) != 3:
        raise ValueError(f"{record.value} has no room in three characters")
    kind = record.analyte if record.plasma_type is None else record.plasma_type
    return f"{value}  {_date(record.local)} {record.local:%H:%M} {kind} 0x{record.flags:02X}"


def decode_clock(line: str) -> datetime | None:
    """The clock in a dump; None where the date does not exist. CodecError."""
    found = _CLOCK.fullmatch(line)
    if found is None:
        raise CodecError(FORMAT, "not a clock", line.encode(), 0)
    return _local(found, _MONTHS.index(found["month"]) + 1)


def encode_clock(clock: datetime | None) -> str:
    """The meter's side. ValueError where there is no date."""
    if clock is None:
        raise ValueError("no date to encode")
    return f"{_date(clock)} {clock:%H:%M:%S}"


def decode_colq_clock(line: str) -> Clock:
    """The clock line of ``$colq``: plain three-letter months, and tabulators. CodecError."""
    found = _COLQ_CLOCK.fullmatch(line)
    local = _local(found, _SHORT_MONTHS.index(found["month"]) + 1) if found else None
    if local is None:
        raise CodecError(FORMAT, "not the clock line of $colq", line.encode(), 0)
    return Clock(local)


def decode_serial_number(octets: bytes) -> SerialNumber:
    """A serial number's line; the FreeStyle meters are told by its first letters. CodecError."""
    text = _text(octets).strip("\r\n")
    if not re.fullmatch(_SERIAL_NUMBER, text):
        raise CodecError(FORMAT, "not a serial number", octets, 0)
    models = {"CD": "FreeStyle Freedom Lite", "DB": "FreeStyle Lite", "DA": "FreeStyle Mini"}
    return SerialNumber(text, models.get(text[:2]))


def decode_version(octets: bytes) -> str:
    """A software version's line: ``0.31-P``, ``4.0100     -P``. CodecError."""
    text = _text(octets).strip("\r\n")
    if not _VERSION.fullmatch(text):
        raise CodecError(FORMAT, "not a software version", octets, 0)
    return text


def ketone_mmol_l(raw: int) -> Decimal:
    """What the display shows for a ketone record: a eighteenth, to one decimal.

    The meter cuts 18 × mmol/L to a whole number (0.2 mmol/L is 003), so a tenth is found by rounding half up: for
    every tenth from 0.0 up, cut or rounded, this gives the tenth back.
    """
    return (Decimal(raw) / KETONE_FACTOR).quantize(Decimal("0.1"), ROUND_HALF_UP)


def ketone_raw(mmol_l: Decimal) -> int:
    """The meter's side of it."""
    return int(mmol_l * KETONE_FACTOR)


class _Lines:
    """The lines of a dump that are not empty, one after the other; knows where it is."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._found: Iterator[re.Match[str]] = _NOT_EMPTY.finditer(_text(octets))
        self._offset = 0

    def next(self, what: str) -> str:
        """The next line. CodecError where none is left."""
        found = next(self._found, None)
        if found is None:
            raise CodecError(FORMAT, f"the {what} is missing", self._octets, len(self._octets))
        self._offset = found.start()
        return found[0]

    def check_sum(self, line: str) -> None:
        """This line is the checksum of everything before it. CodecError, ChecksumError."""
        found = _SUM.fullmatch(line)
        if found is None:
            raise self.error("not a checksum")
        wanted = sum16(self._octets[: self._offset])
        if int(found[1], 16) != wanted:
            raise ChecksumError(FORMAT, f"sum {found[1]}, computed {wanted:04X}", self._octets, self._offset)

    def check_end(self) -> None:
        """Nothing follows. CodecError."""
        if (more := next(self._found, None)) is not None:
            raise CodecError(FORMAT, "something follows the end", self._octets, more.start())

    def error(self, reason: str) -> CodecError:
        """An error at the current line."""
        return CodecError(FORMAT, reason, self._octets, self._offset)


def _text(octets: bytes) -> str:
    try:
        return octets.decode("ascii")
    except UnicodeDecodeError as error:
        raise CodecError(FORMAT, "not ASCII", octets, error.start) from error


def _date(local: datetime) -> str:
    return f"{_MONTHS[local.month - 1]} {local:%d} {local.year:04}"


def _local(found: "re.Match[str]", month: int) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{found['year']}-{month:02}-{found['day']}T{found['time']}")
    except ValueError:
        return None
