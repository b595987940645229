"""The broker, as ingest sees it: what came, in batches, to be acknowledged by hand after the commit.

Two lanes, each a connection of its own, because a broker hands the messages of one connection over in the order in
which they came: what is live, and what gateways say about themselves, never waits behind a backlog. ``collect`` hands
over what came, the live lane first. The lanes' threads decode: they have time for it while a worker waits for the
database.
"""

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


class _Line:
    """What one connection brought and nobody has collected yet; one thread puts, one at a time takes."""

    def __init__(self) -> None:
        self.deliveries: deque[Delivery] = deque()
        self._octets_put = self._octets_taken = 0

    @property
    def octets(self) -> int:
        """Of the payloads that wait."""
        return self._octets_put - self._octets_taken

    def put(self, delivery: Delivery) -> None:
        """At its end."""
        self._octets_put += len(delivery.payload)
        self.deliveries.append(delivery)

    def take(self) -> Delivery:
        """The first. IndexError where none waits."""
        delivery = self.deliveries.popleft()
        self._octets_taken += len(delivery.payload)
        return delivery


class Subscriber:
    """A worker's connections to the broker; they reconnect for as long as it is started."""

    def __init__(self, broker: BrokerAddress, client_id: str, now: Callable[[], datetime]) -> None:
        self.subscribed = threading.Event()
        self._now = now
        self._live, self._backlog = _Line(), _Line()
        self._some, self._many = threading.Event(), threading.Event()  # something waits; a whole batch does
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
        return len(self._live.deliveries) + len(self._backlog.deliveries)

    def collect(self, timeout_s: float) -> Sequence[Delivery]:
        """A batch: the first message within the timeout, and what follows within the linger; empty where none came.

        One thread collects at a time; the others wait for their turn.
        """
        with self._collecting:
            return self._collect(timeout_s)

    def _collect(self, timeout_s: float) -> Sequence[Delivery]:
        if not self._some.wait(timeout_s):
            return []
        self._linger()
        self._some.clear()
        self._many.clear()
        batch, octets = list[Delivery](), 0
        while self.waiting and len(batch) < BATCH_MESSAGES and octets < BATCH_OCTETS:
            batch.append((self._live if self._live.deliveries else self._backlog).take())
            octets += len(batch[-1].payload)
        if self.waiting:
            self._some.set()
        return batch

    def _linger(self) -> None:
        # To take over each message as it comes would mean to go to and fro between two threads for each; hence pauses.
        ends_at, seen = monotonic() + LONGEST_S, 0
        while seen < self.waiting and not self._is_full and (left_s := ends_at - monotonic()) > 0:
            seen = self.waiting
            self._many.wait(min(LINGER_S, left_s))

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

    def publish_command(self, topic: str, payload: bytes, expires_in_s: int) -> None:
        """Send one message that means nothing after so long."""
        self._lanes[0].publish_expiring(topic, payload, expires_in_s)

    def _lane(self, broker: BrokerAddress, name: str, channels: Sequence[str], into: "_Line") -> Lane:
        filters = names.shared(broker.password, *channels)
        return Lane(broker, names.session(name), filters, self._take_into(into), self._heard)

    @property
    def _is_full(self) -> bool:
        return self.waiting >= BATCH_MESSAGES or self._live.octets + self._backlog.octets >= BATCH_OCTETS

    def _take_into(self, line: "_Line") -> OnMessage:
        def take(source: Lane, message: Message) -> None:
            line.put(_delivery(source, message, self._now()))
            if not self._some.is_set():
                self._some.set()
            if self._is_full and not self._many.is_set():
                self._many.set()

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
    published = message.published
    _, _, gateway_id, channel = published.topic.split("/")
    readings: Decoded | Undecoded | None = None
    if channel != "status":
        readings = decode(
            Arrival(
                gateway_id=gateway_id,
                payload=published.payload,
                correlation=published.correlation,
                received_at=received_at,
                kept_s=_kept_s(published.expires_in_s),
            )
        )
    return Delivery(
        gateway_id=gateway_id,
        channel=channel,
        payload=published.payload,
        received_at=received_at,
        lane=lane,
        connection=message.connection,
        packet_id=published.packet_id,
        readings=readings,
    )
