"""The broker, as ingest sees it: the only file of the cloud that imports paho.

MQTT 5, shared subscriptions for all workers, acknowledged by hand after the commit. Two lanes, each a connection of its
own, because a broker hands the messages of one connection over in the order in which they came: what is live, and what
gateways say about themselves, never waits behind a backlog. paho's own threads read the sockets and keep the
connections alive, also while the database is away; ``collect`` hands over what came, the live lane first. Those threads
decode, too: they have time for it while the worker's waits for the database.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud.config import BrokerAddress
from cloud.ingest.arrivals import Arrival, Decoded, Undecoded, decode

log = logging.getLogger(__name__)

LIVE_FILTERS = tuple(f"$share/ingest/phg/v1/+/{channel}" for channel in ("live", "status"))
BACKLOG_FILTERS = ("$share/ingest/phg/v1/+/readings",)
# How long the broker keeps the queue of a worker that died. Long enough for a restart, and no longer: a broker deals
# its share of the messages to a worker that is away as well (Mosquitto 2.0 does, measured), and there they wait.
# When the session expires, gateways miss their receipts and send again through another worker.
SESSION_EXPIRY_S = 20
LEAVE_TIMEOUT_S = 2.0
# Messages that the broker may have out with us unacknowledged: one batch in the database and one that is being decoded.
# It bounds our memory while the database is away: some 100 MB, decoded, if all of them are full.
RECEIVE_MAXIMUM = 1000
KEEPALIVE_S = 20
# A batch ends at whichever comes first. The wait is what a lone reading pays.
BATCH_MESSAGES = 500
BATCH_OCTETS = 512 * 1024
LINGER_S = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message; ``lane``, ``mid`` and ``connection`` say how to acknowledge it."""

    gateway_id: str
    channel: str
    payload: bytes
    received_at: datetime
    lane: "_Lane"
    mid: int
    connection: int
    readings: Decoded | Undecoded | None = None  # what the payload says; None on other channels


class Subscriber:
    """A worker's connections to the broker; they reconnect for as long as it is started."""

    def __init__(self, broker: BrokerAddress, client_id: str, now: Callable[[], datetime]) -> None:
        self.subscribed = threading.Event()
        self._now = now
        self._live: deque[Delivery] = deque()
        self._backlog: deque[Delivery] = deque()
        self._arrived: queue.SimpleQueue[None] = queue.SimpleQueue()  # one for each delivery of either lane
        self._lanes = (
            _Lane(broker, f"{client_id}-live", LIVE_FILTERS, self._take_into(self._live), self._heard),
            _Lane(broker, client_id, BACKLOG_FILTERS, self._take_into(self._backlog), self._heard),
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
        """A batch: the first message within the timeout, and what follows within the linger; empty where none came."""
        try:
            batch = [self._next(timeout_s)]
        except queue.Empty:
            return []
        octets = len(batch[0].payload)
        until = monotonic() + LINGER_S
        while len(batch) < BATCH_MESSAGES and octets < BATCH_OCTETS:
            try:
                batch.append(self._next(max(0.0, until - monotonic())))
            except queue.Empty:
                break
            octets += len(batch[-1].payload)
        return batch

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """PUBACK. A message of an earlier connection comes again by itself: its mid now means another message."""
        for delivery in deliveries:
            delivery.lane.acknowledge(delivery)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 1, now or when the broker is back."""
        self._lanes[0].publish(topic, payload)

    def _next(self, timeout_s: float) -> Delivery:
        self._arrived.get(timeout=timeout_s)
        return (self._live or self._backlog).popleft()

    def _take_into(self, lane: "deque[Delivery]") -> "Callable[[_Lane, MQTTMessage], None]":
        def take(source: _Lane, message: MQTTMessage) -> None:
            lane.append(_delivery(source, message, self._now()))
            self._arrived.put(None)

        return take

    def _heard(self) -> None:
        if all(lane.subscribed.is_set() for lane in self._lanes):
            self.subscribed.set()
        else:
            self.subscribed.clear()


def _delivery(lane: "_Lane", message: MQTTMessage, received_at: datetime) -> Delivery:
    _, _, gateway_id, channel = message.topic.split("/")
    arrival = Arrival(
        gateway_id=gateway_id,
        payload=bytes(message.payload),
        correlation=getattr(message.properties, "CorrelationData", b""),
        received_at=received_at,
    )
    return Delivery(
        gateway_id=gateway_id,
        channel=channel,
        payload=arrival.payload,
        received_at=received_at,
        lane=lane,
        mid=message.mid,
        connection=lane.connection,
        readings=None if channel == "status" else decode(arrival),
    )


class _Lane:
    """One connection with its shared subscriptions. Its callbacks are called by paho's thread."""

    def __init__(
        self,
        broker: BrokerAddress,
        client_id: str,
        topic_filters: Sequence[str],
        on_message: "Callable[[_Lane, MQTTMessage], None]",
        on_change: Callable[[], None],
    ) -> None:
        self.subscribed = threading.Event()
        self.connection = 0
        self._broker = broker
        self._topic_filters = topic_filters
        self._left = threading.Event()
        self._on_change = on_change
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
        )
        if broker.username:
            self._client.username_pw_set(broker.username, broker.password)
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = lambda *_: self._left.set()
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = lambda _, __, message: on_message(self, message)

    def start(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def leave(self) -> None:
        if self.subscribed.is_set():
            self._client.unsubscribe(list(self._topic_filters))
            self._left.wait(LEAVE_TIMEOUT_S)

    def stop(self) -> None:
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def acknowledge(self, delivery: Delivery) -> None:
        if delivery.connection == self.connection:
            self._client.ack(delivery.mid, qos=1)

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def _on_connect(
        self, client: Client, userdata: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        del userdata, flags, properties
        if reason.is_failure:
            log.error("the broker refused us: %s", reason)
            return
        self.connection += 1
        options = SubscribeOptions(qos=1)
        client.subscribe([(topic_filter, options) for topic_filter in self._topic_filters])

    def _on_subscribe(
        self,
        client: Client,
        userdata: object,
        mid: int,
        reasons: Sequence[ReasonCode],
        properties: Properties | None,
    ) -> None:
        del client, userdata, mid, properties
        if any(reason.is_failure for reason in reasons):
            log.error("the broker refused a subscription: %s", ", ".join(map(str, reasons)))
            return
        log.info("subscribed to %s", ", ".join(self._topic_filters))
        self.subscribed.set()
        self._on_change()

    def _on_disconnect(
        self,
        client: Client,
        userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        self.subscribed.clear()
        self._on_change()
        log.warning("the broker is away: %s", reason)
