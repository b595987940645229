"""Thermometer, pulse oximeter, weight scale, elapsed time: published octets, round trips, totality.

The published octets stand in tests/captures/bluetooth.json; where none is published, the octets were put together by
hand from the specification's tables.
"""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.blood_pressure_measurement import decode_blood_pressure_measurement
from device_drivers.codecs.date_time import DateTime
from device_drivers.codecs.elapsed_time import decode_elapsed_time
from device_drivers.codecs.plx_spot_check import PlxSpotCheck, decode_plx_spot_check, encode_plx_spot_check
from device_drivers.codecs.sfloat import Special, decode_float, sfloat_from_int
from device_drivers.codecs.temperature_measurement import (
    TEMPERATURE_TYPES,
    TemperatureMeasurement,
    TemperatureUnit,
    decode_temperature_measurement,
    encode_temperature_measurement,
)
from device_drivers.codecs.weight_measurement import (
    WeightMeasurement,
    WeightUnit,
    decode_weight_measurement,
    encode_weight_measurement,
)
from device_drivers.errors import CodecError
from tests.device_drivers.codecs.bluetooth_vectors import Vector, name, octets, vectors
from tests.device_drivers.codecs.test_glucose_measurement import DATE_TIMES

FIGURES = st.integers(0, 0xFFFF).map(sfloat_from_int)
FLOATS = st.integers(0, 0xFFFFFFFF).map(lambda raw: decode_float(raw.to_bytes(4, "little")))
TEMPERATURES = st.builds(
    TemperatureMeasurement,
    temperature=FLOATS,
    unit=st.sampled_from(TemperatureUnit),
    time_stamp=st.none() | DATE_TIMES,
    temperature_type=st.none() | st.integers(0, 255),
)
SPOT_CHECKS = st.builds(
    PlxSpotCheck,
    spo2=FIGURES,
    pulse_rate=FIGURES,
    time_stamp=st.none() | DATE_TIMES,
    measurement_status=st.none() | st.integers(0, 0xFFFF),
    device_and_sensor_status=st.none() | st.integers(0, 0xFFFFFF),
    pulse_amplitude_index=st.none() | FIGURES,
    clock_not_set=st.booleans(),
)


@pytest.mark.parametrize("vector", vectors("temperature_measurement"), ids=name)
def test_the_published_temperature_decodes(vector: Vector) -> None:
    record = decode_temperature_measurement(octets(vector))
    expected = vector["expected"]
    assert record.temperature == Decimal(str(expected["temperature"]))
    assert record.unit == expected["unit"]
    assert record.time_stamp is not None
    assert record.time_stamp.text == expected["time_stamp"]
    assert record.temperature_type == expected["temperature_type"]
    assert TEMPERATURE_TYPES[expected["temperature_type"]] == "finger"


@pytest.mark.parametrize("vector", vectors("elapsed_time"), ids=name)
def test_the_published_clocks_decode(vector: Vector) -> None:
    clock = decode_elapsed_time(octets(vector))
    assert {key: getattr(clock, key) for key in vector["expected"]} == vector["expected"]


@pytest.mark.parametrize("vector", vectors("intermediate_cuff_pressure"), ids=name)
def test_the_published_cuff_pressures_decode_as_the_first_of_three_pressures(vector: Vector) -> None:
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode_blood_pressure_measurement(octets(vector))
        return
    record = decode_blood_pressure_measurement(octets(vector))
    assert record.systolic == vector["expected"]["current_cuff_pressure"]
    assert record.unit == vector["expected"]["unit"]


def test_fahrenheit_and_an_absent_time() -> None:
    record = decode_temperature_measurement(bytes.fromhex("01d20300ff"))
    assert record == TemperatureMeasurement(temperature=Decimal("97.8"), unit=TemperatureUnit.FAHRENHEIT)


