import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import maibobo_rbp as wire
from device_drivers.codecs.maibobo_rbp import CuffPressure, Failure, Frame, Message, Result, Sender
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "maibobo_rbp.json").read_text())
OCTET, SHORT = st.integers(0, 255), st.integers(0, 0xFFFF)
FRAMES = st.builds(Frame, OCTET, OCTET, st.binary(max_size=30), OCTET, st.just(Sender.CUFF))
SECONDS = st.datetimes(datetime(2000, 1, 1), datetime(2255, 12, 31)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001 - a cuff's wall clock
RESULTS = st.builds(
    lambda user, local, *figures: Result(user, local.isoformat(), local, *figures), OCTET, SECONDS, SHORT, SHORT, SHORT
)
MESSAGES: st.SearchStrategy[Message] = st.builds(CuffPressure, SHORT) | st.builds(Failure, OCTET) | RESULTS


@pytest.mark.parametrize("known", CAPTURE["frames"], ids=lambda known: known["what"])
def test_the_published_frames_decode_as_known_and_encode_to_themselves(known: dict[str, Any]) -> None:
    octets = bytes.fromhex(known["octets"])
    assert wire.encode_frame(wire.decode_frame(octets)) == octets
    message = wire.decode(octets)
    match message:
        case Result():
            assert {name: getattr(message, name) for name in known["result"]} == known["result"]
            assert message.local == datetime.fromisoformat(known["result"]["text"])
            assert wire.encode(message, version=2) == octets
        case CuffPressure(mmhg):
            assert mmhg == known["mmhg"]
            assert wire.encode(message, version=2) == octets
        case Frame():
            assert message.sub_type == known["sub_type"]
        case _:
            pytest.fail("no failure was published")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("mmhg", [0, 55, 255, 256, 260, 300])
def test_each_version_puts_the_pressure_elsewhere(version: int, mmhg: int) -> None:
    assert wire.decode(wire.encode(CuffPressure(mmhg), version)) == CuffPressure(mmhg)
    assert len(wire.encode(CuffPressure(mmhg), version)) == {2: 13, 3: 9}[version]


def test_a_pressure_above_255_of_version_2_is_the_documents_example() -> None:
    assert wire.decode_frame(wire.encode(CuffPressure(260), 2)).data.hex() == "000100000500"


def test_one_changed_bit_is_a_checksum_error() -> None:
    octets = bytes.fromhex(CAPTURE["frames"][0]["octets"])
    with pytest.raises(ChecksumError):
        wire.decode(octets[:14] + bytes([octets[14] ^ 1]) + octets[15:])


def test_a_date_that_does_not_exist_has_a_statement_but_no_time() -> None:
    frame = Frame(1, 6, bytes([1, 0, 0, 0, 0, 0, 0, 0, 120, 0, 80, 0, 60]), sender=Sender.CUFF)
    message = wire.decode(wire.encode_frame(frame))
    assert isinstance(message, Result)
    assert (message.text, message.local) == ("2000-00-00T00:00:00", None)
    with pytest.raises(ValueError, match="no date"):
        wire.encode(message)


@pytest.mark.parametrize("sub_type", [5, 6, 7])
def test_a_whole_frame_with_too_little_in_it_is_refused(sub_type: int) -> None:
    with pytest.raises(CodecError):
        wire.decode(wire.encode_frame(Frame(1, sub_type, b"", 2, Sender.CUFF)))


def test_what_does_not_fit_into_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        wire.encode_frame(Frame(1, 1, bytes(31)))


@given(
    st.binary(max_size=40) | st.binary(max_size=40).map(lambda rest: b"\xaa\x80" + rest) | FRAMES.map(wire.encode_frame)
)
def test_any_octets_give_a_message_or_a_codec_error(octets: bytes) -> None:
    with suppress(CodecError):
        assert wire.decode(octets) is not None


@given(MESSAGES, st.sampled_from([2, 3]))
def test_a_message_encodes_and_decodes_to_itself(message: Message, version: int) -> None:
    assert wire.decode(wire.encode(message, version)) == message


@given(st.lists(FRAMES, max_size=5), st.data())
def test_any_cut_of_the_stream_gives_the_same_frames(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(map(wire.encode_frame, frames))
    cut = data.draw(st.integers(0, len(stream)))
    reader = wire.cuff_reader()
    assert [*reader.feed(stream[:cut]), *reader.feed(stream[cut:])] == frames


@given(st.binary(max_size=300))
def test_noise_never_stops_the_reader(noise: bytes) -> None:
    reader, good = wire.cuff_reader(), Frame(1, 1, sender=Sender.CUFF)
    for item in reader.feed(noise):
        assert isinstance(item, Frame | ChecksumError)
    assert reader.feed(bytes(40) + wire.encode_frame(good))[-1] == good
