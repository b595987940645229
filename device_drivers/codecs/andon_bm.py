"""Andon's cuffs that Beurer sells (BM 55, BM 58, BM 65): commands and records. Wire page: ``drivers/andon_bm.md``.

Commands are single octets, a record's with its number behind it. A record has eight octets; on the serial line ``AC``
stands in front of them, and ``A9`` in their place says that there is no such record. Nothing is checked by a sum, so a
record is believed only where its fields can be true. Total: every byte string gives a value or a CodecError.
"""

from dataclasses import dataclass
from datetime import datetime

from device_drivers.errors import CodecError

FORMAT = "andon-bm"

WAKE, AWAKE = 0xAA, 0x55
IDENTIFY, COUNT, RECORD = 0xA4, 0xA2, 0xA3
BYE, OFF = 0xF7, 0xF6
RECORD_FOLLOWS, NO_RECORD = 0xAC, 0xA9

RECORD_LENGTH = 8
NAME_LENGTH = 32
REPORT = 8
_PADDING = b"\xf4"
# Both pressures are stored without their first 25 mm[Hg].
_OFFSET = 25
_TOP = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One measurement: mm[Hg], beats per minute, the cuff's wall clock to the minute.

    The top bits of month, day and year are ``movement``, ``second_user`` and ``irregular`` on the models that have
    them. ``local`` is None where the fields name no date, ``time`` is the statement in either case.
    """

    time: str
    local: datetime | None
    systolic: int
    diastolic: int
    pulse: int
    movement: bool = False
    second_user: bool = False
    irregular: bool = False


def command_report(command: bytes) -> bytes:
    """A command as an output report of the HID variant."""
    return command.ljust(REPORT, _PADDING)


def record_command(number: int) -> bytes:
    """Ask for a record; 1 is the first."""
    return bytes([RECORD, number])


def decode(octets: bytes) -> Record:
    """One record: eight octets, or nine with the serial line's ``AC`` in front. CodecError."""
    if len(octets) == RECORD_LENGTH + 1 and octets[0] == RECORD_FOLLOWS:
        octets = octets[1:]
    if len(octets) != RECORD_LENGTH:
        raise CodecError(FORMAT, "a record has 8 octets", octets, min(len(octets), RECORD_LENGTH))
    systolic, diastolic, pulse, month, day, hour, minute, year = octets
    date = 2000 + (year & ~_TOP), month & ~_TOP, day & ~_TOP
    return Record(
        time=f"{date[0]:04}-{date[1]:02}-{date[2]:02}T{hour:02}:{minute:02}",
        local=_local(*date, hour, minute),
        systolic=systolic + _OFFSET,
        diastolic=diastolic + _OFFSET,
        pulse=pulse,
        movement=bool(month & _TOP),
        second_user=bool(day & _TOP),
        irregular=bool(year & _TOP),
    )


def encode(record: Record) -> bytes:
    """The cuff's side: eight octets. ValueError where the record has no date."""
    if record.local is None:
        raise ValueError("no date to encode")
    local = record.local
    return bytes(
        [
            record.systolic - _OFFSET,
            record.diastolic - _OFFSET,
            record.pulse,
            local.month | record.movement * _TOP,
            local.day | record.second_user * _TOP,
            local.hour,
            local.minute,
            local.year - 2000 | record.irregular * _TOP,
        ]
    )


def _local(year: int, month: int, day: int, hour: int, minute: int) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - the device's wall clock is naive
    except ValueError:
        return None
