"""CGM Measurement: octets put together by hand from the specification's table, round trips, damage, totality."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.cgm_measurement import CgmMeasurement, crc, decode_cgm_measurement, encode_cgm_measurement
from device_drivers.codecs.sfloat import Special, sfloat_from_int
from device_drivers.errors import ChecksumError, CodecError

FIGURES = st.integers(0, 0xFFFF).map(sfloat_from_int)
OCTET = st.none() | st.integers(0, 255)
RECORDS = st.builds(
    CgmMeasurement,
    glucose_concentration=FIGURES,
    time_offset=st.integers(0, 0xFFFF),
    status=OCTET,
    calibration_and_temperature=OCTET,
    warning=OCTET,
    trend=st.none() | FIGURES,
    quality=st.none() | FIGURES,
    has_crc=st.booleans(),
)


def test_the_crc_of_the_nine_digits_is_the_published_one() -> None:
    assert crc(b"123456789") == 0x6F91


def test_the_shortest_record() -> None:
    (record,) = decode_cgm_measurement(bytes.fromhex("06 00 7000 0500"))
    assert record == CgmMeasurement(glucose_concentration=Decimal(112), time_offset=5)
    assert record.annunciations == ()


def test_a_record_with_every_field_and_its_crc() -> None:
    """112 mg/dL, 65 minutes, three octets of annunciation, -1.5 mg/dL/min, 98.5 %."""
    octets = bytes.fromhex("0f e3 7000 4100 02 04 20 f1ff d9f3")
    (record,) = decode_cgm_measurement(octets + crc(octets).to_bytes(2, "little"))
    assert record == CgmMeasurement(
        glucose_concentration=Decimal(112),
        time_offset=65,
        status=0x02,
        calibration_and_temperature=0x04,
        warning=0x20,
        trend=Decimal("-1.5"),
        quality=Decimal("98.5"),
        has_crc=True,
    )
    assert record.annunciations == ("device_battery_low", "calibration_recommended", "rate_of_increase_exceeded")


def test_one_octet_of_annunciation_is_the_one_that_its_flag_names() -> None:
    for flag, field in (("20", "warning"), ("40", "calibration_and_temperature"), ("80", "status")):
        (record,) = decode_cgm_measurement(bytes.fromhex(f"07 {flag} 7000 0500 01"))
        assert getattr(record, field) == 1


def test_several_records_in_one_value_keep_their_order() -> None:
    former, latter = decode_cgm_measurement(bytes.fromhex("06 00 7000 0500 08 01 7100 0a00 02e0"))
    assert (former.time_offset, latter.time_offset, latter.trend) == (5, 10, Decimal("0.02"))


def test_a_sensor_without_a_figure_has_none() -> None:
    assert decode_cgm_measurement(bytes.fromhex("0600ff070500"))[0].glucose_concentration is Special.NOT_A_NUMBER


def test_a_flipped_bit_under_a_crc_is_damage() -> None:
    octets = bytearray(encode_cgm_measurement(CgmMeasurement(glucose_concentration=Decimal(112), time_offset=5)))
    octets[0] += 2
    octets += crc(bytes(octets)).to_bytes(2, "little")
    octets[2] ^= 1
    with pytest.raises(ChecksumError, match="CRC") as damaged:
        decode_cgm_measurement(bytes(octets))
    assert damaged.value.offset == 6


@pytest.mark.parametrize(
    ("octets", "field", "offset"),
    [
        ("", "size", 0),
        ("0600700005", "time offset", 4),
        ("0801700005 00 02", "trend", 6),
        ("080070000500 02", "CRC", 6),
        ("050070000500", "size 5", 0),
        ("070070000500 00", "size 7", 0),
        ("060070000500 06", "flags", 7),
    ],
)
def test_what_is_cut_or_does_not_fit_is_named_with_its_offset(octets: str, field: str, offset: int) -> None:
    with pytest.raises(CodecError, match=field) as refused:
        decode_cgm_measurement(bytes.fromhex(octets))
    assert refused.value.offset == offset


@given(st.lists(RECORDS, min_size=1, max_size=3))
def test_every_value_survives_a_round_trip(records: list[CgmMeasurement]) -> None:
    assert list(decode_cgm_measurement(encode_cgm_measurement(*records))) == records


@given(st.binary(max_size=48))
def test_any_octets_are_records_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        decode_cgm_measurement(data)
