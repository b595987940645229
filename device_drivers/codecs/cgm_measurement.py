"""CGM Measurement (0x2AA7) of the Continuous Glucose Monitoring Service 1.0.2: decoded by name, read by no driver.

A value is one record or several in a row. A record is its size uint8 (itself included), flags uint8 (bit 0 trend, 1
quality, 5 warning octet, 6 calibration and temperature octet, 7 status octet), glucose SFLOAT mg/dL, time offset uint16
in minutes since the session's start, then what the flags say: up to three octets of annunciation (status, calibration
and temperature, warning, in this order), trend SFLOAT mg/dL/min, quality SFLOAT %. Two octets more than that are a
CRC-16 (MCRF4XX, low octet first) over all before them; no flag announces it.
Source: Bluetooth GATT Specification Supplement, "CGM Measurement". Some receivers take the three octets of annunciation
in the order of their flags, the warning first; on a record with all three nothing tells the two orders apart.
"""

from dataclasses import dataclass

from device_drivers.codecs.octets import Octets, set_bits
from device_drivers.codecs.sfloat import Figure, encode_sfloat, read_sfloat
from device_drivers.errors import ChecksumError

FORMAT = "cgm_measurement"

STATUS = {
    0: "session_stopped",
    1: "device_battery_low",
    2: "sensor_type_incorrect_for_device",
    3: "sensor_malfunction",
    4: "device_specific_alert",
    5: "general_device_fault",
}
CALIBRATION_AND_TEMPERATURE = {
    0: "time_synchronisation_required",
    1: "calibration_not_allowed",
    2: "calibration_recommended",
    3: "calibration_required",
    4: "sensor_temperature_too_high",
    5: "sensor_temperature_too_low",
}
WARNING = {
    0: "result_lower_than_patient_low",
    1: "result_higher_than_patient_high",
    2: "result_lower_than_hypo",
    3: "result_higher_than_hyper",
    4: "rate_of_decrease_exceeded",
    5: "rate_of_increase_exceeded",
    6: "result_lower_than_device_can_process",
    7: "result_higher_than_device_can_process",
}

_TREND, _QUALITY = 1, 2
_WARNING, _CALIBRATION, _STATUS = 0x20, 0x40, 0x80
_CRC = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmMeasurement:
    """One record. ``time_offset`` in minutes; the three octets of annunciation as sent; ``has_crc`` where one was."""

    glucose_concentration: Figure
    time_offset: int
    status: int | None = None
    calibration_and_temperature: int | None = None
    warning: int | None = None
    trend: Figure | None = None
    quality: Figure | None = None
    has_crc: bool = False

    @property
    def annunciations(self) -> tuple[str, ...]:
        """The names of the bits that are set in any of the three octets; reserved bits have none."""
        return (
            set_bits(self.status or 0, STATUS)
            + set_bits(self.calibration_and_temperature or 0, CALIBRATION_AND_TEMPERATURE)
            + set_bits(self.warning or 0, WARNING)
        )


def decode_cgm_measurement(data: bytes) -> tuple[CgmMeasurement, ...]:
    """Total: the records of a value, at least one, or CodecError at the field that is cut. ChecksumError.

    Reserved flags are ignored; a size that does not fit the flags is a CodecError.
    """
    octets = Octets(FORMAT, data)
    records = [_record(octets)]
    while octets.left:
        records.append(_record(octets))
    return tuple(records)


def encode_cgm_measurement(*records: CgmMeasurement) -> bytes:
    """The octets of a value. ValueError for a figure that has no SFLOAT."""
    return b"".join(map(_encode, records))


def crc(octets: bytes) -> int:
    """CRC-16/MCRF4XX: polynomial 0x1021 reflected, from 0xFFFF."""
    rest = 0xFFFF
    for octet in octets:
        rest ^= octet
        for _ in range(8):
            rest = rest >> 1 ^ (0x8408 if rest & 1 else 0)
    return rest


def _record(octets: Octets) -> CgmMeasurement:
    start = octets.offset
    size = octets.uint8("size")
    flags = octets.uint8("flags")
    found = CgmMeasurement(
        glucose_concentration=read_sfloat(octets, "glucose concentration"),
        time_offset=octets.uint16("time offset"),
        status=octets.uint8("status") if flags & _STATUS else None,
        calibration_and_temperature=octets.uint8("calibration and temperature") if flags & _CALIBRATION else None,
        warning=octets.uint8("warning") if flags & _WARNING else None,
        trend=read_sfloat(octets, "trend") if flags & _TREND else None,
        quality=read_sfloat(octets, "quality") if flags & _QUALITY else None,
        has_crc=_has_crc(octets, start, size, flags),
    )
    if found.has_crc:
        _check(octets, start)
    return found


def _has_crc(octets: Octets, start: int, size: int, flags: int) -> bool:
    """What the size holds beyond the fields. CodecError where that is neither nothing nor a CRC."""
    fields = octets.offset - start
    if size not in (fields, fields + _CRC):
        raise octets.error(f"size {size}, but the flags {flags:02x} make {fields} octets", offset=start)
    return size != fields


def _check(octets: Octets, start: int) -> None:
    end = octets.offset
    sent, wanted = octets.uint16("CRC"), crc(octets.data[start:end])
    if sent != wanted:
        raise ChecksumError(FORMAT, f"CRC {sent:04x}, computed {wanted:04x}", octets.data, end)


def _encode(record: CgmMeasurement) -> bytes:
    fields = [
        (_STATUS, _octet(record.status)),
        (_CALIBRATION, _octet(record.calibration_and_temperature)),
        (_WARNING, _octet(record.warning)),
        (_TREND, b"" if record.trend is None else encode_sfloat(record.trend)),
        (_QUALITY, b"" if record.quality is None else encode_sfloat(record.quality)),
    ]
    flags = sum(flag for flag, octets in fields if octets)
    time = record.time_offset.to_bytes(2, "little")
    body = encode_sfloat(record.glucose_concentration) + time + b"".join(octets for _, octets in fields)
    whole = bytes((len(body) + 2 + _CRC * record.has_crc, flags)) + body
    return whole + crc(whole).to_bytes(_CRC, "little") if record.has_crc else whole


def _octet(value: int | None) -> bytes:
    return b"" if value is None else bytes((value,))
