"""PLX Spot-Check Measurement (0x2A5E) of the Pulse Oximeter Service 1.0.1.

Flags uint8 (bit 0 time stamp, 1 measurement status, 2 device and sensor status, 3 pulse amplitude index, 4 device
clock not set), SpO2 SFLOAT %, pulse rate SFLOAT 1/min, then what the flags say: Date Time, uint16, uint24, SFLOAT %.
Octets beyond are ignored. Source: Bluetooth GATT Specification Supplement, "PLX Spot-Check Measurement".
"""

from dataclasses import dataclass

from device_drivers.codecs.date_time import DateTime, encode_date_time, read_date_time
from device_drivers.codecs.octets import Octets, set_bits
from device_drivers.codecs.sfloat import Figure, encode_sfloat, read_sfloat

MEASUREMENT_STATUS = {
    5: "measurement_ongoing",
    6: "early_estimate",
    7: "validated",
    8: "fully_qualified",
    9: "from_measurement_storage",
    10: "for_demonstration",
    11: "for_testing",
    12: "calibration_ongoing",
    13: "measurement_unavailable",
    14: "questionable_measurement",
    15: "invalid_measurement",
}
DEVICE_AND_SENSOR_STATUS = {
    0: "extended_display_update_ongoing",
    1: "equipment_malfunction",
    2: "signal_processing_irregularity",
    3: "inadequate_signal",
    4: "poor_signal",
    5: "low_perfusion",
    6: "erratic_signal",
    7: "nonpulsatile_signal",
    8: "questionable_pulse",
    9: "signal_analysis_ongoing",
    10: "sensor_interference",
    11: "sensor_unconnected_to_user",
    12: "unknown_sensor_connected",
    13: "sensor_displaced",
    14: "sensor_malfunctioning",
    15: "sensor_disconnected",
}

_TIME_STAMP, _MEASUREMENT_STATUS, _SENSOR_STATUS, _PULSE_AMPLITUDE, _CLOCK_NOT_SET = (1 << bit for bit in range(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlxSpotCheck:
    """One record. With ``clock_not_set`` the time stamp is what an unset clock showed."""

    spo2: Figure
    pulse_rate: Figure
    time_stamp: DateTime | None = None
    measurement_status: int | None = None
    device_and_sensor_status: int | None = None
    pulse_amplitude_index: Figure | None = None
    clock_not_set: bool = False

    @property
    def statuses(self) -> tuple[str, ...]:
        """The names of the bits that are set in either status; reserved bits have none."""
        return set_bits(self.measurement_status or 0, MEASUREMENT_STATUS) + set_bits(
            self.device_and_sensor_status or 0, DEVICE_AND_SENSOR_STATUS
        )


def decode_plx_spot_check(data: bytes) -> PlxSpotCheck:
    """Total: the record, or CodecError at the field that is cut. Reserved flags are ignored."""
    octets = Octets("plx_spot_check", data)
    flags = octets.uint8("flags")
    return PlxSpotCheck(
        spo2=read_sfloat(octets, "SpO2"),
        pulse_rate=read_sfloat(octets, "pulse rate"),
        time_stamp=read_date_time(octets, "time stamp") if flags & _TIME_STAMP else None,
        measurement_status=octets.uint16("measurement status") if flags & _MEASUREMENT_STATUS else None,
        device_and_sensor_status=(
            int.from_bytes(octets.take(3, "device and sensor status"), "little") if flags & _SENSOR_STATUS else None
        ),
        pulse_amplitude_index=read_sfloat(octets, "pulse amplitude index") if flags & _PULSE_AMPLITUDE else None,
        clock_not_set=bool(flags & _CLOCK_NOT_SET),
    )


def encode_plx_spot_check(record: PlxSpotCheck) -> bytes:
    """The record's octets."""
    time, status, sensor = record.time_stamp, record.measurement_status, record.device_and_sensor_status
    amplitude = record.pulse_amplitude_index
    fields = [
        (_TIME_STAMP, b"" if time is None else encode_date_time(time)),
        (_MEASUREMENT_STATUS, b"" if status is None else status.to_bytes(2, "little")),
        (_SENSOR_STATUS, b"" if sensor is None else sensor.to_bytes(3, "little")),
        (_PULSE_AMPLITUDE, b"" if amplitude is None else encode_sfloat(amplitude)),
    ]
    flags = sum(flag for flag, octets in fields if octets) | (_CLOCK_NOT_SET if record.clock_not_set else 0)
    head = bytes((flags,)) + encode_sfloat(record.spo2) + encode_sfloat(record.pulse_rate)
    return head + b"".join(octets for _, octets in fields)