def test_a_spot_check_with_every_field() -> None:
    """97 %, 72/min, 2026-11-20 08:30:00, fully qualified, low perfusion, amplitude 3.2 %, clock not set."""
    record = decode_plx_spot_check(bytes.fromhex("1f 6100 4800 ea070b14081e00 0001 200000 20f0"))
    assert record == PlxSpotCheck(
        spo2=Decimal(97),
        pulse_rate=Decimal(72),
        time_stamp=DateTime(2026, 11, 20, 8, 30, 0),
        measurement_status=0x0100,
        device_and_sensor_status=0x20,
        pulse_amplitude_index=Decimal("3.2"),
        clock_not_set=True,
    )
    assert record.statuses == ("fully_qualified", "low_perfusion")


def test_a_finger_that_was_not_there_is_no_saturation() -> None:
    assert decode_plx_spot_check(bytes.fromhex("00ff07ff07")).spo2 is Special.NOT_A_NUMBER


def test_a_weight_in_kilogrammes_with_every_field() -> None:
    """72.5 kg, 2026-11-20 08:30:00, user 2, BMI 23.4, 1.760 m."""
    record = decode_weight_measurement(bytes.fromhex("0e a438 ea070b14081e00 02 ea00 e006"))
    assert record == WeightMeasurement(
        weight=Decimal("72.500"),
        time_stamp=DateTime(2026, 11, 20, 8, 30, 0),
        user_id=2,
        bmi=Decimal("23.4"),
        height=Decimal("1.760"),
    )


def test_a_weight_in_pounds() -> None:
    record = decode_weight_measurement(bytes.fromhex("01 7040"))
    assert record == WeightMeasurement(weight=Decimal("164.96"), unit=WeightUnit.POUNDS)


def test_a_failed_weighing_is_no_weight() -> None:
    record = decode_weight_measurement(bytes.fromhex("00ffff"))
    assert record.weight is None
    assert encode_weight_measurement(record) == bytes.fromhex("00ffff")


def test_a_weight_between_two_steps_has_no_octets() -> None:
    with pytest.raises(ValueError, match="no multiple"):
        encode_weight_measurement(WeightMeasurement(weight=Decimal("72.501")))


@pytest.mark.parametrize(
    ("decode", "cut", "field"),
    [
        (decode_temperature_measurement, "02b00e00fedc07", "time stamp"),
        (decode_plx_spot_check, "0461004800ffff", "device and sensor status"),
        (decode_weight_measurement, "08a438ea00", "height"),
        (decode_elapsed_time, "0240420f0000000100", "clock status"),
    ],
)
def test_a_cut_record_names_the_field(decode: Callable[[bytes], object], cut: str, field: str) -> None:
    with pytest.raises(CodecError, match=field):
        decode(bytes.fromhex(cut))


@given(TEMPERATURES)
def test_every_temperature_survives_a_round_trip(record: TemperatureMeasurement) -> None:
    assert decode_temperature_measurement(encode_temperature_measurement(record)) == record


@given(SPOT_CHECKS)
def test_every_spot_check_survives_a_round_trip(record: PlxSpotCheck) -> None:
    assert decode_plx_spot_check(encode_plx_spot_check(record)) == record


@given(
    st.none() | st.integers(0, 0xFFFE),
    st.sampled_from(WeightUnit),
    st.none() | DATE_TIMES,
    st.none() | st.integers(0, 255),
    st.none() | st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)),
)
def test_every_weight_survives_a_round_trip(
    weight: int | None, unit: WeightUnit, time: DateTime | None, user: int | None, body: tuple[int, int] | None
) -> None:
    weight_step, height_step = unit.steps
    record = WeightMeasurement(
        weight=None if weight is None else weight * weight_step,
        unit=unit,
        time_stamp=time,
        user_id=user,
        bmi=body[0] * Decimal("0.1") if body else None,
        height=body[1] * height_step if body else None,
    )
    assert decode_weight_measurement(encode_weight_measurement(record)) == record


@pytest.mark.parametrize(
    "decode",
    [decode_temperature_measurement, decode_plx_spot_check, decode_weight_measurement, decode_elapsed_time],
)
@given(data=st.binary(max_size=24))
def test_any_octets_are_a_record_or_a_codec_error(decode: Callable[[bytes], object], data: bytes) -> None:
    with suppress(CodecError):
        decode(data)
