"""What the characteristics of Bluetooth health devices say, under the names of the Bluetooth SIG.

A date and time is given as a naive ISO time, or null where a field is unknown or the moment does not exist; next to it
stands what was sent (``..._as_sent``, zeros for what is not known). ``octets_beyond`` counts octets behind the record,
which the services tell a receiver to ignore.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from inspect import signature

from device_drivers.codecs.blood_pressure_feature import decode_blood_pressure_feature
from device_drivers.codecs.blood_pressure_measurement import (
    UNKNOWN_USER,
    BloodPressureMeasurement,
    decode_blood_pressure_measurement,
)
from device_drivers.codecs.cgm_measurement import CgmMeasurement, decode_cgm_measurement, encode_cgm_measurement
from device_drivers.codecs.date_time import DateTime, decode_current_time, decode_date_time
from device_drivers.codecs.elapsed_time import SYNC_SOURCES, decode_elapsed_time
from device_drivers.codecs.glucose_feature import FEATURES, decode_glucose_feature
from device_drivers.codecs.glucose_measurement import (
    SAMPLE_LOCATIONS,
    TYPES,
    ConcentrationUnit,
    GlucoseMeasurement,
    decode_glucose_measurement,
    encode_glucose_measurement,
)
from device_drivers.codecs.glucose_measurement_context import (
    CARBOHYDRATE_IDS,
    HEALTH,
    MEALS,
    MEDICATION_IDS,
    TESTERS,
    GlucoseMeasurementContext,
    decode_glucose_measurement_context,
    encode_glucose_measurement_context,
)
from device_drivers.codecs.isens_clock import decode_isens_clock
from device_drivers.codecs.plx_spot_check import decode_plx_spot_check, encode_plx_spot_check
from device_drivers.codecs.record_access_control_point import (
    NumberOfStoredRecords,
    OpCode,
    Refusal,
    Request,
    Response,
    decode_request,
    decode_response,
    encode_response,
)
from device_drivers.codecs.sfloat import Figure
from device_drivers.codecs.temperature_measurement import (
    TEMPERATURE_TYPES,
    decode_temperature_measurement,
    encode_temperature_measurement,
)
from device_drivers.codecs.weight_measurement import decode_weight_measurement, encode_weight_measurement
from device_drivers.errors import CodecError
from device_drivers.support.rendering import Object, plain, record

RESERVED = "reserved"
# A quirk of a profile and the codec's switch for it have one name.
_DEVIATIONS = tuple(name for name in signature(decode_blood_pressure_measurement).parameters if name != "data")
_SHIFTS = {ConcentrationUnit.KG_PER_L: ("mg_dl", 5), ConcentrationUnit.MOL_PER_L: ("mmol_l", 3)}


def sfloat(decode: Callable[[bytes], Figure]) -> Callable[[bytes], Object]:
    """A view of a bare SFLOAT or FLOAT."""

    def view(octets: bytes) -> Object:
        figure = decode(octets)
        if not isinstance(figure, Decimal):
            return {"value": None} | _object(plain(figure))
        return {"value": figure, "decimals": decimals(figure)}

    return view


def decimals(figure: Decimal) -> int:
    """How many decimals the exponent says that there are."""
    exponent = figure.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def date_time(octets: bytes) -> Object:
    """Date Time (0x2A08)."""
    stamp = decode_date_time(octets)
    return _moment("date_time", stamp) | _date_fields(stamp) | _beyond(octets, 7)


def current_time(octets: bytes) -> Object:
    """Current Time (0x2A2B)."""
    current = decode_current_time(octets)
    return {
        **_moment("date_time", current.date_time),
        **_date_fields(current.date_time),
        "day_of_week": current.day_of_week,
        "fractions256": current.fractions256,
        "adjust_reason": current.adjust_reason,
        **_beyond(octets, 10),
    }


def glucose_feature(octets: bytes) -> Object:
    """Glucose Feature (0x2A51)."""
    feature = decode_glucose_feature(octets)
    return {
        "glucose_feature": feature.bits,
        "supported": feature.names,
        **{name: bool(feature.bits >> bit & 1) for bit, name in FEATURES.items()},
        **_beyond(octets, 2),
    }


def glucose_measurement(octets: bytes) -> Object:
    """Glucose Measurement (0x2A18). The user-facing time is the base time plus the time offset."""
    measurement = decode_glucose_measurement(octets)
    return {
        "sequence_number": measurement.sequence_number,
        **_moment("base_time", measurement.base_time),
        "time_offset": measurement.time_offset,
        "user_facing_time": _user_facing(measurement),
        **_concentration(measurement),
        "sensor_status_annunciation": measurement.sensor_status_annunciation,
        "sensor_status": measurement.annunciations,
        "context_information_follows": measurement.context_information_follows,
        **_beyond(octets, len(encode_glucose_measurement(measurement))),
    }


def glucose_measurement_context(octets: bytes) -> Object:
    """Glucose Measurement Context (0x2A34)."""
    context = decode_glucose_measurement_context(octets)
    return {
        "sequence_number": context.sequence_number,
        "extended_flags": context.extended_flags,
        **_eaten_and_taken(context),
        **_coded("meal", context.meal, MEALS),
        **_coded("tester", context.tester, TESTERS),
        **_coded("health", context.health, HEALTH),
        "exercise_duration_s": context.exercise.duration_s if context.exercise else None,
        "exercise_intensity_percent": context.exercise.intensity_percent if context.exercise else None,
        "hba1c_percent": context.hba1c_percent,
        **_beyond(octets, len(encode_glucose_measurement_context(context))),
    }


def blood_pressure_feature(octets: bytes) -> Object:
    """Blood Pressure Feature (0x2A49)."""
    feature = decode_blood_pressure_feature(octets)
    return {"blood_pressure_feature": feature.bits, "supported": feature.names, **_beyond(octets, 2)}


def blood_pressure_measurement(octets: bytes, quirks: frozenset[str] = frozenset()) -> Object:
    """Blood Pressure Measurement (0x2A35), with the deviations of a profile where it has them."""
    deviations = {name: name in quirks for name in _DEVIATIONS}
    measurement = decode_blood_pressure_measurement(octets, **deviations)
    return {
        "systolic": measurement.systolic,
        "diastolic": measurement.diastolic,
        "mean_arterial_pressure": measurement.mean_arterial_pressure,
        **_around_the_pressures(measurement),
        **_beyond(octets, _pressure_length(measurement)),
    }


def intermediate_cuff_pressure(octets: bytes) -> Object:
    """Intermediate Cuff Pressure (0x2A36): a Blood Pressure Measurement whose first pressure is the cuff's."""
    measurement = decode_blood_pressure_measurement(octets)
    return {
        "current_cuff_pressure": measurement.systolic,
        **_around_the_pressures(measurement),
        **_beyond(octets, _pressure_length(measurement)),
    }


