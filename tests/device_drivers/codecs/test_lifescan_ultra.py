import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import lifescan_ultra as wire
from device_drivers.codecs.lifescan_ultra import ClockReading, Header, LineReader, Record, SerialNumber, Version
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "lifescan_ultra.json").read_text())
LINES = [entry["line"] for entry in CAPTURE["lines"]]
RECORDS = [entry for entry in CAPTURE["lines"] if "mg_dl" in entry]
HEADERS = [entry for entry in CAPTURE["lines"] if "count" in entry]

WHOLE = st.builds(
    Record,
    stamp=st.datetimes().filter(lambda when: 2000 <= when.year <= 2099).map(wire.stamp_of),
    result=st.integers(0, 999).map("{:03d}".format) | st.sampled_from([wire.HIGH, wire.LOW]),
    is_control=st.booleans(),
    parity_error=st.booleans(),
) | st.builds(Header, st.integers(0, 999), st.just("ZSK2326BY"), st.sampled_from(["MG/DL", "MMOL/L"]))


@pytest.mark.parametrize("line", LINES)
def test_every_captured_line_decodes_and_encodes_to_itself(line: str) -> None:
    octets = line.encode() + b"\r\n"
    assert wire.encode(wire.decode(octets)) == octets


@pytest.mark.parametrize("entry", RECORDS, ids=lambda entry: entry["line"])
def test_captured_records_decode_as_known(entry: dict[str, Any]) -> None:
    record = wire.decode(entry["line"].encode())
    assert isinstance(record, Record)
    assert (record.stamp.text, record.mg_dl, record.meal, record.comment, record.is_control) == (
        entry["local"], entry["mg_dl"], entry.get("meal"), entry.get("comment"), False,
    )  # fmt: skip
    assert record.stamp.weekday_matches


@pytest.mark.parametrize("entry", HEADERS, ids=lambda entry: entry["line"])
def test_captured_headers_decode_as_known(entry: dict[str, Any]) -> None:
    assert wire.decode(entry["line"].encode()) == Header(entry["count"], entry["serial_number"], "MG/DL")


@pytest.mark.parametrize("entry", CAPTURE["refused"], ids=lambda entry: entry["why"])
def test_what_others_refuse_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(CodecError):
        wire.decode(entry["line"].encode())


def test_a_wrong_sum_is_told_from_a_wrong_line() -> None:
    with pytest.raises(ChecksumError, match="checksum 1337, computed 0025"):
        wire.decode(b"% 1337\r")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('P "SAT","03/21/15","16:39:46   "," HIGH ","N","00", 00', ("HIGH", False, False)),
        ('P "SAT","03/21/15","16:39:46   ","CHIGH ","N","00", 00', ("HIGH", True, False)),
        ('P "SAT","03/21/15","16:39:46   ","C 103 ", 00', ("103", True, False)),
        ('P "SAT","03/21/15","16:39:46   "," LOW  ", 00', ("LOW", False, False)),
        ('P "SAT","03/21/15","16:39:46   "," REXC ", 00', ("REXC", False, False)),
        ('P "SAT","03/21/15","16:39:46   ","  176?", 00', ("176", False, True)),
    ],
)
def test_results_that_are_no_plain_figure(text: str, expected: tuple[str, bool, bool]) -> None:
    record = wire.decode(text.encode() + b" " + wire.checksum(text.encode()))
    assert isinstance(record, Record)
    assert (record.result, record.is_control, record.parity_error) == expected


def test_a_date_that_does_not_exist_has_no_local_time() -> None:
    stamp = wire.Stamp("SAT", "02/30/15", "16:39:46")
    assert (stamp.text, stamp.local, stamp.weekday_matches) == ("2015-02-30T16:39:46", None, False)


@pytest.mark.parametrize(
    "line",
    [Version("P02.00.00", "30/08/06"), Version("P1"), SerialNumber("ZSK2326BY"),
     ClockReading(wire.Stamp("SAT", "08/03/13", "22:12:00"))],
)  # fmt: skip
def test_the_short_answers_decode_to_what_was_encoded(line: wire.Line) -> None:
    assert wire.decode(wire.encode(line)) == line


@given(st.lists(WHOLE, max_size=5), st.sampled_from([b"\r\n", b"\n", b"\r"]), st.data())
def test_any_cut_and_any_line_end_give_the_same_lines(lines: list[wire.Line], end: bytes, data: st.DataObject) -> None:
    stream = b"\x11\r" + b"".join(wire.encode(line).removesuffix(b"\r\n") + end for line in lines)
    cut = data.draw(st.integers(0, len(stream)))
    reader = LineReader()
    assert [*reader.feed(stream[:cut]), *reader.feed(stream[cut:])] == lines


@given(st.binary(max_size=80) | st.sampled_from(LINES).map(str.encode))
def test_any_octets_give_a_line_or_a_codec_error(octets: bytes) -> None:
    with suppress(CodecError):
        assert wire.decode(wire.encode(wire.decode(octets))) == wire.decode(octets)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=70))
def test_any_text_with_a_right_sum_gives_a_line_or_a_codec_error(text: str) -> None:
    octets = text.encode("latin-1")
    with suppress(CodecError):
        wire.decode(octets + b" " + wire.checksum(octets))


@given(st.binary(max_size=500))
def test_noise_never_stops_the_reader_nor_fills_it(noise: bytes) -> None:
    reader = LineReader()
    reader.feed(noise)
    assert len(reader._held) <= wire.LONGEST
    header = Header(1, "ZSK2326BY", "MG/DL")
    assert reader.feed(b"\r\n" + wire.encode(header))[-1] == header
