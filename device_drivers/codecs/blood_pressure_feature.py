"""Blood Pressure Feature (0x2A49) of the Blood Pressure Service 1.1.1: what the cuff can tell, 16 bits."""

from dataclasses import dataclass

from device_drivers.codecs.octets import Octets, set_bits

FEATURES = {
    0: "body_movement_detection",
    1: "cuff_fit_detection",
    2: "irregular_pulse_detection",
    3: "pulse_rate_range_detection",
    4: "measurement_position_detection",
    5: "multiple_bonds",
    6: "e2e_crc",
    7: "user_data_service",
    8: "user_facing_time",
}


@dataclass(frozen=True, slots=True)
class BloodPressureFeature:
    """The bits as sent, and their names (reserved bits have none)."""

    bits: int

    @property
    def names(self) -> tuple[str, ...]:
        """What is supported, lowest bit first."""
        return set_bits(self.bits, FEATURES)


def decode_blood_pressure_feature(data: bytes) -> BloodPressureFeature:
    """At least two octets. CodecError otherwise."""
    return BloodPressureFeature(Octets("blood_pressure_feature", data).uint16("feature"))


def encode_blood_pressure_feature(feature: BloodPressureFeature) -> bytes:
    """Two octets."""
    return feature.bits.to_bytes(2, "little")
