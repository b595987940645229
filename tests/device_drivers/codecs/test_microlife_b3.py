import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import microlife_b3 as wire
from device_drivers.codecs.microlife_b3 import Dump, Message, Record, SetClock, Way
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "microlife_b3.json").read_text())
DUMP = bytes.fromhex(CAPTURE["dump"]["octets"])


@pytest.mark.parametrize("known", CAPTURE["rows"], ids=lambda known: known["what"])
def test_a_captured_row_decodes_as_its_owner_noted(known: dict[str, Any]) -> None:
    octets = bytes.fromhex(known["octets"])
    record = wire.decode(octets)
    assert isinstance(record, Record)
    assert record.local == (datetime.fromisoformat(known["local"]) if known["local"] else None)
    for name in ("time", "systolic", "diastolic", "pulse", "cuff_ok", "irregular"):
        assert getattr(record, name) == known[name]
    if record.local is not None:
        assert wire.encode_record(record) == octets


def test_the_captured_dump_decodes_whole_and_encodes_to_itself() -> None:
    dump = wire.decode(DUMP)
    assert isinstance(dump, Dump)
    assert len(dump.records) == CAPTURE["dump"]["records"]
    assert [record.octets.hex() for record in dump.records if record.local is None] == [
        DUMP[42 + 10 * index : 52 + 10 * index].hex() for index in range(10)
    ]
    assert wire.encode_dump([record.octets for record in dump.records]) == DUMP


def test_the_captured_requests_decode() -> None:
    read_memory, first, second = (bytes.fromhex(known["octets"]) for known in CAPTURE["requests"])
    assert wire.decode(read_memory) == Message(Way.HOST, wire.READ_MEMORY)
    assert wire.encode_message(Message(Way.HOST, wire.READ_MEMORY)) == read_memory
    assert [wire.decode(octets) for octets in (first, second)] == [
        SetClock(datetime.fromisoformat(known["local"])) for known in CAPTURE["requests"][1:]
    ]


def test_the_owner_wrote_the_length_in_front_of_the_request() -> None:
    assert wire.output_report(bytes.fromhex(CAPTURE["requests"][0]["octets"]))[:3].hex() == "0d4dff"


def test_a_dump_that_counts_more_rows_than_it_has_is_none() -> None:
    short = DUMP[4:-11]
    body = DUMP[:2] + (len(short) + 1).to_bytes(2, "big") + short
    with pytest.raises(CodecError, match="rows for their count"):
        wire.decode_dump(body + bytes([sum(body) & 0xFF]))


def test_damage_is_a_checksum_error() -> None:
    with pytest.raises(ChecksumError):
        wire.decode(DUMP[:100] + bytes([DUMP[100] ^ 1]) + DUMP[101:])


@given(st.binary(max_size=400))
def test_reports_carry_any_octets_there_and_back(octets: bytes) -> None:
    assert b"".join(map(wire.report_octets, wire.reports_of(octets))) == octets


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: wire.encode_message(Message(Way.CUFF, data))))
def test_any_octets_give_a_value_or_a_codec_error(octets: bytes) -> None:
    for decode in (wire.decode, wire.decode_dump, wire.decode_message, wire.decode_record, wire.report_octets):
        with suppress(CodecError):
            assert decode(octets) is not None
    with suppress(CodecError):
        wire.whole_length(octets)
