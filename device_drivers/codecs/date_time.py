"""Bluetooth Date Time (0x2A08) and Current Time (0x2A2B).

Date Time is 7 octets: year uint16 (0 = not known, else 1582-9999), month (0 = not known), day (0 = not known), hours,
minutes, seconds. It is a wall clock without a zone. Current Time is Date Time, day of week (0 = not known),
fractions of 1/256 s and the adjust reason: 10 octets. Octets beyond are ignored. A moment that cannot be (31 February,
25 o'clock) is a value like any other: the device said so; only ``local`` is None.
Source: Bluetooth GATT Specification Supplement, sections "Date Time" and "Current Time".
"""

from dataclasses import dataclass
from datetime import datetime

from device_drivers.codecs.octets import Octets


@dataclass(frozen=True, slots=True)
class DateTime:
    """The six fields as sent."""

    year: int
    month: int
    day: int
    hours: int
    minutes: int
    seconds: int

    @property
    def local(self) -> datetime | None:
        """The wall-clock time, naive; None where a field is unknown or the moment does not exist."""
        try:
            return datetime(  # noqa: DTZ001 - a device's wall clock has no zone
                self.year, self.month, self.day, self.hours, self.minutes, self.seconds
            )
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """ISO 8601 spelling of exactly what was sent, zeros included: ``0000-04-17T20:41:59``."""
        date = f"{self.year:04d}-{self.month:02d}-{self.day:02d}"
        return f"{date}T{self.hours:02d}:{self.minutes:02d}:{self.seconds:02d}"

    @classmethod
    def at(cls, local: datetime) -> "DateTime":
        """From a wall-clock time; fractions of a second are cut off."""
        return cls(local.year, local.month, local.day, local.hour, local.minute, local.second)


@dataclass(frozen=True, slots=True)
class CurrentTime:
    """The device's clock now."""

    date_time: DateTime
    day_of_week: int  # 1 = Monday, 0 = not known
    fractions256: int
    adjust_reason: int  # bits: 0 manual update, 1 external reference, 2 time zone, 3 daylight saving


def read_date_time(octets: Octets, field: str) -> DateTime:
    """The next 7 octets of a record."""
    raw = octets.take(7, field)
    return DateTime(int.from_bytes(raw[:2], "little"), *raw[2:])


def decode_date_time(data: bytes) -> DateTime:
    """At least 7 octets. CodecError otherwise."""
    return read_date_time(Octets("date_time", data), "date time")


def encode_date_time(value: DateTime) -> bytes:
    """7 octets. ValueError or OverflowError where a field does not fit its octets."""
    rest = (value.month, value.day, value.hours, value.minutes, value.seconds)
    return value.year.to_bytes(2, "little") + bytes(rest)


def decode_current_time(data: bytes) -> CurrentTime:
    """At least 10 octets. CodecError otherwise."""
    octets = Octets("current_time", data)
    return CurrentTime(
        read_date_time(octets, "exact time"),
        octets.uint8("day of week"),
        octets.uint8("fractions256"),
        octets.uint8("adjust reason"),
    )


def encode_current_time(value: CurrentTime) -> bytes:
    """10 octets."""
    return encode_date_time(value.date_time) + bytes((value.day_of_week, value.fractions256, value.adjust_reason))
