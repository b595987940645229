"""Every wire format that can be decoded by name: the Bluetooth characteristics, and one name per serial protocol.

A format takes the octets of one frame, line or record as they stand on the wire, and gives a record (a dataclass or a
dict), or raises CodecError. A new format is one line in ``FORMATS``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from device_drivers.codecs import (
    abbott_mem,
    andon_bm,
    maibobo_rbp,
    microlife_b3,
    omron_hem,
    suntech_nibp,
)
from device_drivers.codecs.sfloat import decode_float, decode_sfloat
from device_drivers.support import (
    ascensia_view,
    bluetooth_views,
    lifescan_binary_view,
    lifescan_text_view,
    taidoc_51_view,
)

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
    "blood-pressure-feature": Format("Blood Pressure Feature 0x2A49", bluetooth_views.blood_pressure_feature),
    "blood-pressure-measurement": Format(
        "Blood Pressure Measurement 0x2A35; --profile for a cuff's deviations",
        bluetooth_views.blood_pressure_measurement,
        with_quirks=bluetooth_views.blood_pressure_measurement,
    ),
    "intermediate-cuff-pressure": Format(
        "Intermediate Cuff Pressure 0x2A36", bluetooth_views.intermediate_cuff_pressure
    ),
    "temperature-measurement": Format("Temperature Measurement 0x2A1C", bluetooth_views.temperature_measurement),
    "plx-spot-check": Format("PLX Spot-Check Measurement 0x2A5E", bluetooth_views.plx_spot_check),
    "weight-measurement": Format("Weight Measurement 0x2A9D", bluetooth_views.weight_measurement),
    "cgm-measurement": Format("CGM Measurement 0x2AA7, one record or several", bluetooth_views.cgm_measurement),
    "elapsed-time": Format("Current Elapsed Time 0x2BF2", bluetooth_views.elapsed_time),
    "isens-clock": Format("i-SENS meters' own clock 0xFFF1, a command to set it", bluetooth_views.isens_clock),
    # Serial lines and HID devices.
    "lifescan-ultramini": Format("LifeScan UltraMini, UltraEasy: one frame", lifescan_binary_view.ultramini_frame),
    "lifescan-verio-iq": Format("LifeScan Verio IQ: one frame", lifescan_binary_view.verio_iq_frame),
    "lifescan-ultra": Format("LifeScan Ultra, Ultra2: one line of the meter", lifescan_text_view.line, is_text=True),
    "ascensia-contour": Format(
        "Ascensia Contour: one record, or one frame, with or without the HID reports around it",
        ascensia_view.contour,
        is_text=True,
    ),
    "astm-e1381": Format("ASTM E1381: one frame, or control octets", ascensia_view.frame, is_text=True),
    "abbott-freestyle": Format(
        "Abbott FreeStyle, Optium, Precision: a whole dump, a record, or a clock line", abbott_mem.decode, is_text=True
    ),
    "abbott-freestyle-serial-number": Format(
        "Abbott FreeStyle: the line with the serial number", abbott_mem.decode_serial_number, is_text=True
    ),
    "abbott-freestyle-version": Format(
        "Abbott FreeStyle: the line with the software version", abbott_mem.decode_version, is_text=True
    ),
    "taidoc-51": Format("TaiDoc: one frame of 8 octets", taidoc_51_view.frame),
    "taidoc-51-date-time": Format("TaiDoc: the 4 octets of a date and time", taidoc_51_view.date_time),
    "suntech-oem": Format("SunTech OEM NIBP: one whole packet of either side", suntech_nibp.decode),
    "maibobo-rbp": Format("Maibobo RBP: one whole frame of either side", maibobo_rbp.decode),
    "microlife-b3": Format(
        "Microlife B3: one row of 10 octets, or one whole message without the reports' counts", microlife_b3.decode
    ),
    "omron-hem790it": Format("Omron HEM-790IT: one whole answer without the reports' counts", omron_hem.decode),
    "beurer-andon": Format(
        "Beurer BM55, BM58, BM65 (Andon): one record of 8 octets, with or without AC", andon_bm.decode
    ),
}
