from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.sfloat import (
    Special,
    decode_float,
    decode_sfloat,
    encode_float,
    encode_sfloat,
    sfloat_from_int,
)
from device_drivers.errors import CodecError
from tests.device_drivers.codecs.bluetooth_vectors import Vector, name, octets, vectors

DECODERS = {"sfloat": decode_sfloat, "float": decode_float}


@pytest.mark.parametrize("vector", vectors("sfloat") + vectors("float"), ids=name)
def test_the_published_floats_decode_to_their_values(vector: Vector) -> None:
    decode = DECODERS[vector["format"]]
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode(octets(vector))
        return
    figure, expected = decode(octets(vector)), vector["expected"]
    if "special" in expected:
        assert figure == Special(expected["special"])
    else:
        assert figure == Decimal(str(expected["value"]))
    if "decimals" in expected and isinstance(figure, Decimal):
        assert max(0, -int(figure.as_tuple().exponent)) == expected["decimals"]


def test_the_exponent_is_the_precision() -> None:
    assert str(decode_sfloat(bytes.fromhex("c8f0"))) == "20.0"
    assert str(decode_sfloat(bytes.fromhex("1400"))) == "20"
    assert str(decode_sfloat(bytes.fromhex("0210"))) == "2E+1"


@pytest.mark.parametrize("mantissa", [0x7FE, 0x7FF, 0x800, 0x801, 0x802])
def test_special_values_are_special_with_exponent_0_only(mantissa: int) -> None:
    assert isinstance(sfloat_from_int(mantissa), Special)
    assert isinstance(sfloat_from_int(0x1000 | mantissa), Decimal)
    assert isinstance(sfloat_from_int(0xF000 | mantissa), Decimal)


def test_every_sfloat_survives_a_round_trip() -> None:
    for raw in range(0x10000):
        figure = sfloat_from_int(raw)
        again = decode_sfloat(encode_sfloat(figure))
        assert again == figure
        if isinstance(figure, Decimal) and figure != 0:
            assert raw.to_bytes(2, "little") == encode_sfloat(figure)


@given(st.binary(min_size=4, max_size=4))
def test_every_float_survives_a_round_trip(data: bytes) -> None:
    figure = decode_float(data)
    assert decode_float(encode_float(figure)) == figure


@given(st.binary(max_size=6))
def test_any_octets_are_a_figure_or_a_codec_error(data: bytes) -> None:
    for decode in DECODERS.values():
        with suppress(CodecError):
            decode(data)


@pytest.mark.parametrize("value", ["12345", "1.2345", "1E+12", "2047", "1E-9"])
def test_a_figure_without_an_exact_sfloat_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="no exact"):
        encode_sfloat(Decimal(value))


def test_a_round_figure_is_encoded_with_a_larger_exponent() -> None:
    assert decode_sfloat(encode_sfloat(Decimal("20000"))) == Decimal("20000")
