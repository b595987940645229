from contextlib import suppress
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.date_time import DateTime
from device_drivers.codecs.glucose_feature import (
    GlucoseFeature,
    decode_glucose_feature,
    encode_glucose_feature,
)
from device_drivers.codecs.glucose_measurement import (
    ConcentrationUnit,
    GlucoseConcentration,
    GlucoseMeasurement,
    decode_glucose_measurement,
    encode_glucose_measurement,
)
from device_drivers.codecs.sfloat import sfloat_from_int
from device_drivers.errors import CodecError
from tests.device_drivers.codecs.bluetooth_vectors import Vector, name, octets, vectors

FIGURES = st.integers(0, 0xFFFF).map(sfloat_from_int)
DATE_TIMES = st.builds(DateTime, st.integers(0, 0xFFFF), *[st.integers(0, 255)] * 5)
CONCENTRATIONS = st.builds(
    GlucoseConcentration, FIGURES, st.sampled_from(ConcentrationUnit), st.integers(0, 15), st.integers(0, 15)
)
RECORDS = st.builds(
    GlucoseMeasurement,
    sequence_number=st.integers(0, 0xFFFF),
    base_time=DATE_TIMES,
    time_offset=st.none() | st.integers(-0x8000, 0x7FFF),
    concentration=st.none() | CONCENTRATIONS,
    sensor_status_annunciation=st.none() | st.integers(0, 0xFFFF),
    context_information_follows=st.booleans(),
)


@pytest.mark.parametrize("vector", vectors("glucose_measurement"), ids=name)
def test_the_published_records_decode_to_their_fields(vector: Vector) -> None:
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode_glucose_measurement(octets(vector))
        return
    fields = as_said(decode_glucose_measurement(octets(vector)))
    assert {key: fields[key] for key in vector["expected"]} == vector["expected"] | numbers(vector["expected"])


def as_said(record: GlucoseMeasurement) -> dict[str, Any]:
    fields = asdict(record)
    concentration = record.concentration
    fields["base_time"] = record.base_time.text
    fields["annunciations"] = list(record.annunciations)
    fields["concentration"] = concentration.figure if concentration else None
    if concentration is not None and isinstance(concentration.figure, Decimal):
        fields["mg_dl"] = concentration.figure.scaleb(5)
        fields["unit"] = concentration.unit
        fields["type"], fields["sample_location"] = concentration.type, concentration.sample_location
    return fields


def numbers(expected: dict[str, Any]) -> dict[str, Decimal]:
    figures = {"concentration", "mg_dl"}
    return {key: Decimal(str(expected[key])) for key in expected.keys() & figures if expected[key] is not None}


def test_a_cut_record_names_the_field_and_the_offset() -> None:
    with pytest.raises(CodecError, match=r"glucose concentration needs 2 octets, 1 are left") as caught:
        decode_glucose_measurement(bytes.fromhex("020100d0070102030405 34"))
    assert caught.value.offset == 10


def test_octets_beyond_the_record_are_ignored() -> None:
    whole = bytes.fromhex("120100e40701010c000001d011")
    assert decode_glucose_measurement(whole + b"\xff\xff") == decode_glucose_measurement(whole)


@given(RECORDS)
def test_every_record_survives_a_round_trip(record: GlucoseMeasurement) -> None:
    assert decode_glucose_measurement(encode_glucose_measurement(record)) == record


@given(st.binary(max_size=24))
def test_any_octets_are_a_record_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        decode_glucose_measurement(data)


@pytest.mark.parametrize("vector", vectors("glucose_feature"), ids=name)
def test_the_published_features_decode(vector: Vector) -> None:
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode_glucose_feature(octets(vector))
        return
    feature = decode_glucose_feature(octets(vector))
    assert feature.bits == vector["expected"]["bits"]
    assert encode_glucose_feature(feature) == octets(vector)


def test_features_have_names() -> None:
    assert GlucoseFeature(0b100_0000_0001).names == ("low_battery_detection", "multiple_bond")
