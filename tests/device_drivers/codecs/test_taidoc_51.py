import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import taidoc_51 as wire
from device_drivers.codecs.taidoc_51 import Direction, Frame, FrameReader, Glucose, Heartbeat, Meal, Pressure, Stamp
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "taidoc_51.json").read_text())
WHOLE = st.builds(Frame, st.integers(0, 255), st.binary(min_size=4, max_size=4), st.sampled_from(Direction))


@pytest.mark.parametrize("known", CAPTURE["frames"], ids=lambda known: known["what"])
def test_the_published_frames_decode_as_known_and_encode_to_themselves(known: dict[str, Any]) -> None:
    octets = bytes.fromhex(known["octets"])
    frame = wire.decode_frame(octets)
    assert wire.encode_frame(frame) == octets
    assert (f"{frame.command:02x}", frame.direction.name.lower()) == (known["command"], known["from"])
    if "model" in known:
        assert wire.decode_model(frame.data) == known["model"]
        assert wire.encode_model(known["model"])[:2] == frame.data[:2]
    if "index" in known:
        assert wire.decode_selection(frame.data) == (known["index"], known["user"])


def test_the_captured_date_decodes() -> None:
    (known,) = CAPTURE["stamps"]
    stamp = wire.decode_stamp(bytes.fromhex(known["octets"]))
    assert (stamp.text, stamp.local) == (known["local"], datetime.fromisoformat(known["local"]))


def test_the_flags_share_the_octets_of_the_time() -> None:
    stamp = Stamp(
        text="2026-11-30T23:59",
        local=datetime.fromisoformat("2026-11-30T23:59"),
        is_pressure=True,
        arrhythmia=True,
        averaged=True,
        heartbeat=Heartbeat.ATRIAL_FIBRILLATION,
    )
    assert wire.encode_stamp(stamp).hex() == "7e35fbf7"
    assert wire.decode_stamp(wire.encode_stamp(stamp)) == stamp


def test_a_clock_that_was_never_set_has_a_statement_but_no_time() -> None:
    stamp = wire.decode_stamp(bytes(4))
    assert (stamp.text, stamp.local) == ("2000-00-00T00:00", None)


def test_the_two_layouts_of_a_pressure_are_not_mixed_up() -> None:
    assert wire.decode_pressure(bytes.fromhex("785d503c"), with_mean=True) == Pressure(120, 93, 80, 60)
    assert wire.decode_pressure(bytes.fromhex("0401503c"), with_mean=False) == Pressure(260, None, 80, 60)


def test_control_solution_is_told_from_a_meal() -> None:
    assert wire.decode_glucose(bytes.fromhex("700000c0")) == Glucose(112, Meal.CONTROL_SOLUTION, 0)
    assert wire.decode_glucose(bytes.fromhex("7000005c")) == Glucose(112, Meal.BEFORE, 7)


def test_a_serial_number_is_two_halves_with_the_high_octet_last() -> None:
    assert wire.decode_serial_half(bytes.fromhex("34213128")[::-1]) == "34213128"
    assert wire.encode_serial_half("31282134") == bytes.fromhex("34212831")


@given(st.binary(max_size=12))
def test_any_octets_give_a_frame_or_a_codec_error(octets: bytes) -> None:
    with suppress(CodecError):
        assert wire.encode_frame(wire.decode_frame(octets)) == octets


@given(st.binary(max_size=6))
def test_any_data_give_a_value_or_a_codec_error(data: bytes) -> None:
    for decode in (
        wire.decode_model, wire.decode_serial_half, wire.decode_count, wire.decode_stamp, wire.decode_glucose,
        wire.decode_selection, lambda four: wire.decode_pressure(four, with_mean=True),
        lambda four: wire.decode_pressure(four, with_mean=False),
    ):  # fmt: skip
        with suppress(CodecError):
            assert decode(data) is not None


@given(st.binary(min_size=4, max_size=4))
def test_a_stamp_with_a_time_encodes_to_its_octets(data: bytes) -> None:
    stamp = wire.decode_stamp(data)
    if stamp.local is not None:
        assert wire.encode_stamp(stamp) == data


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
    assert len(reader._held) < wire.LENGTH
    assert reader.feed(bytes(wire.LENGTH) + wire.encode_frame(Frame(0x22)))[-1] == Frame(0x22)


def test_damage_is_reported_in_its_place_and_the_next_frame_is_whole() -> None:
    good = bytes.fromhex(CAPTURE["frames"][0]["octets"])
    first, damage, last = FrameReader().feed(b"\xff" + good + good[:-1] + b"\x00" + good)
    assert isinstance(damage, ChecksumError)
    assert first == last == Frame(0x22)
