"""Glucose Measurement (0x2A18) of the Bluetooth Glucose Service 1.0.1; layout in drivers/bluetooth_glucose.md."""

from dataclasses import dataclass
from enum import StrEnum

from device_drivers.codecs.date_time import DateTime, encode_date_time, read_date_time
from device_drivers.codecs.octets import Octets, set_bits
from device_drivers.codecs.sfloat import Figure, encode_sfloat, read_sfloat

TYPE_CONTROL_SOLUTION = 10
TYPES = {
    1: "capillary_whole_blood",
    2: "capillary_plasma",
    3: "venous_whole_blood",
    4: "venous_plasma",
    5: "arterial_whole_blood",
    6: "arterial_plasma",
    7: "undetermined_whole_blood",
    8: "undetermined_plasma",
    9: "interstitial_fluid",
    TYPE_CONTROL_SOLUTION: "control_solution",
}
SAMPLE_LOCATIONS = {1: "finger", 2: "alternate_site_test", 3: "earlobe", 4: "control_solution", 15: "not_available"}
SENSOR_STATUS_ANNUNCIATION = {
    0: "device_battery_low",
    1: "sensor_malfunction",
    2: "sample_size_insufficient",
    3: "strip_insertion_error",
    4: "strip_type_incorrect",
    5: "result_too_high",
    6: "result_too_low",
    7: "temperature_too_high",
    8: "temperature_too_low",
    9: "read_interrupted",
    10: "general_device_fault",
    11: "time_fault",
}

_TIME_OFFSET, _CONCENTRATION, _MOL_PER_LITRE, _STATUS, _CONTEXT = (1 << bit for bit in range(5))


class ConcentrationUnit(StrEnum):
    """The unit on the wire: kilogrammes or moles per litre, never mg/dL or mmol/L."""

    KG_PER_L = "kg/L"
    MOL_PER_L = "mol/L"


@dataclass(frozen=True, slots=True)
class GlucoseConcentration:
    """The figure and what it was measured in. Reserved types and locations keep their number."""

    figure: Figure
    unit: ConcentrationUnit
    type: int
    sample_location: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseMeasurement:
    """One record. ``time_offset`` in minutes: the user-facing time is base time plus time offset."""

    sequence_number: int
    base_time: DateTime
    time_offset: int | None = None
    concentration: GlucoseConcentration | None = None
    sensor_status_annunciation: int | None = None
    context_information_follows: bool = False

    @property
    def annunciations(self) -> tuple[str, ...]:
        """The names of the status bits that are set; reserved bits have none."""
        return set_bits(self.sensor_status_annunciation or 0, SENSOR_STATUS_ANNUNCIATION)


def decode_glucose_measurement(data: bytes) -> GlucoseMeasurement:
    """Total: the record, or CodecError at the field that is cut. Reserved flags and octets beyond are ignored."""
    octets = Octets("glucose_measurement", data)
    flags = octets.uint8("flags")
    return GlucoseMeasurement(
        sequence_number=octets.uint16("sequence number"),
        base_time=read_date_time(octets, "base time"),
        time_offset=octets.sint16("time offset") if flags & _TIME_OFFSET else None,
        concentration=_read_concentration(octets, flags) if flags & _CONCENTRATION else None,
        sensor_status_annunciation=octets.uint16("sensor status annunciation") if flags & _STATUS else None,
        context_information_follows=bool(flags & _CONTEXT),
    )


def encode_glucose_measurement(record: GlucoseMeasurement) -> bytes:
    """The record's octets."""
    concentration = record.concentration
    flags = _CONTEXT if record.context_information_follows else 0
    tail = b""
    if record.time_offset is not None:
        flags |= _TIME_OFFSET
        tail += record.time_offset.to_bytes(2, "little", signed=True)
    if concentration is not None:
        flags |= _CONCENTRATION | (_MOL_PER_LITRE if concentration.unit is ConcentrationUnit.MOL_PER_L else 0)
        tail += encode_sfloat(concentration.figure) + bytes((concentration.sample_location << 4 | concentration.type,))
    if record.sensor_status_annunciation is not None:
        flags |= _STATUS
        tail += record.sensor_status_annunciation.to_bytes(2, "little")
    head = bytes((flags,)) + record.sequence_number.to_bytes(2, "little")
    return head + encode_date_time(record.base_time) + tail


def _read_concentration(octets: Octets, flags: int) -> GlucoseConcentration:
    figure = read_sfloat(octets, "glucose concentration")
    type_and_location = octets.uint8("type and sample location")
    return GlucoseConcentration(
        figure,
        ConcentrationUnit.MOL_PER_L if flags & _MOL_PER_LITRE else ConcentrationUnit.KG_PER_L,
        type=type_and_location & 0x0F,
        sample_location=type_and_location >> 4,
    )
