import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import omron_hem as wire
from device_drivers.codecs.omron_hem import Count, Octets, Plain, Question, Record, Version, Week
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "omron_hem.json").read_text())
RECORDS = [known for known in (*CAPTURE["answers"], *CAPTURE["documented"]) if "local" in known]


@pytest.mark.parametrize("known", CAPTURE["reports"], ids=lambda known: known["what"])
def test_the_captured_reports_carry_what_their_counts_say(known: dict[str, Any]) -> None:
    octets = b"".join(wire.report_octets(bytes.fromhex(report)) for report in known["reports"])
    assert octets.hex() == known["octets"]


@pytest.mark.parametrize("known", RECORDS, ids=lambda known: known["what"])
def test_a_known_record_decodes_as_the_makers_software_showed_it(known: dict[str, Any]) -> None:
    octets = bytes.fromhex(known["octets"])
    record = wire.decode(octets)
    assert isinstance(record, Record)
    assert record.local == datetime.fromisoformat(known["local"])
    assert record.time == known["local"]
    for name in ("systolic", "diastolic", "pulse", "irregular", "movement"):
        assert getattr(record, name) == known[name]
    assert wire.encode_record(record) == octets


def test_the_other_captured_answers_decode_as_known() -> None:
    answers = {known["what"]: wire.decode(bytes.fromhex(known["octets"])) for known in CAPTURE["answers"]}
    version = answers["version"]
    assert version == Version("M7080IT 207")
    assert isinstance(version, Version)
    assert (version.model, version.firmware) == ("M7080IT", "207")
    assert answers["no records"] == Count(count=0, pointer=0)
    assert answers["two records"] == Count(count=2, pointer=17)
    assert answers["a week's average"] == Week(week=3, week_start="2006-12-31", systolic=123, diastolic=78, pulse=87)
    assert answers["good-bye"] == Plain("OKOFF")
    assert wire.decode(b"NO") == Plain("NO")
    assert wire.decode(wire.encode_answer(b"0010100000")) == Octets(b"0010100000")


def test_the_commands_are_the_captured_ones() -> None:
    sent = {known["what"]: known["request"] for known in CAPTURE["answers"]}
    assert wire.VERSION.hex() == sent["version"]
    assert wire.count_command(0).hex() == sent["no records"]
    assert wire.record_command(0, 0).hex() == sent["a record"]
    assert wire.END.hex() == sent["good-bye"]
    assert wire.decode_question(wire.record_command(1, 300)) == Question(bank=1, index=300)
    assert wire.decode_question(wire.count_command(1)) == Question(bank=1, index=None)
    assert wire.decode_question(b"GME\x00\x00\x00\x00\x01") is None


def test_the_flags_and_the_series_are_told_apart() -> None:
    captured = wire.decode_record(bytes.fromhex(RECORDS[0]["octets"]))
    marked = replace(captured, irregular=True, movement=True, truread=3, systolic=300)
    octets = wire.encode_record(marked)
    assert octets[-3:-1].hex() == "0033"
    assert wire.decode(octets) == marked


def test_a_record_without_flags_ends_with_the_pulse() -> None:
    record = wire.decode_record(bytes.fromhex(RECORDS[0]["octets"]))
    octets = wire.encode_record(record, with_flags=False)
    assert len(octets) == wire.RECORD_WITHOUT_FLAGS_LENGTH
    assert wire.decode(octets) == record


def test_a_date_that_does_not_exist_is_kept_as_a_statement() -> None:
    record = wire.decode(wire.encode_answer(bytes([7, 2, 30, 0, 6, 38, 0, 0, 123, 78, 87, 0, 0])))
    assert isinstance(record, Record)
    assert (record.time, record.local) == ("2007-02-30T00:06:38", None)


def test_damage_is_a_checksum_error() -> None:
    octets = bytearray.fromhex(RECORDS[0]["octets"])
    octets[11] ^= 0x10
    with pytest.raises(ChecksumError):
        wire.decode(bytes(octets))


@given(st.binary(max_size=40))
def test_reports_carry_any_octets_there_and_back(octets: bytes) -> None:
    reports = wire.reports_of(octets)
    assert {len(report) for report in reports} <= {wire.REPORT}
    assert b"".join(map(wire.report_octets, reports)) == octets


@given(st.binary(max_size=20) | st.binary(max_size=15).map(wire.encode_answer))
def test_any_octets_give_an_answer_or_a_codec_error(octets: bytes) -> None:
    for decode in (wire.decode, wire.decode_record, wire.decode_count, wire.decode_version, wire.report_octets):
        with suppress(CodecError):
            assert decode(octets) is not None
    wire.decode_question(octets)
