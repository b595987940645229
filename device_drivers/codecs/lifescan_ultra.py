"""LifeScan OneTouch Ultra / Ultra2: lines of text. Wire page: ``drivers/lifescan_ultra.md``.

A line is text, a blank, four hexadecimal digits and a line end; the digits are the 16-bit sum of the text's octets. The
command prefix ``11 0d`` also comes back as the meter's acknowledgement and is an empty line to us. Total: every byte
string gives a value or a CodecError; a line reader never fails, it reports damage and goes on.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from device_drivers.errors import ChecksumError, CodecError

FORMAT = "lifescan-ultra"

PREFIX = b"\x11\r"
CR = b"\r"
# The longest line known is the 62 octets of an Ultra2 record; a longer one is noise without a line end.
LONGEST = 120

READ_VERSION = "DM?"
READ_SERIAL_NUMBER = "DM@"
READ_CLOCK = "DMF"
READ_MEMORY = "DMP"

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
HIGH, LOW = "HIGH", "LOW"
# The last character of the serial number names the model (LifeScan's own rule, and every captured header).
MODELS = {"Y": "OneTouch Ultra2", "T": "OneTouch Ultra"}

_LINE = re.compile(rb"(?P<text>.+) (?P<checksum>[0-9A-F]{4})", re.DOTALL)
_STAMP = r'"(?P<weekday>[A-Z]{3})","(?P<date>\d\d/\d\d/\d\d)","(?P<time>\d\d:\d\d:\d\d)   "'
_CLOCK = re.compile(f"[FT] {_STAMP}")
_RECORD = re.compile(
    rf'P {_STAMP},"(?P<control>[C ])(?P<value>.{{4}})(?P<parity>[? ])"'
    r'(,"(?P<meal>[A-Z])","(?P<comment>\d\d)")?, (?P<status>[0-9A-F]{2})'
)
_HEADER = re.compile(r'P (?P<count>\d{3}),"(?P<serial>[0-9A-Z]{9})","(?P<unit>MG/DL |MMOL/L)"')
_VERSION = re.compile(r"\?(?P<software>\S+)( (?P<made>.*\S))?")
_SERIAL = re.compile(r'@ "(?P<serial>[0-9A-Z]{9})"')


@dataclass(frozen=True, slots=True)
class Stamp:
    """Day and time as the meter spells them (``SAT``, ``05/27/06``, ``16:42:08``)."""

    weekday: str
    date: str
    time: str

    @property
    def text(self) -> str:
        """ISO, without asking whether such a date exists."""
        month, day, year = self.date.split("/")
        return f"20{year}-{month}-{day}T{self.time}"

    @property
    def local(self) -> datetime | None:
        """The meter's wall clock; None where the date does not exist."""
        try:
            return datetime.fromisoformat(self.text)
        except ValueError:
            return None

    @property
    def weekday_matches(self) -> bool:
        """Whether the day of the week is the date's own."""
        return self.local is not None and WEEKDAYS[self.local.weekday()] == self.weekday


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a dump; ``display_unit`` is what the display shows, the records are mg/dL."""

    count: int
    serial_number: str
    display_unit: str


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a dump.

    ``result`` is three digits (mg/dL), HIGH or LOW, or what else the meter wrote. ``meal`` (N none, B before, A after)
    and ``comment`` ("00" to "11") are None on the older Ultra.
    """

    stamp: Stamp
    result: str
    is_control: bool = False
    parity_error: bool = False
    meal: str | None = None
    comment: str | None = None
    status: str = "00"

    @property
    def mg_dl(self) -> int | None:
        """The figure, None where there is none."""
        return int(self.result) if re.fullmatch("[0-9]+", self.result) else None


@dataclass(frozen=True, slots=True)
class Version:
    """Software version and the date of its making (``P02.00.00``, ``30/08/06``)."""

    software: str
    made: str = ""


