"""Ascensia (Bayer) Contour and Breeze: ASTM E1394 records. Wire page: ``drivers/ascensia_contour.md``.

A record is a letter and fields between ``|``; components stand between ``^``, repetitions between ``\\``. The header
names these separators, and no meter is known that uses others. Total: every byte string gives a value or a CodecError.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from device_drivers.codecs import astm_e1381
from device_drivers.errors import CodecError

FORMAT = "ascensia-contour"

SEPARATORS = "|\\^&"
MG_DL, MMOL_L = "mg/dL", "mmol/L"
BELOW, ABOVE = "<", ">"
CONTROL_RESULT = "Q"
NORMAL_END = "N"

_STAMP = re.compile(r"(?P<date>[0-9]{8})(?P<time>[0-9]{4}|[0-9]{6})")
_RANGE = re.compile(r"(?P<low>[0-9]{2})(?P<high>[0-9]{3})")
_VALUE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")
GLUCOSE = "Glucose"
# Which field of a result is its time: USB meters, serial meters.
SHORT_RESULT, LONG_RESULT = 8, 11


@dataclass(frozen=True, slots=True)
class Stamp:
    """Digits as they came: year to minute, on some meters to second."""

    digits: str

    @property
    def text(self) -> str:
        """ISO, without asking whether such a date exists."""
        d = self.digits
        seconds = f":{d[12:14]}" if len(d) == 14 else ""
        return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}{seconds}"

    @property
    def local(self) -> datetime | None:
        """The meter's wall clock; None where the date does not exist."""
        try:
            return datetime.fromisoformat(self.text)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Header:
    """H: who speaks, how it is set, how many results follow (None where it does not say), its clock."""

    product: str
    versions: tuple[str, ...]
    serial_number: str
    sku: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    count: int | None = None
    clock: Stamp | None = None
    password: str = ""

    @property
    def range(self) -> tuple[Decimal, Decimal] | None:
        """LO and HI in mg/dL (setting V); None where it does not say."""
        found = _RANGE.fullmatch(self.settings.get("V", ""))
        return (Decimal(found["low"]), Decimal(found["high"])) if found else None

    @property
    def display_unit(self) -> str | None:
        """What the display shows (setting U); each result carries its own unit."""
        return {"0": MG_DL, "1": MMOL_L}.get(self.settings.get("U", ""))


@dataclass(frozen=True, slots=True)
class Patient:
    """P: always the one patient."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Order:
    """O: what kind of test the result of the same number is; ``action`` Q is quality control."""

    sequence: int
    action: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """R: one measurement in its own unit.

    ``flags`` are the letters of all flag fields: ``<`` ``>`` beyond the range (``value`` is then a step beyond the
    limit), ``C`` and ``E`` control solution, the others meal and circumstances. ``long`` is the serial meters' form.
    """

    sequence: int
    value: Decimal
    unit: str
    stamp: Stamp
    method: str = "P"
    flags: tuple[str, ...] = ()
    long: bool = False


@dataclass(frozen=True, slots=True)
class OtherResult:
    """R: something that is no glucose (insulin, carbohydrates); ``text`` is the record."""

    sequence: int
    analyte: str
    text: str


@dataclass(frozen=True, slots=True)
class Terminator:
    """L: the message is over; ``code`` N is a normal end."""

    sequence: int
    code: str


Record = Header | Patient | Order | Result | OtherResult | Terminator


def decode(octets: bytes) -> Record:
    """One record, as text or inside its one frame. CodecError, ChecksumError."""
    if octets[:1] == bytes([astm_e1381.STX]):
        records = astm_e1381.RecordJoiner().feed(astm_e1381.decode(octets))
        if len(records) != 1:
            raise CodecError(FORMAT, f"{len(records)} whole records in this frame", octets, 0)
        return decode_record(records[0])
    return decode_record(octets.decode("latin-1").strip("\r\n"))


def decode_record(text: str) -> Record:
    """One record's text. CodecError."""
    match text[:1]:
        case "H":
            return _header(text)
        case "P":
            return Patient(_number(text, 1))
        case "O":
            return Order(_number(text, 1), _field(text.split("|"), 11))
        case "R":
            return _result(text)
        case "L":
            return Terminator(_number(text, 1), _field(text.split("|"), 3))
        case _:
            raise _error("no record begins so", text)


