from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.date_time import (
    DateTime,
    decode_current_time,
    decode_date_time,
    encode_current_time,
    encode_date_time,
)
from device_drivers.codecs.isens_clock import decode_isens_clock, encode_isens_clock
from device_drivers.errors import CodecError
from tests.device_drivers.codecs.bluetooth_vectors import Vector, name, octets, vectors


@pytest.mark.parametrize("vector", vectors("date_time"), ids=name)
def test_the_published_date_times_decode_to_their_moments(vector: Vector) -> None:
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode_date_time(octets(vector))
        return
    local = decode_date_time(octets(vector)).local
    assert (local.isoformat() if local else None) == vector["expected"]["time"]


@pytest.mark.parametrize("vector", vectors("current_time"), ids=name)
def test_the_published_current_times_decode(vector: Vector) -> None:
    current, expected = decode_current_time(octets(vector)), vector["expected"]
    assert current.date_time.local == datetime.fromisoformat(expected["time"])
    assert (current.day_of_week, current.fractions256, current.adjust_reason) == (
        expected["day_of_week"],
        expected["fractions256"],
        expected["adjust_reason"],
    )
    assert encode_current_time(current) == octets(vector)


def test_an_impossible_date_is_kept_as_said() -> None:
    said = DateTime(2026, 2, 31, 8, 0, 0)
    assert (said.text, said.local) == ("2026-02-31T08:00:00", None)


def test_an_unset_clock_shows_zeros() -> None:
    said = decode_date_time(bytes.fromhex("0000041114293b"))
    assert (said.text, said.local) == ("0000-04-17T20:41:59", None)


@given(st.binary(max_size=12))
def test_any_octets_are_a_moment_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        value = decode_date_time(data)
        assert encode_date_time(value) == data[:7]
    with suppress(CodecError):
        decode_current_time(data)


@given(st.datetimes())
def test_every_wall_clock_time_survives_a_round_trip(local: datetime) -> None:
    assert decode_date_time(encode_date_time(DateTime.at(local))).local == local.replace(microsecond=0)


def test_the_published_command_to_an_isens_clock_is_the_same_both_ways() -> None:
    """NightscoutFoundation/xDrip, TimeTxTest."""
    published = bytes.fromhex("c0030100e2070b1d162d3b")
    assert decode_isens_clock(published) == DateTime(2018, 11, 29, 22, 45, 59)
    assert encode_isens_clock(DateTime(2018, 11, 29, 22, 45, 59)) == published


@given(st.binary(max_size=16))
def test_any_octets_are_a_command_to_an_isens_clock_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        assert encode_isens_clock(decode_isens_clock(data)) == data[:11]
