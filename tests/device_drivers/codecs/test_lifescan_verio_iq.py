"""No capture of a Verio IQ is public: the frames here are those of the published descriptions, computed by hand."""

from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import lifescan_ultramini, lifescan_verio_iq
from device_drivers.codecs import lifescan_verio_iq as wire
from device_drivers.codecs.lifescan_ultramini import Frame, Record, Version
from device_drivers.errors import ChecksumError, CodecError

DECODERS = [
    wire.decode_version, wire.decode_serial_number, wire.decode_clock, wire.decode_count, wire.decode_record,
]  # fmt: skip
RECORDS = st.builds(
    Record,
    seconds=st.integers(0, 2**32 - 1),
    value=st.integers(0, 0xFFFF),
    is_control=st.booleans(),
    meal=st.integers(0, 255),
    epoch=st.just(wire.EPOCH),
)


def test_the_record_of_the_wire_page() -> None:
    frame = wire.decode(bytes.fromhex("021200030607 8fa91ac40001020000 0340c0"))
    assert wire.decode_record(frame.payload) == Record(447319815, 196, is_control=True, meal=2, epoch=wire.EPOCH)
    assert wire.decode_record(frame.payload).local == datetime(2014, 3, 5, 7, 30, 15)  # noqa: DTZ001


def test_the_question_of_the_wire_page() -> None:
    question = lifescan_ultramini.encode_frame(Frame(lifescan_ultramini.Control(0), wire.read_record(0)))
    assert question == bytes.fromhex("020a0003210000039dd2")


def test_the_published_answers_decode() -> None:
    assert wire.decode_version(b"\x03\x06\x0512345\x00") == Version("12345")
    assert wire.decode_serial_number(b"\x03\x06ABC\x00\x00") == "ABC"
    assert wire.decode_clock(bytes.fromhex("030600000000")) == wire.EPOCH
    assert wire.decode_count(bytes.fromhex("0306ee02")) == 750


def test_a_refusal_is_told_from_an_answer() -> None:
    with pytest.raises(CodecError, match="refused"):
        wire.decode_count(wire.REFUSED)


def test_a_mark_that_is_neither_yes_nor_no_is_not_guessed() -> None:
    with pytest.raises(CodecError, match="control solution is 02"):
        wire.decode_record(bytes.fromhex("0306078fa91ac40002000000"))


def test_a_damaged_frame_is_a_checksum_error() -> None:
    with pytest.raises(ChecksumError):
        wire.decode(bytes.fromhex("020a0003210000039dd3"))


@given(RECORDS)
def test_a_record_survives_the_wire(record: Record) -> None:
    assert lifescan_verio_iq.decode_record(wire.encode_record(record)) == record


@pytest.mark.parametrize("decode", DECODERS)
@given(message=st.binary(max_size=30) | st.binary(max_size=20).map(lambda rest: b"\x03\x06" + rest))
def test_any_message_gives_a_value_or_a_codec_error(decode: Any, message: bytes) -> None:
    with suppress(CodecError):
        assert decode(message) is not None