def temperature_measurement(octets: bytes) -> Object:
    """Temperature Measurement (0x2A1C)."""
    measurement = decode_temperature_measurement(octets)
    kind = measurement.temperature_type
    named = _coded("temperature_type", kind, TEMPERATURE_TYPES)
    return _fields(measurement) | named | _beyond(octets, len(encode_temperature_measurement(measurement)))


def plx_spot_check(octets: bytes) -> Object:
    """PLX Spot-Check Measurement (0x2A5E)."""
    measurement = decode_plx_spot_check(octets)
    return _fields(measurement) | _beyond(octets, len(encode_plx_spot_check(measurement)))


def weight_measurement(octets: bytes) -> Object:
    """Weight Measurement (0x2A9D)."""
    measurement = decode_weight_measurement(octets)
    return _fields(measurement) | _beyond(octets, len(encode_weight_measurement(measurement)))


def cgm_measurement(octets: bytes) -> Object:
    """CGM Measurement (0x2AA7): the first record of the value, and ``further_records`` where there are more."""
    first, *further = map(_cgm_record, decode_cgm_measurement(octets))
    return first | ({"further_records": further} if further else {})


def elapsed_time(octets: bytes) -> Object:
    """Current Elapsed Time (0x2BF2)."""
    elapsed = decode_elapsed_time(octets)
    return _fields(elapsed) | _coded("sync_source", elapsed.sync_source, SYNC_SOURCES)


def isens_clock(octets: bytes) -> Object:
    """The command that sets the clock of an i-SENS meter (0xFFF1)."""
    return _moment("date_time", decode_isens_clock(octets))


def record_access_control_point(octets: bytes) -> Object:
    """Record Access Control Point (0x2A52): a request (op codes 1 to 4) or a response (5 and 6).

    CodecError for a request that a server must refuse; its reason holds the octets of that refusal.
    """
    if octets[:1] in (b"\x05", b"\x06"):
        return _response(decode_response(octets))
    try:
        return _request(decode_request(octets))
    except Refusal as refusal:
        answer = encode_response(refusal.response).hex()
        reason = f"a server refuses this request ({refusal.response.meaning}, {answer})"
        raise CodecError("record_access_control_point", reason, octets, 0) from refusal


def _request(request: Request) -> Object:
    return {
        "op_code": int(request.op_code),
        "op_code_name": request.op_code,
        "operator": int(request.operator),
        "operator_name": request.operator,
        "minimum": _operand(request.minimum),
        "maximum": _operand(request.maximum),
    }


