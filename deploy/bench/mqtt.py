"""A small MQTT 5 client for many connections on one event loop, so that measuring costs little of the machine.

QoS 1 both ways, no retries: the broker is on this machine and stays. Numbers in brackets are sections of MQTT 5.0.
"""

import asyncio
from collections.abc import Callable, Iterable
from itertools import count
from typing import Protocol

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = (
    0x10,
    0x20,
    0x30,
    0x40,
    0x82,
    0x90,
    0xC0,
    0xE0,
)
USERNAME, PASSWORD, CLEAN_START = 0x80, 0x40, 0x02  # (3.1.2.3)
SESSION_EXPIRY, RECEIVE_MAXIMUM, CORRELATION_DATA = 0x11, 0x21, 0x09  # (2.2.2.2)
REFUSED = 0x80  # this reason code and all above it
# Unacknowledged messages at a time; the broker takes more from one client (max_inflight_messages).
WINDOW = 100
ANSWER_WITHIN_S = 60.0

Taker = Callable[[bytes], None]


class Refused(Exception):
    """The broker said no, or hung up."""


class Listens(Protocol):
    """Where a broker takes connections."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class MqttClient(asyncio.Protocol):
    """One connection. ``on_payload`` gets the payload of each message that comes, on the event loop."""

    def __init__(self, on_payload: Taker | None = None) -> None:
        self._on_payload = on_payload
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._ids = count()
        self._window = asyncio.Semaphore(WINDOW)
        self._unacknowledged: set[int] = set()
        self._answer: asyncio.Future[bytes] | None = None
        self._gone = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    @classmethod
    async def open(
        cls,
        broker: Listens,
        user: str,
        password: str,
        *,
        client_id: str | None = None,
        session_expiry_s: int = 0,
        on_payload: Taker | None = None,
    ) -> "MqttClient":
        """Connect; a session that the broker still has is taken up where it is to outlive the connection."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(on_payload), broker.host, broker.port)
        flags = USERNAME | PASSWORD | (0 if session_expiry_s else CLEAN_START)
        properties = bytes([SESSION_EXPIRY]) + session_expiry_s.to_bytes(4, "big")
        body = _text("MQTT") + bytes([5, flags, 0, 0]) + _prefixed(properties)
        try:
            await client._ask(CONNECT, body + _text(client_id or user) + _text(user) + _text(password))
        except BaseException:
            client._abort()  # whoever refuses us may hang up later than our caller's event loop ends
            raise
        return client

    async def subscribe(self, topic_filters: Iterable[str]) -> None:
        """At QoS 1."""
        filters = b"".join(_text(topic_filter) + b"\x01" for topic_filter in topic_filters)
        await self._ask(SUBSCRIBE, self._packet_id() + b"\0" + filters)

    async def publish(self, topic: str, payload: bytes, correlation: bytes = b"") -> None:
        """Send at QoS 1, as soon as the broker's window has room; ``settled`` waits for the acknowledgements."""
        await self._window.acquire()
        packet_id = self._packet_id()
        self._unacknowledged.add(int.from_bytes(packet_id, "big"))
        self._settled.clear()
        properties = bytes([CORRELATION_DATA]) + _binary(correlation) if correlation else b""
        self._send(PUBLISH | 0x02, _text(topic) + packet_id + _prefixed(properties) + payload)

    async def settled(self) -> None:
        """Everything that was published has been acknowledged."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await self._settled.wait()

    def close(self) -> None:
        """Disconnect; a session with an expiry stays. ``closed`` waits until the connection is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._send(DISCONNECT, b"")
            self._transport.close()

    async def closed(self) -> None:
        """The connection is gone."""
        await self._gone.wait()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- a TCP connection's
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (packet := _take(self._buffer)) is not None:
            self._arrived(*packet)

    def connection_lost(self, error: Exception | None) -> None:
        del error
        self._gone.set()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Refused("the broker hung up"))

    # --------------------------------------------------------------------------------------------------------------

    def _arrived(self, kind: int, body: bytes) -> None:
        if kind & 0xF0 == PUBLISH:
            self._take_message(kind, body)
        elif kind == PUBACK:
            self._unacknowledged.discard(int.from_bytes(body[:2], "big"))
            self._window.release()
            if not self._unacknowledged:
                self._settled.set()
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(bytes([kind]) + body)

    def _take_message(self, kind: int, body: bytes) -> None:
        place = 2 + int.from_bytes(body[:2], "big")
        if kind & 0x06:
            self._send(PUBACK, body[place : place + 2])
            place += 2
        size, place = _varint(body, place)
        if self._on_payload is not None:
            self._on_payload(body[place + size :])

    async def _ask(self, kind: int, body: bytes) -> None:
        self._answer = asyncio.get_running_loop().create_future()
        self._send(kind, body)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer = await self._answer
        # CONNACK: flags, reason code (3.2.2); SUBACK: ids, properties, and the reason codes last (3.9.3).
        if (answer[2] if answer[0] == CONNACK else answer[-1]) >= REFUSED:
            raise Refused(f"the broker answered {answer.hex()}")

    def _packet_id(self) -> bytes:
        return (next(self._ids) % 0xFFFF + 1).to_bytes(2, "big")

    def _send(self, kind: int, body: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise Refused("the connection is closed")
        self._transport.write(bytes([kind]) + _prefixed(body))


def _take(buffer: bytearray) -> tuple[int, bytes] | None:
    """The first whole packet, taken out of the buffer; None where it is not whole yet."""
    if len(buffer) < 2:
        return None
    try:
        size, place = _varint(buffer, 1)
    except IndexError:
        return None
    if len(buffer) < place + size:
        return None
    kind, body = buffer[0], bytes(buffer[place : place + size])
    del buffer[: place + size]
    return kind, body


def _varint(data: bytes | bytearray, place: int) -> tuple[int, int]:
    """A variable byte integer (1.5.5) and the place behind it; IndexError where the data end before it does."""
    value = shift = 0
    while True:
        octet = data[place]
        place += 1
        value |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return value, place


def _prefixed(body: bytes) -> bytes:
    """Octets behind their count as a variable byte integer."""
    size, count_octets = len(body), b""
    while size > 0x7F:
        count_octets += bytes([size & 0x7F | 0x80])
        size >>= 7
    return count_octets + bytes([size]) + body


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _text(text: str) -> bytes:
    return _binary(text.encode())
