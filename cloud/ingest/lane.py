"""One connection to the broker with its shared subscriptions; the only file of the cloud that imports mqtt5.

mqtt5 turns octets into packets and back, and nothing else; the conversation is here: MQTT 5, QoS 1, acknowledged by
hand. A thread of its own reads, keeps the connection alive and makes it anew, also while the database is away. Whoever
acknowledges or publishes writes to the socket itself, all packets of a batch at once. Numbers in brackets are sections
of MQTT 5.0.
"""

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count
from time import monotonic

import mqtt5
import msgspec

from cloud.config import BrokerAddress

log = logging.getLogger(__name__)

# How long the broker keeps the queue of a worker that died. Long enough for a restart, and no longer: a broker deals
# its share of the messages to a worker that is away as well (Mosquitto 2.0 does, measured), and there they wait.
# When the session expires, gateways miss their receipts and send again through another worker.
SESSION_EXPIRY_S = 20
# Messages that the broker may have out with us unacknowledged: one batch in the database and one that is being decoded.
# It bounds our memory while the database is away: some 200 MB, decoded, if all of them are full. A broker that keeps
# fewer out (Mosquitto's max_inflight_messages) makes smaller batches of it.
RECEIVE_MAXIMUM = 2000
KEEPALIVE_S = 20
LEAVE_TIMEOUT_S = 2.0
PING_EVERY_S = KEEPALIVE_S / 2
# Longer without a word from the broker, which answers pings, and the connection is dead.
LONGEST_SILENCE_S = 1.5 * KEEPALIVE_S
# Of the socket: for reading it is how often the clock is looked at, for writing a broker that does not take anything.
TIMEOUT_S = 5.0
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 5.0
READ_OCTETS = 256 * 1024


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What came on a topic; ``connection`` and ``packet_id`` say how to acknowledge it."""

    topic: str
    payload: bytes
    correlation: bytes
    connection: int
    packet_id: int


OnMessage = Callable[["Lane", Message], None]


class Lost(Exception):
    """The connection is gone, or never came about; why."""


class Lane:
    """Connected for as long as it is started. Both callbacks are called by the lane's own thread."""

    def __init__(
        self,
        broker: BrokerAddress,
        client_id: str,
        topic_filters: Sequence[str],
        on_message: OnMessage,
        on_change: Callable[[], None],
    ) -> None:
        self.subscribed = threading.Event()
        self._broker = broker
        self._client_id = client_id
        self._topic_filters = topic_filters
        self._on_message = on_message
        self._on_change = on_change
        self._left = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)
        # All below are changed under the lock, which is also held while something is written.
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._connection = 0
        self._packet_ids = count()
        self._outgoing: deque[tuple[str, bytes]] = deque()  # not sent yet: topic, payload
        self._unacknowledged: dict[int, tuple[str, bytes]] = {}
        self._window = 0  # how many messages the broker takes unacknowledged; none until it has let us in

    def start(self) -> None:
        """Connect in the background, now or as soon as the broker answers."""
        self._thread.start()

    def leave(self) -> None:
        """Take no more messages."""
        if self.subscribed.is_set():
            packet = mqtt5.UnsubscribePacket(self._next_id(), list(self._topic_filters))
            with self._lock:
                self._write(packet.write())
            self._left.wait(LEAVE_TIMEOUT_S)

    def stop(self) -> None:
        """Disconnect for good: the broker forgets our session, so that no message is dealt to it any more."""
        self._stopped.set()
        with self._lock:
            self._write(mqtt5.DisconnectPacket(session_expiry_interval=0).write())
            self._shut()
        self._thread.join()

    def acknowledge(self, connection: int, packet_ids: Iterable[int]) -> None:
        """PUBACK. A message of an earlier connection comes again by itself: its id now means another message."""
        octets = b"".join([mqtt5.PubAckPacket(packet_id).write() for packet_id in packet_ids])
        with self._lock:
            if connection == self._connection:
                self._write(octets)

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send at QoS 1, topic and payload, now or when the broker is back; again if it does not say that it has it."""
        with self._lock:
            self._outgoing.extend(messages)
            self._send_waiting()

    # The conversation ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        delay_s = FIRST_RETRY_S
        while not self._stopped.is_set():
            try:
                self._converse()
            except (OSError, Lost) as error:
                if not self._stopped.is_set():
                    log.warning("the broker is away: %s", error)
            delay_s = FIRST_RETRY_S if self.subscribed.is_set() else min(2 * delay_s, LAST_RETRY_S)
            self.subscribed.clear()
            self._on_change()
            self._stopped.wait(delay_s)

    def _converse(self) -> None:
        """From CONNECT to the end of the connection, which is an error."""
        with socket.create_connection((self._broker.host, self._broker.port), TIMEOUT_S) as connected:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.sendall(self._connect_packet().write())
            with self._lock:
                self._socket = connected
            try:
                self._listen(connected)
            finally:
                # Others may shut the socket; closed it is here, where nobody reads from it any more.
                with self._lock:
                    self._socket = None
                    self._window = 0
                    self._connection += 1

    def _listen(self, connected: socket.socket) -> None:
        heard_at = pinged_at = monotonic()
        unread = b""
        while True:
            received: bytes | None = None
            with suppress(TimeoutError):
                received = connected.recv(READ_OCTETS)
            now = monotonic()
            if received == b"":
                raise Lost("it ended the connection")
            if received is not None:
                heard_at, unread = now, self._take(unread + received)
            elif now - heard_at > LONGEST_SILENCE_S:
                raise Lost("it no longer answers")
            if now - pinged_at > PING_EVERY_S:
                pinged_at = now
                with self._lock:
                    self._write(mqtt5.PingReqPacket().write())

    def _connect_packet(self) -> mqtt5.ConnectPacket:
        return mqtt5.ConnectPacket(
            client_id=self._client_id,
            username=self._broker.username,
            password=self._broker.password.encode() if self._broker.password else None,
            clean_start=False,
            keep_alive=KEEPALIVE_S,
            session_expiry_interval=SESSION_EXPIRY_S,
            receive_max=RECEIVE_MAXIMUM,
        )

    def _take(self, octets: bytes) -> bytes:
        """All whole packets; gives what is left of one that is not whole yet."""
        view, place = memoryview(octets), 0
        while place < len(octets):
            try:
                packet, size = mqtt5.read(view[place:])
            except IndexError:
                break
            except ValueError as error:
                raise Lost("it sent what is no packet") from error
            place += size
            self._arrived(packet)
        return octets[place:]

    def _arrived(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.PublishPacket():
                self._on_message(
                    self,
                    Message(
                        topic=packet.topic,
                        payload=packet.payload,
                        correlation=packet.correlation_data or b"",
                        connection=self._connection,
                        packet_id=packet.packet_id or 0,
                    ),
                )
            case mqtt5.PubAckPacket():
                with self._lock:
                    self._unacknowledged.pop(packet.packet_id, None)
                    self._send_waiting()
            case mqtt5.ConnAckPacket():
                self._welcomed(packet)
            case mqtt5.SubAckPacket():
                if any(code != mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE for code in packet.reason_codes):
                    raise Lost("it refused a subscription")
                log.info("subscribed to %s", ", ".join(self._topic_filters))
                self.subscribed.set()
                self._on_change()
            case mqtt5.UnsubAckPacket():
                self._left.set()
            case mqtt5.DisconnectPacket():
                raise Lost(f"it disconnected us ({packet.reason_code.name})")
            case _:
                pass  # PINGRESP: that anything came is what counts

    def _welcomed(self, packet: mqtt5.ConnAckPacket) -> None:
        if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise Lost(f"it refused us ({packet.reason_code.name})")
        filters = [mqtt5.TopicFilter(each, max_qos=mqtt5.QoS.AT_LEAST_ONCE) for each in self._topic_filters]
        with self._lock:
            self._window = packet.receive_max
            # What it has not acknowledged it may not have: first in line (4.4).
            self._outgoing.extendleft(reversed(self._unacknowledged.values()))
            self._unacknowledged.clear()
            self._write(mqtt5.SubscribePacket(self._next_id(), filters).write())
            self._send_waiting()

    # Writing: the lock is held ------------------------------------------------------------------------------------

    def _send_waiting(self) -> None:
        packets: list[bytes] = []
        while self._outgoing and len(self._unacknowledged) < self._window:
            topic, payload = message = self._outgoing.popleft()
            packet_id = self._next_id()
            self._unacknowledged[packet_id] = message
            packet = mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id)
            packets.append(packet.write())
        if packets:
            self._write(b"".join(packets))

    def _write(self, octets: bytes) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendall(octets)
        except OSError:
            self._shut()

    def _shut(self) -> None:
        """The thread that reads finds it shut, says so, and closes it."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _next_id(self) -> int:
        """1 to 65535, in turn (2.2.1). A window is far smaller, so none is in use still."""
        return next(self._packet_ids) % 0xFFFF + 1
