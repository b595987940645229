"""Every wire format that can be decoded by name: the Bluetooth characteristics, and one name per serial protocol.

A format takes the octets of one frame, line or record as they stand on the wire, and gives a record (a dataclass or a
dict), or raises CodecError. A new format is one line in ``FORMATS``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from device_drivers.codecs.sfloat import decode_float, decode_sfloat
from device_drivers.support import bluetooth_views, lifescan_ultramini_view, taidoc_51_view

Decode = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Format:
    """One wire format.

    ``is_text`` where its octets are lines of ASCII; ``with_quirks`` where a profile's quirks change what octets mean.
    """

    about: str
    decode: Decode
    is_text: bool = False
    with_quirks: Callable[[bytes, frozenset[str]], object] | None = None


FORMATS: dict[str, Format] = {
    # Bluetooth: the octets of a characteristic's value.
    "sfloat": Format("SFLOAT, 2 octets", bluetooth_views.sfloat(decode_sfloat)),
    "float": Format("FLOAT, 4 octets", bluetooth_views.sfloat(decode_float)),
    "date-time": Format("Date Time 0x2A08", bluetooth_views.date_time),
    "current-time": Format("Current Time 0x2A2B", bluetooth_views.current_time),
    "glucose-feature": Format("Glucose Feature 0x2A51", bluetooth_views.glucose_feature),
    "glucose-measurement": Format("Glucose Measurement 0x2A18", bluetooth_views.glucose_measurement),
    "glucose-measurement-context": Format(
        "Glucose Measurement Context 0x2A34", bluetooth_views.glucose_measurement_context
    ),
    "record-access-control-point": Format(
        "Record Access Control Point 0x2A52, requests and responses", bluetooth_views.record_access_control_point
    ),
    "blood-pressure-measurement": Format(
        "Blood Pressure Measurement 0x2A35; --profile for a cuff's deviations",
        bluetooth_views.blood_pressure_measurement,
        with_quirks=bluetooth_views.blood_pressure_measurement,
    ),
    "intermediate-cuff-pressure": Format(
        "Intermediate Cuff Pressure 0x2A36", bluetooth_views.intermediate_cuff_pressure
    ),
    # Serial lines and HID devices.
    "lifescan-ultramini": Format("LifeScan UltraMini, UltraEasy: one frame", lifescan_ultramini_view.frame),
    "taidoc-51": Format("TaiDoc: one frame of 8 octets", taidoc_51_view.frame),
    "taidoc-51-date-time": Format("TaiDoc: the 4 octets of a date and time", taidoc_51_view.date_time),
}
