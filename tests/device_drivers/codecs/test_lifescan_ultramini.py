import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import lifescan_ultramini as wire
from device_drivers.codecs.lifescan_ultramini import Control, Frame, FrameReader
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "lifescan_ultramini.json").read_text())
FRAMES = [bytes.fromhex(frame["octets"]) for exchange in CAPTURE["session"] for frame in exchange["frames"]]
DECODERS = [
    wire.decode_version, wire.decode_serial_number, wire.decode_clock, wire.decode_count, wire.decode_record,
]  # fmt: skip
WHOLE = st.builds(Frame, st.integers(0, 0x1F).map(Control), st.binary(max_size=wire.LONGEST - wire.OVERHEAD))


def messages(what: str, sender: str = "meter") -> list[bytes]:
    """The captured payloads of one kind of exchange."""
    frames = [
        wire.decode_frame(bytes.fromhex(frame["octets"]))
        for exchange in CAPTURE["session"]
        if exchange["what"] == what
        for frame in exchange["frames"]
        if frame["from"] == sender
    ]
    return [frame.payload for frame in frames if frame.payload]


@pytest.mark.parametrize("octets", FRAMES, ids=bytes.hex)
def test_every_captured_frame_decodes_and_encodes_to_itself(octets: bytes) -> None:
    assert wire.encode_frame(wire.decode_frame(octets)) == octets


def test_the_captured_answers_decode_as_known() -> None:
    meter = CAPTURE["meter"]
    assert wire.decode_version(messages("version")[0]) == wire.Version(meter["software"], meter["made"])
    assert {wire.decode_serial_number(message) for message in messages("serial number")} == {meter["serial_number"]}
    assert wire.decode_clock(messages("clock")[0]) == datetime.fromisoformat(meter["clock"])
    assert wire.decode_count(messages("number of records")[0]) == len(CAPTURE["records"])


@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_captured_records_are_mg_dl_although_the_meter_was_set_to_mmol_l(index: int) -> None:
    record, shown = wire.decode_record(messages(f"record {index}")[0]), CAPTURE["records"][index]
    assert (record.seconds, record.value) == (shown["seconds"], shown["mg_dl"])
    assert record.local == datetime.fromisoformat(shown["local"])
    assert f"{record.value / 18:.1f}" == shown["printed_mmol_l"]


def test_our_commands_are_the_captured_ones() -> None:
    assert messages("version", "host")[0] == wire.READ_VERSION
    assert messages("serial number", "host")[0] == wire.READ_SERIAL_NUMBER
    assert messages("clock", "host")[0] == wire.READ_CLOCK
    assert messages("number of records", "host")[0] == wire.read_record(wire.COUNT_INDEX)
    assert messages("record 2", "host")[0] == wire.read_record(2)


@given(st.binary(max_size=80))
def test_any_octets_give_a_frame_or_a_codec_error(octets: bytes) -> None:
    with suppress(CodecError):
        assert wire.encode_frame(wire.decode_frame(octets)) == octets


@pytest.mark.parametrize("decode", DECODERS)
@given(message=st.binary(max_size=30) | st.binary(max_size=20).map(lambda rest: b"\x05\x06" + rest))
def test_any_message_gives_a_value_or_a_codec_error(decode: Any, message: bytes) -> None:
    with suppress(CodecError):
        assert decode(message) is not None


@given(st.lists(WHOLE, max_size=6), st.data())
def test_any_cut_of_the_stream_gives_the_same_frames(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(map(wire.encode_frame, frames))
    cut = data.draw(st.integers(0, len(stream)))
    reader = FrameReader()
    assert [*reader.feed(stream[:cut]), *reader.feed(stream[cut:])] == frames


@given(st.binary(max_size=300))
def test_noise_never_stops_the_reader_nor_fills_it(noise: bytes) -> None:
    reader = FrameReader()
    for item in reader.feed(noise):
        assert isinstance(item, Frame | ChecksumError)
    assert len(reader._held) <= wire.LONGEST
    # Silence long enough to end whatever the noise has begun, then a frame.
    frame = Frame(Control.DISCONNECT)
    assert reader.feed(bytes(wire.LONGEST) + wire.encode_frame(frame))[-1] == frame


@given(WHOLE, st.integers(0, 69), st.integers(1, 255))
def test_a_damaged_frame_is_never_taken_for_another(frame: Frame, place: int, flip: int) -> None:
    octets = bytearray(wire.encode_frame(frame))
    octets[place % len(octets)] ^= flip
    found = [item for item in FrameReader().feed(bytes(octets)) if isinstance(item, Frame)]
    assert all(wire.encode_frame(item) in bytes(octets) for item in found)
    assert frame not in found


def test_damage_is_reported_in_its_place_and_the_next_frame_is_whole() -> None:
    good = FRAMES[0]
    bad = FRAMES[2][:-1] + bytes([FRAMES[2][-1] ^ 1])
    first, damage, last = FrameReader().feed(b"\xff\x00" + good + bad + good)
    assert isinstance(first, Frame)
    assert isinstance(damage, ChecksumError)
    assert last == first
