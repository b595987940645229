"""The broker, as ingest sees it: the only file of the cloud that imports paho.

MQTT 5, one shared subscription for all workers, acknowledged by hand after the commit. paho's own thread reads the
socket and keeps the connection alive, also while the database is away; ``collect`` hands over what came. That thread
decodes, too: it has time for it while the worker's waits for the database.
"""

import logging
import queue
import threading
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

TOPIC_FILTERS = tuple(f"$share/ingest/phg/v1/+/{channel}" for channel in ("readings", "status"))
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
    """One message; ``mid`` and ``connection`` say how to acknowledge it."""

    gateway_id: str
    channel: str
    payload: bytes
    received_at: datetime
    mid: int
    connection: int
    readings: Decoded | Undecoded | None = None  # what the payload says; None on other channels


class Subscriber:
    """A worker's connection to the broker; reconnects for as long as it is started."""

    def __init__(self, broker: BrokerAddress, client_id: str, now: Callable[[], datetime]) -> None:
        self.subscribed = threading.Event()
        self._left = threading.Event()
        self._now = now
        self._broker = broker
        self._arrived: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._connection = 0
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
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect in the background, now or as soon as the broker answers."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def leave(self) -> None:
        """Take no more messages; what has come already can still be collected and acknowledged."""
        if self.subscribed.is_set():
            self._client.unsubscribe(list(TOPIC_FILTERS))
            self._left.wait(LEAVE_TIMEOUT_S)

    def stop(self) -> None:
        """Disconnect for good: the broker forgets our session, so that no message is dealt to it any more."""
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def collect(self, timeout_s: float) -> Sequence[Delivery]:
        """A batch: the first message within the timeout, and what follows within the linger; empty where none came."""
        try:
            batch = [self._arrived.get(timeout=timeout_s)]
        except queue.Empty:
            return []
        octets = len(batch[0].payload)
        until = monotonic() + LINGER_S
        while len(batch) < BATCH_MESSAGES and octets < BATCH_OCTETS:
            try:
                batch.append(self._arrived.get(timeout=max(0.0, until - monotonic())))
            except queue.Empty:
                break
            octets += len(batch[-1].payload)
        return batch

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """PUBACK. A message of an earlier connection comes again by itself: its mid now means another message."""
        for delivery in deliveries:
            if delivery.connection == self._connection:
                self._client.ack(delivery.mid, qos=1)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 1, now or when the broker is back."""
        self._client.publish(topic, payload, qos=1)

    def _on_connect(
        self, client: Client, userdata: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        del userdata, flags, properties
        if reason.is_failure:
            log.error("the broker refused us: %s", reason)
            return
        self._connection += 1
        options = SubscribeOptions(qos=1)
        client.subscribe([(topic_filter, options) for topic_filter in TOPIC_FILTERS])

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
        log.info("subscribed")
        self.subscribed.set()

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
        log.warning("the broker is away: %s", reason)

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        del client, userdata
        _, _, gateway_id, channel = message.topic.split("/")
        arrival = Arrival(
            gateway_id=gateway_id,
            payload=bytes(message.payload),
            correlation=getattr(message.properties, "CorrelationData", b""),
            received_at=self._now(),
        )
        self._arrived.put(
            Delivery(
                gateway_id=gateway_id,
                channel=channel,
                payload=arrival.payload,
                received_at=arrival.received_at,
                mid=message.mid,
                connection=self._connection,
                readings=decode(arrival) if channel == "readings" else None,
            )
        )
