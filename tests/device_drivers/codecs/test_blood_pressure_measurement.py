from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.blood_pressure_feature import (
    decode_blood_pressure_feature,
    encode_blood_pressure_feature,
)
from device_drivers.codecs.blood_pressure_measurement import (
    BloodPressureMeasurement,
    PressureUnit,
    decode_blood_pressure_measurement,
    encode_blood_pressure_measurement,
)
from device_drivers.codecs.sfloat import Special, sfloat_from_int
from device_drivers.errors import CodecError
from tests.device_drivers.codecs.bluetooth_vectors import Vector, name, octets, vectors
from tests.device_drivers.codecs.test_glucose_measurement import DATE_TIMES

FIGURES = st.integers(0, 0xFFFF).map(sfloat_from_int)
RECORDS = st.builds(
    BloodPressureMeasurement,
    systolic=FIGURES,
    diastolic=FIGURES,
    mean_arterial_pressure=FIGURES,
    unit=st.sampled_from(PressureUnit),
    time_stamp=st.none() | DATE_TIMES,
    pulse_rate=st.none() | FIGURES,
    user_id=st.none() | st.integers(0, 255),
    measurement_status=st.none() | st.integers(0, 0xFFFF),
)


@pytest.mark.parametrize("vector", vectors("blood_pressure_measurement"), ids=name)
def test_the_published_records_decode_to_their_fields(vector: Vector) -> None:
    quirks = dict.fromkeys(vector.get("quirks", ()), True)
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode_blood_pressure_measurement(octets(vector))
        return
    fields = as_said(decode_blood_pressure_measurement(octets(vector), **quirks))
    expected = {key: number(value) for key, value in vector["expected"].items()}
    assert {key: fields[key] for key in expected} == expected


def as_said(record: BloodPressureMeasurement) -> dict[str, Any]:
    local = record.time_stamp.local if record.time_stamp else None
    return {
        "systolic": record.systolic,
        "diastolic": record.diastolic,
        "mean_arterial_pressure": record.mean_arterial_pressure,
        "unit": record.unit,
        "time_stamp": local.isoformat() if local else None,
        "pulse_rate": record.pulse_rate,
        "user_id": record.user_id,
        "measurement_status": record.measurement_status,
        "statuses": list(record.statuses),
        "pulse_rate_range": record.pulse_rate_range,
    }


def number(value: Any) -> Any:
    with suppress(ArithmeticError):
        return Decimal(str(value))
    return value


def test_a_failed_measurement_is_not_2047_mmhg() -> None:
    record = decode_blood_pressure_measurement(bytes.fromhex("00ff07ff07ff07"))
    assert record.systolic is record.diastolic is record.mean_arterial_pressure is Special.NOT_A_NUMBER


def test_without_its_quirks_a_beurer_pulse_is_nonsense() -> None:
    captured = bytes.fromhex("566a0047000000ea07080b121f00003f000000")
    assert decode_blood_pressure_measurement(captured).pulse_rate == -256_000
    right = decode_blood_pressure_measurement(captured, big_endian_tail=True, always_user_id=True)
    assert (right.pulse_rate, right.user_id, right.measurement_status) == (Decimal(63), 0, 0)


@given(RECORDS, st.booleans())
def test_every_record_survives_a_round_trip(record: BloodPressureMeasurement, big_endian_tail: bool) -> None:
    there = encode_blood_pressure_measurement(record, big_endian_tail=big_endian_tail)
    assert decode_blood_pressure_measurement(there, big_endian_tail=big_endian_tail) == record


@given(st.binary(max_size=24), st.booleans(), st.booleans())
def test_any_octets_are_a_record_or_a_codec_error(data: bytes, tail: bool, user: bool) -> None:
    with suppress(CodecError):
        decode_blood_pressure_measurement(data, big_endian_tail=tail, always_user_id=user)


def test_plain_integers_are_plain_and_2047_of_them_is_no_pressure() -> None:
    record = decode_blood_pressure_measurement(bytes.fromhex("00 7c00 4e00 ff07"), plain_integers=True)
    assert (record.systolic, record.diastolic) == (Decimal(124), Decimal(78))
    assert record.mean_arterial_pressure is Special.NOT_A_NUMBER
    odd = bytes.fromhex("00 00f1 0000 0000")
    assert decode_blood_pressure_measurement(odd, plain_integers=True).systolic is Special.NOT_A_NUMBER
    assert decode_blood_pressure_measurement(odd).systolic == Decimal("25.6")


@given(st.binary(max_size=24))
def test_any_octets_are_plain_integers_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        decode_blood_pressure_measurement(data, plain_integers=True)


def test_the_features_of_a_cuff_have_names() -> None:
    feature = decode_blood_pressure_feature(bytes.fromhex("2500"))
    assert feature.names == ("body_movement_detection", "irregular_pulse_detection", "multiple_bonds")
    assert encode_blood_pressure_feature(feature) == bytes.fromhex("2500")


@given(st.binary(max_size=4))
def test_any_octets_are_features_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        decode_blood_pressure_feature(data)
