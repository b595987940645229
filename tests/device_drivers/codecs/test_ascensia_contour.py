import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import ascensia_contour as wire
from device_drivers.codecs import ascensia_reports, astm_e1381
from device_drivers.codecs.ascensia_contour import Header, Order, OtherResult, Patient, Result, Terminator
from device_drivers.codecs.astm_e1381 import Control, Frame, FrameReader, RecordJoiner
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "ascensia_contour.json").read_text())
FRAMES = CAPTURE["frames"]
HEADERS = [entry for entry in FRAMES if "header" in entry]
RESULTS = [entry for entry in [*FRAMES, *CAPTURE["records"]] if "result" in entry]

# As the meters write: a record's text, ending in CR, in one frame.
TEXTS = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), min_size=1, max_size=60)
WHOLE = st.builds(Frame, st.integers(0, 7), TEXTS.map(lambda text: text + "\r"), st.booleans()) | st.sampled_from(
    Control
)


@pytest.mark.parametrize("entry", FRAMES, ids=lambda entry: entry["record"][:24])
def test_every_captured_frame_decodes_and_encodes_to_itself(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["octets"])
    frame = astm_e1381.decode(octets)
    assert frame == Frame(entry["number"], entry["record"] + "\r", entry["last"])
    assert astm_e1381.encode_frame(frame) == octets


@pytest.mark.parametrize("entry", HEADERS, ids=lambda entry: entry["header"]["serial_number"])
def test_captured_headers_decode_as_known(entry: dict[str, Any]) -> None:
    header, known = wire.decode(bytes.fromhex(entry["octets"])), entry["header"]
    assert isinstance(header, Header)
    assert header.clock is not None
    assert {
        "product": header.product,
        "serial_number": header.serial_number,
        "versions": list(header.versions),
        "sku": header.sku,
        "count": header.count,
        "clock": header.clock.text,
        "display_unit": header.display_unit,
        "range": [str(limit) for limit in header.range] if header.range else None,
    } == known
    assert wire.decode_record(wire.encode_record(header)) == header


@pytest.mark.parametrize("entry", RESULTS, ids=lambda entry: entry["record"])
def test_known_results_decode_and_encode_to_themselves(entry: dict[str, Any]) -> None:
    result, known = wire.decode(entry["record"].encode()), entry["result"]
    assert isinstance(result, Result)
    assert (result.sequence, str(result.value), result.unit, result.method, list(result.flags), result.stamp.text) == (
        known["sequence"], known["value"], known["unit"], known["method"], known["flags"], known["local"],
    )  # fmt: skip
    assert wire.encode_record(result) == entry["record"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("|>||||||", (">",)), ("|<||||||", ("<",)), ("|>\\T||||||", (">", "T")), ("||B|||||", ("B",)),
        ("|||E||||", ("E",)), ("|||E\\D||||", ("E", "D")),
    ],
)  # fmt: skip
def test_a_serial_meters_flags_stand_in_three_fields(flags: str, expected: tuple[str, ...]) -> None:
    fields = flags.split("|")[:6]
    text = f"R|2|^^^Glucose|601|mg/dL^P|{'|'.join(fields)}|200612190719"
    result = wire.decode_record(text)
    assert isinstance(result, Result)
    assert (result.flags, result.long) == (expected, True)


def test_the_other_records() -> None:
    assert wire.decode_record("P|1") == Patient(1)
    assert wire.decode_record("O|1") == Order(1)
    assert wire.decode_record("O|2||||||||||Q") == Order(2, wire.CONTROL_RESULT)
    assert wire.decode_record("L|1||N") == Terminator(1, "N")
    assert wire.decode_record("R|7|^^^Carb|30|1^||||201012142048") == OtherResult(
        7, "Carb", "R|7|^^^Carb|30|1^||||201012142048"
    )


@pytest.mark.parametrize(
    "text",
    ["", "X|1", "P", "P|x", "H|~^&||pw|Bayer7390^1^2", "H|\\^&||pw|", "R|1|^^^Glucose|5.2|mmol/L^P||",
     "R|1|^^^Glucose|HI|mmol/L^P||||201012142048", "R|1|^^^Glucose|5|mol/L^P||||201012142048",
     "R|1|^^^Glucose|5|mg/dL^P||||2010"],
)  # fmt: skip
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(CodecError):
        wire.decode_record(text)


def test_a_date_that_does_not_exist_has_no_local_time() -> None:
    assert (wire.Stamp("201502301639").text, wire.Stamp("201502301639").local) == ("2015-02-30T16:39", None)


