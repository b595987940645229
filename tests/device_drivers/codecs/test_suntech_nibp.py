import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import suntech_nibp as wire
from device_drivers.codecs.suntech_nibp import Command, CuffPressure, Other, Packet, Result, Status
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "suntech_nibp.json").read_text())
OCTET, SHORT = st.integers(0, 255), st.integers(0, 0xFFFF)
SAID: st.SearchStrategy[Packet] = (
    st.builds(CuffPressure, SHORT)
    | st.sampled_from(Status)
    | st.builds(Result, SHORT, SHORT, OCTET, OCTET, st.binary(min_size=8, max_size=8), OCTET, SHORT, OCTET)
    | st.builds(Other, st.binary(min_size=22, max_size=64))
)


@pytest.mark.parametrize("known", CAPTURE["packets"], ids=lambda known: known["what"])
def test_the_documented_packets_decode_as_known_and_encode_to_themselves(known: dict[str, Any]) -> None:
    octets = bytes.fromhex(known["octets"])
    packet = wire.decode(octets)
    assert wire.encode(packet) == octets
    match packet:
        case Command(data):
            assert data.hex() == known["command"]
        case CuffPressure(mmhg):
            assert mmhg == known["mmhg"]
        case Status():
            assert packet.name.lower() == known["status"]
        case Result():
            assert {name: getattr(packet, name) for name in known["result"]} == known["result"]
            assert packet.test_codes.hex() == "0000000000003107"
        case _:
            pytest.fail("a packet that the manual explains")


@pytest.mark.parametrize("octets", CAPTURE["damaged"])
def test_the_damaged_examples_are_refused(octets: str) -> None:
    with pytest.raises(CodecError):
        wire.decode(bytes.fromhex(octets))


def test_a_letter_that_nobody_knows_is_a_packet_that_says_nothing() -> None:
    assert wire.decode(bytes.fromhex("3e045a64")) == Other(b"Z")


def test_the_commands_are_those_of_the_manual() -> None:
    assert [c.hex() for c in (wire.START, wire.READ_CUFF_PRESSURE, wire.READ_RESULT)] == [
        "3a20a6", "3a79050048", "3a7903004a",
    ]  # fmt: skip


@given(st.binary(max_size=70) | st.binary(max_size=70).map(lambda rest: b"\x3e" + rest))
def test_any_octets_give_a_packet_or_a_codec_error(octets: bytes) -> None:
    with suppress(CodecError):
        assert wire.decode(octets) is not None


@given(SAID)
def test_a_packet_encodes_and_decodes_to_itself(packet: Packet) -> None:
    assert wire.decode(wire.encode(packet)) == packet


@given(st.lists(SAID, max_size=6), st.data())
def test_any_cut_of_the_stream_gives_the_same_packets(packets: list[Packet], data: st.DataObject) -> None:
    stream = b"".join(map(wire.encode, packets))
    cut = data.draw(st.integers(0, len(stream)))
    reader = wire.packet_reader()
    assert [*reader.feed(stream[:cut]), *reader.feed(stream[cut:])] == packets


@given(st.binary(max_size=300))
def test_noise_never_stops_the_reader(noise: bytes) -> None:
    reader = wire.packet_reader()
    for item in reader.feed(noise):
        assert isinstance(item, ChecksumError) or not isinstance(item, CodecError)
    assert reader.feed(bytes(wire.LONGEST) + wire.encode(Status.EXECUTED))[-1] is Status.EXECUTED
