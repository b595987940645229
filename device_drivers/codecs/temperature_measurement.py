"""Temperature Measurement (0x2A1C) and Intermediate Temperature (0x2A1E) of the Health Thermometer Service 1.0.

Flags uint8 (bit 0 unit, 1 time stamp, 2 temperature type), temperature FLOAT, then what the flags say: Date Time,
type uint8. Octets beyond are ignored. Source: Bluetooth GATT Specification Supplement, "Temperature Measurement".
"""

from dataclasses import dataclass
from enum import StrEnum

from device_drivers.codecs.date_time import DateTime, encode_date_time, read_date_time
from device_drivers.codecs.octets import Octets
from device_drivers.codecs.sfloat import Figure, decode_float, encode_float

TEMPERATURE_TYPES = {
    1: "armpit",
    2: "body",
    3: "ear",
    4: "finger",
    5: "gastro_intestinal_tract",
    6: "mouth",
    7: "rectum",
    8: "toe",
    9: "tympanum",
}

_FAHRENHEIT, _TIME_STAMP, _TYPE = (1 << bit for bit in range(3))


class TemperatureUnit(StrEnum):
    """UCUM codes."""

    CELSIUS = "Cel"
    FAHRENHEIT = "[degF]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureMeasurement:
    """One record. Reserved types keep their number."""

    temperature: Figure
    unit: TemperatureUnit = TemperatureUnit.CELSIUS
    time_stamp: DateTime | None = None
    temperature_type: int | None = None


def decode_temperature_measurement(data: bytes) -> TemperatureMeasurement:
    """Total: the record, or CodecError at the field that is cut. Reserved flags are ignored."""
    octets = Octets("temperature_measurement", data)
    flags = octets.uint8("flags")
    return TemperatureMeasurement(
        unit=TemperatureUnit.FAHRENHEIT if flags & _FAHRENHEIT else TemperatureUnit.CELSIUS,
        temperature=decode_float(octets.take(4, "temperature")),
        time_stamp=read_date_time(octets, "time stamp") if flags & _TIME_STAMP else None,
        temperature_type=octets.uint8("temperature type") if flags & _TYPE else None,
    )


def encode_temperature_measurement(record: TemperatureMeasurement) -> bytes:
    """The record's octets."""
    flags = _FAHRENHEIT if record.unit is TemperatureUnit.FAHRENHEIT else 0
    body = encode_float(record.temperature)
    if record.time_stamp is not None:
        flags |= _TIME_STAMP
        body += encode_date_time(record.time_stamp)
    if record.temperature_type is not None:
        flags |= _TYPE
        body += bytes((record.temperature_type,))
    return bytes((flags,)) + body