def _operand(operand: int | DateTime | None) -> int | str | None:
    return operand.text if isinstance(operand, DateTime) else operand


def _response(response: NumberOfStoredRecords | Response) -> Object:
    if isinstance(response, NumberOfStoredRecords):
        op_code = OpCode.NUMBER_OF_STORED_RECORDS_RESPONSE
        return {"op_code": int(op_code), "op_code_name": op_code, "number_of_stored_records": response.count}
    return {
        "op_code": int(OpCode.RESPONSE_CODE),
        "op_code_name": OpCode.RESPONSE_CODE,
        "request_op_code": response.request_op_code,
        "response_code": response.code,
        "response_code_name": response.meaning,
    }


def _cgm_record(measurement: CgmMeasurement) -> Object:
    view = _fields(measurement)
    octets = (measurement.status, measurement.calibration_and_temperature, measurement.warning)
    return {
        "size": len(encode_cgm_measurement(measurement)),
        "unit": "mg/dL",
        **{name: value for name, value in view.items() if name not in ("has_crc", "annunciations")},
        "sensor_status_annunciation": [octet for octet in octets if octet is not None],
        "sensor_status": measurement.annunciations,
        "e2e_crc": "valid" if measurement.has_crc else None,
    }


def _around_the_pressures(measurement: BloodPressureMeasurement) -> Object:
    stamp = measurement.time_stamp
    return {
        "unit": measurement.unit,
        **(_moment("time_stamp", stamp) if stamp else {"time_stamp": None}),
        "pulse_rate": measurement.pulse_rate,
        "user_id": measurement.user_id,
        **({"user_is_known": measurement.user_id != UNKNOWN_USER} if measurement.user_id is not None else {}),
        "measurement_status": measurement.measurement_status,
        "measurement_statuses": measurement.statuses,
        "pulse_rate_range": measurement.pulse_rate_range if measurement.measurement_status is not None else None,
    }


def _pressure_length(measurement: BloodPressureMeasurement) -> int:
    """Flags and three pressures, and what the record has beside them."""
    return (
        7
        + 7 * (measurement.time_stamp is not None)
        + 2 * (measurement.pulse_rate is not None)
        + (measurement.user_id is not None)
        + 2 * (measurement.measurement_status is not None)
    )


def _user_facing(measurement: GlucoseMeasurement) -> str | None:
    local = measurement.base_time.local
    try:
        return (local + timedelta(minutes=measurement.time_offset or 0)).isoformat() if local else None
    except OverflowError:
        return None


def _concentration(measurement: GlucoseMeasurement) -> Object:
    concentration = measurement.concentration
    if concentration is None:
        return {"glucose_concentration": None}
    figure = concentration.figure
    name, shift = _SHIFTS[concentration.unit]
    return {
        "glucose_concentration": figure,
        "unit": concentration.unit,
        name: figure.scaleb(shift) if isinstance(figure, Decimal) else None,
        **_coded("type", concentration.type, TYPES),
        **_coded("sample_location", concentration.sample_location, SAMPLE_LOCATIONS),
    }


def _eaten_and_taken(context: GlucoseMeasurementContext) -> Object:
    eaten, taken = context.carbohydrate, context.medication
    return {
        **_coded("carbohydrate_id", eaten.carbohydrate_id if eaten else None, CARBOHYDRATE_IDS),
        "carbohydrate_kg": eaten.kilograms if eaten else None,
        **_coded("medication_id", taken.medication_id if taken else None, MEDICATION_IDS),
        "medication": taken.amount if taken else None,
        "medication_unit": taken.unit if taken else None,
    }


def _coded(name: str, code: int | None, words: dict[int, str]) -> Object:
    """The number as sent, and what it stands for."""
    return {name: code} if code is None else {name: code, f"{name}_name": words.get(code, RESERVED)}


def _fields(measurement: object) -> Object:
    """A record as it is, its dates as everywhere here."""
    view: Object = {}
    for name, value in record(measurement).items():
        stamp = getattr(measurement, name)
        view |= _moment(name, stamp) if isinstance(stamp, DateTime) else {name: value}
    return view


def _moment(name: str, stamp: DateTime) -> Object:
    return {name: stamp.local, f"{name}_as_sent": stamp.text}


def _date_fields(stamp: DateTime) -> Object:
    """Year, month and day are null where 0 says that they are not known."""
    return {
        "year": stamp.year or None,
        "month": stamp.month or None,
        "day": stamp.day or None,
        "hours": stamp.hours,
        "minutes": stamp.minutes,
        "seconds": stamp.seconds,
    }


def _beyond(octets: bytes, understood: int) -> Object:
    return {"octets_beyond": len(octets) - understood} if len(octets) > understood else {}


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}