@dataclass(frozen=True, slots=True)
class SerialNumber:
    """The answer to READ_SERIAL_NUMBER: nine characters."""

    serial_number: str


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The answer to READ_CLOCK (letter F) or to setting the clock (letter T)."""

    stamp: Stamp
    letter: str = "F"


Line = Header | Record | Version | SerialNumber | ClockReading


def encode_command(command: str) -> bytes:
    """The octets of a command."""
    return PREFIX + command.encode("ascii") + CR


def checksum(text: bytes) -> bytes:
    """The four digits that belong to a text."""
    return b"%04X" % (sum(text) & 0xFFFF)


def decode(octets: bytes) -> Line:
    """One line of the meter, with or without its line end. CodecError, ChecksumError."""
    line = octets.lstrip(b"\x11\r\n").rstrip(b"\r\n")
    found = _LINE.fullmatch(line)
    if found is None:
        raise CodecError(FORMAT, "a line ends in a blank and four hexadecimal digits", octets, len(octets))
    wanted = checksum(found["text"])
    if found["checksum"] != wanted:
        reason = f"checksum {found['checksum'].decode()}, computed {wanted.decode()}"
        raise ChecksumError(FORMAT, reason, octets, octets.rindex(found["checksum"]))
    return _understand(found["text"].decode("latin-1"), octets)


def encode(line: Line) -> bytes:
    """The meter's octets for a line, line end included."""
    text = _spell(line).encode("latin-1")
    return text + b" " + checksum(text) + b"\r\n"


class LineReader:
    """Lines out of a stream: any cut of the stream gives the same lines.

    Damage comes out in its place as the CodecError. Holds at most one line of octets.
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Line | CodecError]:
        """Take octets, give what is now whole, in order."""
        found: list[Line | CodecError] = []
        for octet in data:
            self._held.append(octet)
            if octet in b"\r\n" or len(self._held) > LONGEST:
                found.extend(self._take())
        return found

    def reset(self) -> None:
        """Forget a line that has begun."""
        self._held.clear()

    def _take(self) -> list[Line | CodecError]:
        octets = bytes(self._held)
        self._held.clear()
        if not octets.strip(b"\x11\r\n"):
            return []
        try:
            return [decode(octets)]
        except CodecError as error:
            return [error]


def stamp_of(local: datetime) -> Stamp:
    """How the meter spells a wall-clock time."""
    return Stamp(WEEKDAYS[local.weekday()], f"{local:%m/%d/%y}", f"{local:%H:%M:%S}")


def _understand(text: str, octets: bytes) -> Line:
    """CodecError where the text is none of the meter's lines."""
    if found := _RECORD.fullmatch(text):
        return Record(
            stamp=_stamp(found),
            result=found["value"].strip(),
            is_control=found["control"] == "C",
            parity_error=found["parity"] == "?",
            meal=found["meal"],
            comment=found["comment"],
            status=found["status"],
        )
    if found := _HEADER.fullmatch(text):
        return Header(int(found["count"]), found["serial"], found["unit"].strip())
    if found := _CLOCK.fullmatch(text):
        return ClockReading(_stamp(found), text[0])
    if found := _SERIAL.fullmatch(text):
        return SerialNumber(found["serial"])
    if found := _VERSION.fullmatch(text):
        return Version(found["software"], found["made"] or "")
    raise CodecError(FORMAT, "none of the meter's lines", octets, 0)


def _stamp(found: re.Match[str]) -> Stamp:
    return Stamp(found["weekday"], found["date"], found["time"])


def _spell(line: Line) -> str:
    match line:
        case Header():
            return f'P {line.count:03d},"{line.serial_number}","{line.display_unit:<6}"'
        case Record():
            result = f" {line.result}" if len(line.result) < 4 else line.result
            control, parity = "C" if line.is_control else " ", "?" if line.parity_error else " "
            marks = f',"{line.meal}","{line.comment}"' if line.meal else ""
            return f'P {_spell_stamp(line.stamp)},"{control}{result:<4}{parity}"{marks}, {line.status}'
        case Version():
            return f"?{line.software} {line.made}".rstrip()
        case SerialNumber():
            return f'@ "{line.serial_number}"'
        case ClockReading():
            return f"{line.letter} {_spell_stamp(line.stamp)}"


def _spell_stamp(stamp: Stamp) -> str:
    return f'"{stamp.weekday}","{stamp.date}","{stamp.time}   "'