def test_a_record_may_go_on_in_the_next_frame() -> None:
    text = "R|67|^^^Glucose|7.9|mmol/L^P||B||201011281949\r"
    joiner = RecordJoiner()
    assert joiner.feed(Frame(1, text[:20], last=False)) == []
    assert joiner.feed(Frame(2, text[20:] + "L|1|", last=False)) == [text.rstrip("\r")]
    assert joiner.feed(Frame(3, "|N", last=True)) == ["L|1||N"]


def test_a_record_that_never_ends_is_refused() -> None:
    joiner, unending = RecordJoiner(), Frame(1, "x" * (astm_e1381.LONGEST - 1), last=False)
    assert joiner.feed(unending) == []
    with pytest.raises(CodecError):
        joiner.feed(unending)


def test_numbers_go_from_7_to_0() -> None:
    assert [astm_e1381.next_number(number) for number in range(8)] == [1, 2, 3, 4, 5, 6, 7, 0]
    assert astm_e1381.decode(bytes.fromhex("0230480d1739430d0a")).number == 0


@given(st.lists(WHOLE, max_size=5), st.data())
def test_any_cut_of_the_stream_gives_the_same_items(items: list[astm_e1381.Item], data: st.DataObject) -> None:
    stream = b"".join(item.octets if isinstance(item, Control) else astm_e1381.encode_frame(item) for item in items)
    cut = data.draw(st.integers(0, len(stream)))
    reader = FrameReader()
    assert [*reader.feed(stream[:cut]), *reader.feed(stream[cut:])] == [
        item for item in items if isinstance(item, Control) or _is_sendable(item)
    ]


def _is_sendable(frame: Frame) -> bool:
    with suppress(CodecError):
        return astm_e1381.decode(astm_e1381.encode_frame(frame)) == frame
    return False


@given(st.sampled_from(FRAMES), st.integers(0, 300), st.integers(1, 255))
def test_a_damaged_frame_is_never_taken_for_another(entry: dict[str, Any], place: int, flip: int) -> None:
    octets = bytearray(bytes.fromhex(entry["octets"]))
    octets[place % len(octets)] ^= flip
    assert not [item for item in FrameReader().feed(bytes(octets)) if isinstance(item, Frame)]


def test_damage_is_reported_in_its_place_and_the_next_frame_is_whole() -> None:
    good = bytes.fromhex(FRAMES[5]["octets"])
    bad = good.replace(b"7.9", b"9.9")
    damage, frame = FrameReader().feed(b"\xff" + bad + good)
    assert isinstance(damage, ChecksumError)
    assert isinstance(frame, Frame)


@given(st.binary(max_size=2000))
def test_noise_never_stops_the_reader_nor_fills_it(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise)
    assert len(reader._held) <= astm_e1381.LONGEST + 4
    frame = Frame(1, "P|1\r", last=False)
    # Line ends long enough to finish whatever the noise has begun, then a frame.
    assert reader.feed(b"\r" * (astm_e1381.LONGEST + 4) + astm_e1381.encode_frame(frame))[-1] == frame


@given(st.binary(max_size=80) | st.text(alphabet="HPORL|^\\&<>0123456789.Glucosemg/dLQN", max_size=80).map(str.encode))
def test_any_octets_give_a_record_or_a_codec_error(octets: bytes) -> None:
    for decode in (wire.decode, astm_e1381.decode, ascensia_reports.decode):
        with suppress(CodecError):
            assert decode(octets) is not None


@given(
    st.builds(
        Result,
        st.integers(1, 9999),
        st.decimals(Decimal(0), Decimal(999), places=1) | st.integers(0, 999).map(Decimal),
        st.sampled_from([wire.MG_DL, wire.MMOL_L]),
        st.datetimes().filter(lambda when: when.year >= 1000).map(wire.stamp_of),
        flags=st.sampled_from([(), (">",), ("<", "B"), ("A", "M0")]),
        long=st.booleans(),
    )
)
def test_a_result_survives_the_wire(result: Result) -> None:
    assert wire.decode_record(wire.encode_record(result)) == result


@pytest.mark.parametrize("entry", CAPTURE["reports"], ids=lambda entry: entry["carries"][:20])
def test_captured_reports_decode_and_encode_to_themselves(entry: dict[str, Any]) -> None:
    report, carries = bytes.fromhex(entry["octets"]), bytes.fromhex(entry["carries"])
    assert ascensia_reports.decode(report) == carries
    assert ascensia_reports.encode(carries) == [report]


@given(st.binary(max_size=300))
def test_octets_survive_the_reports(octets: bytes) -> None:
    assert b"".join(map(ascensia_reports.decode, ascensia_reports.encode(octets))) == octets


@pytest.mark.parametrize("report", ["", "414243", "41424400", "4142433d" + "00" * 61, "41424305aabb"])
def test_what_is_no_report_is_refused(report: str) -> None:
    with pytest.raises(CodecError):
        ascensia_reports.decode(bytes.fromhex(report))
