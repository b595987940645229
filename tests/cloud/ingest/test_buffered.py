"""What is taken straight from the connection is what paho would have made of it, however the octets come."""

import select
import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.enums import MQTTProtocolVersion

from cloud.ingest.buffered import BufferedSocket, Published, _message

TOPIC = "phg/v1/gw/readings"
PINGRESP = b"\xd0\x00"
OUR_PROPERTIES = st.lists(
    st.one_of(
        st.integers(0, 2**32 - 1).map(lambda seconds: struct.pack("!BI", 0x02, seconds)),
        st.binary(max_size=20).map(lambda data: struct.pack("!BH", 0x09, len(data)) + data),
    ),
    max_size=3,
).map(b"".join)


def length(number: int) -> bytes:
    """A variable byte integer (MQTT 5, 1.5.5)."""
    octets = bytearray()
    while True:
        number, octet = divmod(number, 128)
        octets.append(octet | (0x80 if number else 0))
        if not number:
            return bytes(octets)


def body(payload: bytes = b"{}", packet_id: int = 7, properties: bytes = b"", topic: bytes = TOPIC.encode()) -> bytes:
    return (
        struct.pack("!H", len(topic))
        + topic
        + struct.pack("!H", packet_id)
        + length(len(properties))
        + properties
        + payload
    )


def packet(octets: bytes, first: int = 0x32) -> bytes:
    return bytes([first]) + length(len(octets)) + octets


@pytest.fixture
def ends() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield BufferedSocket(ours), theirs


def taken(connection: BufferedSocket) -> list[Published | bytes]:
    """Everything that is there as a whole: messages, and what paho is left with."""
    found: list[Published | bytes] = []
    connection.fill()
    while (where := connection.packet()) is not None:
        published = connection.published(*where)
        if published is None:
            connection.pass_on(where[1])
            found.append(b"".join(iter(lambda: recv(connection), b"")))
        else:
            found.append(published)
    return found


def recv(connection: BufferedSocket) -> bytes:
    try:
        return connection.recv(3)
    except BlockingIOError:
        return b""


@given(st.one_of(st.binary(max_size=60), st.builds(body, st.binary(max_size=9), st.integers(0, 65535), OUR_PROPERTIES)))
def test_a_message_is_what_paho_makes_of_it_or_it_is_left_to_paho(octets: bytes) -> None:
    ours = _message(octets)
    if ours is None:
        return
    theirs = _packet.decode_publish(0x32, octets, MQTTProtocolVersion.MQTTv5)
    assert (ours.topic, ours.packet_id, ours.payload) == (theirs.topic.decode(), theirs.mid, bytes(theirs.payload))
    assert ours.correlation == getattr(theirs.properties, "CorrelationData", b"")
    assert ours.expires_in_s == getattr(theirs.properties, "MessageExpiryInterval", None)


def test_a_message_of_our_gateways_is_not_left_to_paho() -> None:
    properties = struct.pack("!BI", 2, 60) + struct.pack("!BH", 9, 16) + bytes(range(16))
    assert _message(body(b"payload", 259, properties)) == Published(TOPIC, 259, b"payload", bytes(range(16)), 60)


@pytest.mark.parametrize(
    "octets",
    [
        body(properties=b"\x02\x00\x00\x00\x01\x02\x00\x00\x00\x02"),
        body(properties=b"\x26\x00\x01a\x00\x01b"),
        body(properties=b"\x09\x00\xffshort"),
        body(topic=b"\xff"),
        body()[:4],
        b"",
    ],
    ids=["the same property twice", "a user property", "a length beyond the end", "no text", "cut", "nothing"],
)
def test_what_has_another_form_is_left_to_paho(octets: bytes) -> None:
    assert _message(octets) is None


@given(
    st.lists(
        st.sampled_from([packet(body(b"x" * 300)), packet(body(b"", 1)), packet(body(), 0x30), PINGRESP]), max_size=6
    ),
    st.lists(st.integers(1, 400), max_size=12),
)
def test_however_the_octets_are_cut_the_same_packets_come(packets: list[bytes], cuts: list[int]) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        connection, stream, found = BufferedSocket(ours), b"".join(packets), list[Published | bytes]()
        for size in [*cuts, max(1, len(stream))]:
            theirs.sendall(stream[:size])
            stream = stream[size:]
            found += taken(connection)
    expected = [_message(one[3:] if len(one) > 200 else one[2:]) if one[0] == 0x32 else one for one in packets]
    assert found == expected


def test_a_packet_that_is_not_there_as_a_whole_is_not_begun(ends: tuple[BufferedSocket, socket.socket]) -> None:
    connection, broker = ends
    broker.sendall(PINGRESP + packet(body())[:-1])
    assert taken(connection) == [PINGRESP]
    assert connection.pending() == 0
    with pytest.raises(BlockingIOError):
        connection.recv(1)
    broker.sendall(packet(body())[-1:])
    assert taken(connection) == [Published(TOPIC, 7, b"{}", b"", None)]


def test_a_length_that_never_ends_is_for_paho_to_refuse(ends: tuple[BufferedSocket, socket.socket]) -> None:
    connection, broker = ends
    broker.sendall(b"\x32\xff\xff\xff\xff\xff")
    assert taken(connection) == [b"\x32\xff\xff\xff\xff\xff"]


def test_an_end_comes_after_what_came_before_it(ends: tuple[BufferedSocket, socket.socket]) -> None:
    connection, broker = ends
    broker.sendall(packet(body()))
    broker.close()
    assert len(taken(connection)) == 1
    connection.fill()
    assert connection.pending()
    assert connection.recv(1) == b""


def test_what_the_connection_does_not_take_is_kept_in_order(ends: tuple[BufferedSocket, socket.socket]) -> None:
    connection, broker = ends
    written = bytes(range(256)) * 8192
    connection.send(written)
    connection.acknowledge([1, 513])
    came = bytearray()
    connection.flush()
    assert connection.unsent
    while connection.unsent or select.select([broker], [], [], 0)[0]:
        came += broker.recv(1 << 20)
        connection.flush()
    assert came == written + b"\x40\x02\x00\x01\x40\x02\x02\x01"


def test_a_connection_that_takes_nothing_any_more_says_so_at_the_next_read(
    ends: tuple[BufferedSocket, socket.socket],
) -> None:
    connection, broker = ends
    broker.close()
    connection.send(b"one")
    connection.flush()
    connection.send(b"two")
    connection.flush()
    assert not connection.unsent
    assert connection.pending()
    with pytest.raises(OSError, match="pipe"):
        connection.recv(1)


def test_what_was_written_leaves_before_it_is_closed(ends: tuple[BufferedSocket, socket.socket]) -> None:
    connection, broker = ends
    connection.send(b"goodbye")
    connection.close()
    assert broker.recv(100) == b"goodbye"
