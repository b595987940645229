"""One connection to the broker with its shared subscriptions; the only file of the ingest that imports paho.

paho's own thread reads, keeps the connection alive and makes it anew, also while the database is away. Between it and
its socket is a buffer of ours (``cloud.ingest.buffered``): its public ``loop_read``, ``loop_write`` and ``want_write``
are extended, and ``_create_socket`` is the one private method that this rests on.
"""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import msgspec
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud.config import BrokerAddress
from cloud.ingest.buffered import BufferedSocket, Published

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
# So many packets of what has come, before what is to be written has its turn.
PACKETS_A_TURN = 200
FIRST_RETRY_S, LAST_RETRY_S = 1, 5


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came, and over which of our connections: its packet id means it on this one alone."""

    published: Published
    connection: int


OnMessage = Callable[["Lane", Message], None]


class _BufferedClient(Client):
    """paho's client, MQTT 5, manual acknowledgements, on a ``BufferedSocket``.

    ``on_published`` is called by its thread with each message at QoS 1; what has another form comes by ``on_message``.
    """

    def __init__(self, client_id: str, on_published: Callable[[Published], None]) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
        )
        self._on_published = on_published
        self._buffered: BufferedSocket | None = None

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """PUBACK all of them in one piece."""
        if self._buffered is not None and packet_ids:
            self._buffered.acknowledge(packet_ids[:-1])
            self.ack(packet_ids[-1], qos=1)  # the last one by paho, which wakes its thread

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Everything that has come, up to ``PACKETS_A_TURN``; not one packet."""
        came = self._buffered
        if came is None:
            return super().loop_read(max_packets)
        came.fill()
        for _ in range(PACKETS_A_TURN):
            body = came.packet()
            if body is None:
                break
            published = came.published(*body)
            if published is not None:
                self._on_published(published)
                continue
            came.pass_on(body[1])
            code = super().loop_read(max_packets)
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or came is not self._buffered:
                return code
        # Nothing is passed on here: paho asks for what is wrong with the connection, if anything is.
        return super().loop_read(max_packets)

    def loop_write(self) -> MQTTErrorCode:
        """Everything that is to be written, in one piece."""
        code = super().loop_write()
        if self._buffered is not None:
            self._buffered.flush()
        return code

    def want_write(self) -> bool:
        """Also while the connection did not take all that was written."""
        return super().want_write() or (self._buffered is not None and self._buffered.unsent)

    def _create_socket(self) -> BufferedSocket:
        self._buffered = BufferedSocket(cast(socket.socket, super()._create_socket()))
        return self._buffered


class Lane:
    """Connected for as long as it is started. Both callbacks are called by paho's thread."""

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
        self._topic_filters = topic_filters
        self._take = on_message
        self._on_change = on_change
        self._left = threading.Event()
        self._connection = 0
        self._client = _BufferedClient(client_id, self._on_published)
        if broker.username:
            self._client.username_pw_set(broker.username, broker.password)
        self._client.reconnect_delay_set(min_delay=FIRST_RETRY_S, max_delay=LAST_RETRY_S)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = lambda *_: self._left.set()
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect in the background, now or as soon as the broker answers."""
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def leave(self) -> None:
        """Take no more messages."""
        if self.subscribed.is_set():
            self._client.unsubscribe(list(self._topic_filters))
            self._left.wait(LEAVE_TIMEOUT_S)

    def stop(self) -> None:
        """Disconnect for good: the broker forgets our session, so that no message is dealt to it any more."""
        properties = _properties(PacketTypes.DISCONNECT)
        properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def acknowledge(self, connection: int, packet_ids: Sequence[int]) -> None:
        """PUBACK. A message of an earlier connection comes again by itself: its id now means another message."""
        if connection == self._connection:
            self._client.acknowledge(packet_ids)

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send at QoS 1, topic and payload, now or when the broker is back; again if it does not say that it has it."""
        for topic, payload in messages:
            self._client.publish(topic, payload, qos=1)

    def publish_expiring(self, topic: str, payload: bytes, expires_in_s: int) -> None:
        """The same, of one message that the broker hands on for so long and no longer."""
        properties = _properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = expires_in_s
        self._client.publish(topic, payload, qos=1, properties=properties)

    # On paho's thread ---------------------------------------------------------------------------------------------

    def _on_published(self, published: Published) -> None:
        self._take(self, Message(published=published, connection=self._connection))

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        # What no gateway of ours sends, such as a property that nobody reads.
        self._on_published(
            Published(
                topic=message.topic,
                packet_id=message.mid,
                payload=bytes(message.payload),
                correlation=getattr(message.properties, "CorrelationData", b""),
                expires_in_s=getattr(message.properties, "MessageExpiryInterval", None),
            )
        )

    def _on_connect(
        self, client: Client, _: object, __: ConnectFlags, reason: ReasonCode, ___: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("the broker is away: it refused us (%s)", reason)
            return
        self._connection += 1
        client.subscribe([(topic_filter, SubscribeOptions(qos=1)) for topic_filter in self._topic_filters])

    def _on_subscribe(
        self, _: Client, __: object, ___: int, reasons: Sequence[ReasonCode], ____: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            log.error("the broker refused a subscription: %s", ", ".join(map(str, reasons)))
            return
        log.info("subscribed to %s", ", ".join(self._topic_filters))
        self.subscribed.set()
        self._on_change()

    def _on_disconnect(
        self, _: Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: Properties | None
    ) -> None:
        self._connection += 1  # what came over it can no longer be acknowledged
        self.subscribed.clear()
        self._on_change()
        log.warning("the broker is away: %s", reason)


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]  # paho leaves it untyped
