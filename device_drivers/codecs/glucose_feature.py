"""Glucose Feature (0x2A51) of the Glucose Service 1.0.1: what the meter can tell, 16 bits."""

from dataclasses import dataclass

from device_drivers.codecs.octets import Octets, set_bits

FEATURES = {
    0: "low_battery_detection",
    1: "sensor_malfunction_detection",
    2: "sensor_sample_size",
    3: "sensor_strip_insertion_error_detection",
    4: "sensor_strip_type_error_detection",
    5: "sensor_result_high_low_detection",
    6: "sensor_temperature_high_low_detection",
    7: "sensor_read_interrupt_detection",
    8: "general_device_fault",
    9: "time_fault",
    10: "multiple_bond",
}


@dataclass(frozen=True, slots=True)
class GlucoseFeature:
    """The bits as sent, and their names (reserved bits have none)."""

    bits: int

    @property
    def names(self) -> tuple[str, ...]:
        """What is supported, lowest bit first."""
        return set_bits(self.bits, FEATURES)


def decode_glucose_feature(data: bytes) -> GlucoseFeature:
    """At least two octets. CodecError otherwise."""
    return GlucoseFeature(Octets("glucose_feature", data).uint16("feature"))


def encode_glucose_feature(feature: GlucoseFeature) -> bytes:
    """Two octets."""
    return feature.bits.to_bytes(2, "little")
