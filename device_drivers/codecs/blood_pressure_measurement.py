"""Blood Pressure Measurement (0x2A35) of the Blood Pressure Service 1.1.1.

Layout in drivers/bluetooth_blood_pressure.md. Deviations are named parameters. Beurer: with ``big_endian_tail`` pulse
rate and measurement status come high octet first, with ``always_user_id`` the user id is there although its flag is 0.
Silvercrest: with ``plain_integers`` figures are uint16 instead of SFLOATs. Up to 2045 both read the same; what no cuff
can measure (2046 and more, SFLOAT's special values among them) is not a number.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from device_drivers.codecs.date_time import DateTime, encode_date_time, read_date_time
from device_drivers.codecs.octets import Octets, set_bits
from device_drivers.codecs.sfloat import Figure, Special, encode_sfloat, read_sfloat

UNKNOWN_USER = 255
MEASUREMENT_STATUS = {0: "body_movement", 1: "cuff_too_loose", 2: "irregular_pulse", 5: "improper_position"}
_PULSE_RATE_RANGE = ("in_range", "above", "below", "reserved")

# The first of SFLOAT's special values.
_NO_PLAIN_INTEGER = 0x07FE

_KPA, _TIME_STAMP, _PULSE_RATE, _USER_ID, _STATUS = (1 << bit for bit in range(5))


class PressureUnit(StrEnum):
    """The unit of the three pressures."""

    MMHG = "mmHg"
    KPA = "kPa"


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressureMeasurement:
    """One record. ``user_id`` 255 is the unknown user."""

    systolic: Figure
    diastolic: Figure
    mean_arterial_pressure: Figure
    unit: PressureUnit = PressureUnit.MMHG
    time_stamp: DateTime | None = None
    pulse_rate: Figure | None = None
    user_id: int | None = None
    measurement_status: int | None = None

    @property
    def statuses(self) -> tuple[str, ...]:
        """The names of the one-bit flags that are set; reserved bits have none."""
        return set_bits(self.measurement_status or 0, MEASUREMENT_STATUS)

    @property
    def pulse_rate_range(self) -> str:
        """``in_range``, ``above``, ``below`` or ``reserved`` (bits 3 and 4)."""
        return _PULSE_RATE_RANGE[(self.measurement_status or 0) >> 3 & 0b11]


def decode_blood_pressure_measurement(
    data: bytes, *, big_endian_tail: bool = False, always_user_id: bool = False, plain_integers: bool = False
) -> BloodPressureMeasurement:
    """Total: the record, or CodecError at the field that is cut. Reserved flags and octets beyond are ignored."""
    octets = Octets("blood_pressure_measurement", data)
    flags = octets.uint8("flags")
    figure = _read_plain_integer if plain_integers else read_sfloat
    return BloodPressureMeasurement(
        unit=PressureUnit.KPA if flags & _KPA else PressureUnit.MMHG,
        systolic=figure(octets, "systolic"),
        diastolic=figure(octets, "diastolic"),
        mean_arterial_pressure=figure(octets, "mean arterial pressure"),
        time_stamp=read_date_time(octets, "time stamp") if flags & _TIME_STAMP else None,
        pulse_rate=figure(octets, "pulse rate", big_endian=big_endian_tail) if flags & _PULSE_RATE else None,
        user_id=octets.uint8("user id") if flags & _USER_ID or always_user_id else None,
        measurement_status=(
            octets.uint16("measurement status", big_endian=big_endian_tail) if flags & _STATUS else None
        ),
    )


def encode_blood_pressure_measurement(
    record: BloodPressureMeasurement, *, big_endian_tail: bool = False, always_user_id: bool = False
) -> bytes:
    """The record's octets, with the deviations of the cuff that is imitated."""
    flags = _KPA if record.unit is PressureUnit.KPA else 0
    pressures = (record.systolic, record.diastolic, record.mean_arterial_pressure)
    body = b"".join(encode_sfloat(pressure) for pressure in pressures)
    if record.time_stamp is not None:
        flags |= _TIME_STAMP
        body += encode_date_time(record.time_stamp)
    if record.pulse_rate is not None:
        flags |= _PULSE_RATE
        body += encode_sfloat(record.pulse_rate, big_endian=big_endian_tail)
    if always_user_id or record.user_id is not None:
        flags |= 0 if always_user_id else _USER_ID
        body += bytes((record.user_id or 0,))
    if record.measurement_status is not None:
        flags |= _STATUS
        body += record.measurement_status.to_bytes(2, "big" if big_endian_tail else "little")
    return bytes((flags,)) + body


def _read_plain_integer(octets: Octets, field: str, *, big_endian: bool = False) -> Figure:
    value = octets.uint16(field, big_endian=big_endian)
    return Decimal(value) if value < _NO_PLAIN_INTEGER else Special.NOT_A_NUMBER
