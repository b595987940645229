"""Weight Measurement (0x2A9D) of the Weight Scale Service 1.0.

Flags uint8 (bit 0 unit, 1 time stamp, 2 user id, 3 BMI and height), weight uint16 in steps of 0.005 kg or 0.01 lb
(0xFFFF: the measurement failed), then what the flags say: Date Time; user id uint8 (255 unknown); BMI uint16 in 0.1
kg/m² and height uint16 in steps of 0.001 m or 0.1 in. Octets beyond are ignored.
Source: Bluetooth GATT Specification Supplement, "Weight Measurement".
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from device_drivers.codecs.date_time import DateTime, encode_date_time, read_date_time
from device_drivers.codecs.octets import Octets

_POUNDS, _TIME_STAMP, _USER_ID, _BMI_AND_HEIGHT = (1 << bit for bit in range(4))
_FAILED = 0xFFFF
_BMI_STEP = Decimal("0.1")


class WeightUnit(StrEnum):
    """UCUM codes of the weight; the height is in metres or inches accordingly."""

    KILOGRAMS = "kg"
    POUNDS = "[lb_av]"

    @property
    def steps(self) -> tuple[Decimal, Decimal]:
        """What one step of weight and of height is."""
        return (Decimal("0.005"), Decimal("0.001")) if self is self.KILOGRAMS else (Decimal("0.01"), Decimal("0.1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightMeasurement:
    """One record; ``weight`` None where the scale says that the measurement failed. BMI and height come together."""

    weight: Decimal | None
    unit: WeightUnit = WeightUnit.KILOGRAMS
    time_stamp: DateTime | None = None
    user_id: int | None = None
    bmi: Decimal | None = None
    height: Decimal | None = None


def decode_weight_measurement(data: bytes) -> WeightMeasurement:
    """Total: the record, or CodecError at the field that is cut. Reserved flags are ignored."""
    octets = Octets("weight_measurement", data)
    flags = octets.uint8("flags")
    unit = WeightUnit.POUNDS if flags & _POUNDS else WeightUnit.KILOGRAMS
    weight_step, height_step = unit.steps
    weight = octets.uint16("weight")
    return WeightMeasurement(
        unit=unit,
        weight=None if weight == _FAILED else weight * weight_step,
        time_stamp=read_date_time(octets, "time stamp") if flags & _TIME_STAMP else None,
        user_id=octets.uint8("user id") if flags & _USER_ID else None,
        bmi=octets.uint16("BMI") * _BMI_STEP if flags & _BMI_AND_HEIGHT else None,
        height=octets.uint16("height") * height_step if flags & _BMI_AND_HEIGHT else None,
    )


def encode_weight_measurement(record: WeightMeasurement) -> bytes:
    """The record's octets. ValueError where a figure is no whole number of steps."""
    weight_step, height_step = record.unit.steps
    flags = _POUNDS if record.unit is WeightUnit.POUNDS else 0
    body = (_FAILED if record.weight is None else _steps(record.weight, weight_step)).to_bytes(2, "little")
    if record.time_stamp is not None:
        flags |= _TIME_STAMP
        body += encode_date_time(record.time_stamp)
    if record.user_id is not None:
        flags |= _USER_ID
        body += bytes((record.user_id,))
    if record.bmi is not None and record.height is not None:
        flags |= _BMI_AND_HEIGHT
        body += _steps(record.bmi, _BMI_STEP).to_bytes(2, "little")
        body += _steps(record.height, height_step).to_bytes(2, "little")
    return bytes((flags,)) + body


def _steps(value: Decimal, step: Decimal) -> int:
    steps, rest = divmod(value, step)
    if rest:
        raise ValueError(f"{value} is no multiple of {step}")
    return int(steps)