def encode_record(record: Record) -> str:
    """The meter's text of a record, without its CR."""
    match record:
        case Header():
            return _spell_header(record)
        case Patient():
            return f"P|{record.sequence}"
        case Order():
            return f"O|{record.sequence}" + (f"||||||||||{record.action}" if record.action else "")
        case Result():
            return _spell_result(record)
        case OtherResult():
            return record.text
        case Terminator():
            return f"L|{record.sequence}||{record.code}"


def stamp_of(local: datetime) -> Stamp:
    """How a meter without seconds spells a wall-clock time."""
    return Stamp(f"{local:%Y%m%d%H%M}")


def _header(text: str) -> Header:
    if text[1:5] != SEPARATORS:
        raise _error(f"separators other than {SEPARATORS}", text)
    fields = text.split("|")
    product, versions, serial_number, *sku = [*_field(fields, 4).split("^"), "", ""]
    if not product or not serial_number:
        raise _error("a header without product and serial number", text)
    count = _field(fields, 6)
    clock = _field(fields, 13)
    return Header(
        product=product.strip(),
        versions=tuple(versions.split("\\")),
        serial_number=serial_number,
        sku=sku[0],
        settings=dict(_setting(part) for part in _field(fields, 5).split("^") if "=" in part),
        count=_digits(count, text) if count else None,
        clock=_stamp(clock, text) if clock else None,
        password=_field(fields, 3),
    )


def _setting(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name, value


def _result(text: str) -> Result | OtherResult:
    fields = text.split("|")
    sequence, analyte = _number(text, 1), _field(fields, 2).rpartition("^")[2]
    if analyte != GLUCOSE:
        return OtherResult(sequence, analyte, text)
    time_at = next((at for at in (SHORT_RESULT, LONG_RESULT) if _STAMP.fullmatch(_field(fields, at))), None)
    if time_at is None:
        raise _error("a result without a date and time", text)
    unit, _, method = fields[4].partition("^")
    if not _VALUE.fullmatch(fields[3]):
        raise _error(f"{fields[3]!r} is no value", text)
    if unit not in (MG_DL, MMOL_L):
        raise _error(f"{unit!r} is no unit of a glucose", text)
    return Result(
        sequence=sequence,
        value=Decimal(fields[3]),
        unit=unit,
        stamp=_stamp(fields[time_at], text),
        method=method,
        flags=tuple(flag for group in fields[6:time_at] for flag in re.split(r"[/\\]", group) if flag),
        long=time_at == LONG_RESULT,
    )


def _spell_header(header: Header) -> str:
    device = "^".join(
        [header.product, "\\".join(header.versions), header.serial_number, *([header.sku] * bool(header.sku))]
    )
    settings = "^".join(f"{name}={value}" for name, value in header.settings.items())
    count = "" if header.count is None else str(header.count)
    clock = "" if header.clock is None else header.clock.digits
    return f"H|\\^&||{header.password}|{device}|{settings}|{count}|||||P|1|{clock}"


def _spell_result(result: Result) -> str:
    limits = [flag for flag in result.flags if flag in (BELOW, ABOVE)]
    head = f"R|{result.sequence}|^^^{GLUCOSE}|{result.value}|{result.unit}^{result.method}|"
    if not result.long:
        return f"{head}|{'/'.join(result.flags)}||{result.stamp.digits}"
    control = [flag for flag in result.flags if flag == "E"]
    marks = [flag for flag in result.flags if flag not in (*limits, *control)]
    return f"{head}|{'/'.join(limits)}|{'/'.join(marks)}|{'/'.join(control)}|||{result.stamp.digits}"


def _field(fields: list[str], index: int) -> str:
    return fields[index].strip() if index < len(fields) else ""


def _number(text: str, index: int) -> int:
    return _digits(_field(text.split("|"), index), text)


def _digits(digits: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", digits):
        raise _error(f"{digits!r} is no number", text)
    return int(digits)


def _stamp(digits: str, text: str) -> Stamp:
    if not _STAMP.fullmatch(digits.strip()):
        raise _error(f"{digits!r} is no date and time", text)
    return Stamp(digits.strip())


def _error(reason: str, text: str) -> CodecError:
    return CodecError(FORMAT, reason, text.encode("latin-1"), 0)
