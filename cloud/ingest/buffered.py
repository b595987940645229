"""A buffer between the socket and paho: many packets a system call, and messages taken straight from it.

paho takes the octets of a packet in three steps and sends each packet by itself: five system calls a message, and at
each of them Python lets another thread go first. Under a full queue that waiting was most of a message's time; half of
the rest went into objects for MQTT properties. Here what has come is read at once, and a PUBLISH of the form that our
gateways' messages have is made out by ``_message``; every other packet goes to paho as it is. What is written goes out
in one piece, before paho waits for the broker again.
"""

import socket
import struct
import threading
from collections.abc import Sequence

import msgspec

READ_OCTETS = 128 * 1024
# What is still to be written when the connection is closed has so long to leave.
CLOSING_S = 1.0

# MQTT 5: 2.1.2 (the first octet of a packet), 2.2.2.2 (properties), 3.4.2.1 (a PUBACK without more is a success).
PUBLISH_QOS_1, PUBLISH_QOS_1_AGAIN = 0x32, 0x3A
PUBACK = 0x40
MESSAGE_EXPIRY_INTERVAL, CORRELATION_DATA = 0x02, 0x09
# Of 2.1.4: the remaining length has at most so many octets, seven bits in each, and the eighth says that one follows.
LENGTH_OCTETS = 4


class Published(msgspec.Struct, frozen=True, gc=False):
    """A message at QoS 1 as it came; ``expires_in_s`` is None where it has no message expiry interval."""

    topic: str
    packet_id: int
    payload: bytes
    correlation: bytes
    expires_in_s: int | None


class BufferedSocket:
    """A connected socket that reads and writes in large pieces.

    One thread reads, writes and flushes; ``acknowledge`` alone may be called by others. paho gets what ``pass_on`` let
    through, so that it never stands in the middle of a packet.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._came = b""
        self._position = 0
        self._passed_to = 0  # up to here paho may read
        self._unsent = bytearray()
        self._writing = threading.Lock()
        self._ended: OSError | None = None
        self._closed_by_peer = False

    # Reading ------------------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Read what has come. An end or an error is kept for paho, which asks next."""
        try:
            octets = self._socket.recv(READ_OCTETS)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended = error
            return
        self._closed_by_peer = not octets
        self._came = self._came[self._position :] + octets
        self._position = self._passed_to = 0

    def packet(self) -> tuple[int, int] | None:
        """Where the body of the next packet begins and ends; None as long as it is not there as a whole.

        A length of too many octets is as good as a whole packet: paho says what is wrong with it.
        """
        length = shift = 0
        for at in range(self._position + 1, min(self._position + 1 + LENGTH_OCTETS, len(self._came))):
            length |= (self._came[at] & 0x7F) << shift
            shift += 7
            if self._came[at] < 0x80:
                end = at + 1 + length
                return (at + 1, end) if end <= len(self._came) else None
        here = len(self._came)
        return (here, here) if here > self._position + LENGTH_OCTETS else None

    def published(self, begin: int, end: int) -> Published | None:
        """The packet with this body, taken; None for what paho has to read."""
        if self._came[self._position] not in (PUBLISH_QOS_1, PUBLISH_QOS_1_AGAIN):
            return None
        published = _message(self._came[begin:end])
        if published is not None:
            self._position = self._passed_to = end
        return published

    def pass_on(self, end: int) -> None:
        """Let paho read up to here."""
        self._passed_to = end

    def recv(self, size: int) -> bytes:
        """What was passed on, in its order; BlockingIOError where there is nothing of it. For paho."""
        if self._position == self._passed_to:
            if self._ended is not None:
                raise self._ended
            if self._closed_by_peer:
                return b""
            raise BlockingIOError
        begin, self._position = self._position, min(self._position + size, self._passed_to)
        return self._came[begin : self._position]

    def pending(self) -> int:
        """More than 0 where paho should not wait: a packet has come, or the end."""
        return int(self._ended is not None or self._closed_by_peer or self.packet() is not None)

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, octets: bytes | bytearray) -> int:
        """Takes all of them; they leave with the next ``flush``."""
        with self._writing:
            self._unsent += octets
        return len(octets)

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """PUBACKs; they leave with the next ``flush``."""
        self.send(b"".join([struct.pack("!BBH", PUBACK, 2, packet_id) for packet_id in packet_ids]))

    @property
    def unsent(self) -> bool:
        """Whether a ``flush`` has something to do."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send as much as the connection takes now. Where it is lost, paho hears it from the next ``recv``."""
        with self._writing:
            try:
                while self._unsent:
                    del self._unsent[: self._socket.send(self._unsent)]
            except BlockingIOError:
                return
            except OSError as error:
                self._ended = error
                self._unsent.clear()

    def close(self) -> None:
        """Send the rest if that is possible at once, and close."""
        try:
            self._socket.settimeout(CLOSING_S)
            with self._writing:
                self._socket.sendall(self._unsent)
        except OSError:
            pass  # it is closed because it was lost: what was to be said will be said again
        self._socket.close()

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """As of a socket."""
        self._socket.setblocking(flag)


def _message(body: bytes) -> Published | None:
    """The body of a PUBLISH at QoS 1 (MQTT 5, 3.3): topic, packet id, properties, payload.

    None where it is not whole, has a property that our messages do not have, the same one twice, or a topic that is no
    text: paho then reads it, and says what is wrong with it if anything is.
    """
    try:
        topic_ends = 2 + (body[0] << 8 | body[1])
        topic = body[2:topic_ends].decode()
        packet_id = body[topic_ends] << 8 | body[topic_ends + 1]
        at = topic_ends + 3
        properties_end = at + body[at - 1]
        if body[at - 1] >= 0x80 or properties_end > len(body):
            return None
        correlation, expires_in_s = None, None
        while at < properties_end:
            if body[at] == MESSAGE_EXPIRY_INTERVAL and expires_in_s is None:
                expires_in_s, at = int.from_bytes(body[at + 1 : at + 5], "big"), at + 5
            elif body[at] == CORRELATION_DATA and correlation is None:
                ends = at + 3 + (body[at + 1] << 8 | body[at + 2])
                correlation, at = body[at + 3 : ends], ends
            else:
                return None
        if at != properties_end:
            return None
    except (IndexError, UnicodeDecodeError):
        return None
    return Published(topic, packet_id, body[at:], correlation or b"", expires_in_s)
