from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.glucose_measurement_context import (
    Carbohydrate,
    Exercise,
    GlucoseMeasurementContext,
    Medication,
    MedicationUnit,
    decode_glucose_measurement_context,
    encode_glucose_measurement_context,
)
from device_drivers.codecs.sfloat import sfloat_from_int
from device_drivers.errors import CodecError
from tests.device_drivers.codecs.bluetooth_vectors import Vector, name, octets, vectors

FIGURES = st.integers(0, 0xFFFF).map(sfloat_from_int)
OCTET = st.integers(0, 255)
NIBBLE = st.integers(0, 15)
RECORDS = st.builds(
    GlucoseMeasurementContext,
    sequence_number=st.integers(0, 0xFFFF),
    extended_flags=st.none() | OCTET,
    carbohydrate=st.none() | st.builds(Carbohydrate, OCTET, FIGURES),
    meal=st.none() | OCTET,
    tester=NIBBLE,
    health=NIBBLE,
    exercise=st.none() | st.builds(Exercise, st.integers(0, 0xFFFF), OCTET),
    medication=st.none() | st.builds(Medication, OCTET, FIGURES, st.sampled_from(MedicationUnit)),
    hba1c_percent=st.none() | FIGURES,
)


@pytest.mark.parametrize("vector", vectors("glucose_measurement_context"), ids=name)
def test_the_published_contexts_decode_to_their_fields(vector: Vector) -> None:
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode_glucose_measurement_context(octets(vector))
        return
    fields = as_said(decode_glucose_measurement_context(octets(vector)))
    expected = {key: number(value) for key, value in vector["expected"].items()}
    assert {key: fields[key] for key in expected} == expected


def as_said(record: GlucoseMeasurementContext) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "sequence_number": record.sequence_number,
        "extended_flags": record.extended_flags,
        "meal": record.meal,
        "tester": record.tester,
        "health": record.health,
        "hba1c_percent": record.hba1c_percent,
    }
    if record.carbohydrate is not None:
        fields["carbohydrate_id"] = record.carbohydrate.carbohydrate_id
        fields["carbohydrate_kg"] = record.carbohydrate.kilograms
    if record.exercise is not None:
        fields["exercise_duration_s"] = record.exercise.duration_s
        fields["exercise_intensity_percent"] = record.exercise.intensity_percent
    if record.medication is not None:
        fields["medication_id"], fields["medication"] = record.medication.medication_id, record.medication.amount
        fields["medication_unit"] = record.medication.unit
    return fields


def number(value: Any) -> Any:
    with suppress(ArithmeticError):
        return Decimal(str(value))
    return value


@given(RECORDS)
def test_every_context_survives_a_round_trip(record: GlucoseMeasurementContext) -> None:
    assert decode_glucose_measurement_context(encode_glucose_measurement_context(record)) == record


@given(st.binary(max_size=24))
def test_any_octets_are_a_context_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        decode_glucose_measurement_context(data)
