"""The broker, as ingest sees it: what came, in batches, to be acknowledged by hand after the commit.

Two lanes, each a connection of its own, because a broker hands the messages of one connection over in the order in
which they came: what is live, and what gateways say about themselves, never waits behind a backlog. ``collect`` hands
over what came, the live lane first. The lanes' threads decode: they have time for it while a worker waits for the
database.
"""

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from time import monotonic

import msgspec

from cloud.config import BrokerAddress
from cloud.ingest import names
from cloud.ingest.arrivals import Arrival, Decoded, Undecoded, decode
from cloud.ingest.lane import Lane, Message, OnMessage
from gateway.wire import v1

LIVE, BACKLOG = ("live", "status"), ("readings",)
# A batch ends at whichever comes first: so many messages, so many octets, so long without another, or so long at all.
# The linger is what a lone reading pays; only while messages come without a pause does a batch wait for more of them.
BATCH_MESSAGES = 600
BATCH_OCTETS = 512 * 1024
LINGER_S = 0.003
LONGEST_S = 0.02


class Delivery(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One message; ``lane``, ``connection`` and ``packet_id`` say how to acknowledge it."""

    gateway_id: str
    channel: str
    payload: bytes
    received_at: datetime
    lane: Lane
    connection: int
    packet_id: int
    readings: Decoded | Undecoded | None = None  # what the payload says; None on other channels


class Subscriber:
    """A worker's connections to the broker; they reconnect for as long as it is started."""

    def __init__(self, broker: BrokerAddress, client_id: str, now: Callable[[], datetime]) -> None:
        self.subscribed = threading.Event()
        self._now = now
        self._live: deque[Delivery] = deque()
        self._backlog: deque[Delivery] = deque()
        self._arrived: queue.SimpleQueue[None] = queue.SimpleQueue()  # one for each delivery of either lane
        self._collecting = threading.Lock()
        self._lanes = (
            self._lane(broker, f"{client_id}-live", LIVE, self._live),
            self._lane(broker, client_id, BACKLOG, self._backlog),
        )

    def start(self) -> None:
        """Connect in the background, now or as soon as the broker answers."""
        for lane in self._lanes:
            lane.start()

    def leave(self) -> None:
        """Take no more messages; what has come already can still be collected and acknowledged."""
        for lane in self._lanes:
            lane.leave()

    def stop(self) -> None:
        """Disconnect for good: the broker forgets our sessions, so that no message is dealt to them any more."""
        for lane in self._lanes:
            lane.stop()

    @property
    def waiting(self) -> int:
        """How many messages have come and are not collected yet."""
        return len(self._live) + len(self._backlog)

    def collect(self, timeout_s: float) -> Sequence[Delivery]:
        """A batch: the first message within the timeout, and what follows within the linger; empty where none came.

        One thread collects at a time; the others wait for their turn.
        """
        with self._collecting:
            return self._collect(timeout_s)

    def _collect(self, timeout_s: float) -> Sequence[Delivery]:
        try:
            batch = [self._next(timeout_s)]
        except queue.Empty:
            return []
        octets = len(batch[0].payload)
        ends_at = monotonic() + LONGEST_S
        while len(batch) < BATCH_MESSAGES and octets < BATCH_OCTETS:
            try:
                batch.append(self._next(min(LINGER_S, max(0.0, ends_at - monotonic()))))
            except queue.Empty:
                break
            octets += len(batch[-1].payload)
        return batch

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """PUBACK. A message of an earlier connection comes again by itself."""
        together: dict[tuple[Lane, int], list[int]] = defaultdict(list)
        for delivery in deliveries:
            together[delivery.lane, delivery.connection].append(delivery.packet_id)
        for (lane, connection), packet_ids in together.items():
            lane.acknowledge(connection, packet_ids)

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send at QoS 1, topic and payload, now or when the broker is back."""
        self._lanes[0].publish(messages)

    def _lane(self, broker: BrokerAddress, name: str, channels: Sequence[str], into: deque[Delivery]) -> Lane:
        filters = names.shared(broker.password, *channels)
        return Lane(broker, names.session(name), filters, self._take_into(into), self._heard)

    def _next(self, timeout_s: float) -> Delivery:
        self._arrived.get(timeout=timeout_s)
        return (self._live or self._backlog).popleft()

    def _take_into(self, lane: deque[Delivery]) -> OnMessage:
        def take(source: Lane, message: Message) -> None:
            lane.append(_delivery(source, message, self._now()))
            self._arrived.put(None)

        return take

    def _heard(self) -> None:
        if all(lane.subscribed.is_set() for lane in self._lanes):
            self.subscribed.set()
        else:
            self.subscribed.clear()


def _kept_s(expires_in_s: int | None) -> int | None:
    """How long the broker kept a message of which so much is left; None for one that did not have our interval."""
    if expires_in_s is None or expires_in_s > v1.MESSAGE_EXPIRY_S:
        return None
    return v1.MESSAGE_EXPIRY_S - expires_in_s


def _delivery(lane: Lane, message: Message, received_at: datetime) -> Delivery:
    _, _, gateway_id, channel = message.topic.split("/")
    readings: Decoded | Undecoded | None = None
    if channel != "status":
        readings = decode(
            Arrival(
                gateway_id=gateway_id,
                payload=message.payload,
                correlation=message.correlation,
                received_at=received_at,
                kept_s=_kept_s(message.expires_in_s),
            )
        )
    return Delivery(
        gateway_id=gateway_id,
        channel=channel,
        payload=message.payload,
        received_at=received_at,
        lane=lane,
        connection=message.connection,
        packet_id=message.packet_id,
        readings=readings,
    )
