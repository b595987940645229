"""From the outbox to the broker, receipts and commands back; the only file here that imports paho.

A PUBACK frees nothing. What is published stays in the outbox until its receipt, and is published again where none has
come in time (doubling), and after every reconnect, because the broker may have lost all it knew.

Threads: paho runs its own network loop in one thread. The alternative, driving paho from the event loop, was refused:
paho resolves names, connects and shakes hands over TLS with blocking calls, and a clinic's dead network would stall a
meter's answer. Everything else happens on the event loop's thread; paho's callbacks only hand over.

One truth: paho's own queue of unacknowledged messages is dropped at each connection; the outbox knows better.

Who we are there: a certificate (`use_identity`), at any time a new one; or, for a broker without, a password.
"""

import asyncio
import logging
import math
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.config import Mqtt
from gateway.heartbeat import LAST_WILL
from gateway.outbox import Lane, Outbox, OutboxError, Outgoing
from gateway.waiting import Waiting
from gateway.wire import v1

log = logging.getLogger(__name__)

# Messages in flight per lane. Two windows: neither lane waits for the other.
WINDOW = 4
# A message that was published so often without a receipt leaves its window: whatever is wrong with it, or with the
# far side, must not hold up what was measured since. It stays in flight, and is published ever more rarely.
STUCK_AFTER = 2
# The broker keeps our subscription, and receipts that come meanwhile, for a week.
SESSION_EXPIRY_S = 7 * 24 * 3600
KEEPALIVE_S = 30
RECONNECT_MIN_S = 1
PORT, TLS_PORT = 1883, 8883
RECEIPT_TIMEOUT_MAX_S = 3600.0
# After a failure of the outbox (disk full): how long until it is tried again.
OUTBOX_RETRY_S = 10.0
# Receipts that could not be written down (disk full) are kept for then; those beyond come again with their messages.
MAX_RECEIPTS_KEPT = 500
# "No matching subscribers": the broker took the message and threw it away.
NOBODY_SUBSCRIBED = 0x10
NOBODY_RETRY_S, NOBODY_RETRY_MAX_S = 1.0, 30.0


@dataclass(slots=True)
class _Flight:
    """A message that waits for its receipt."""

    lane: Lane
    deadline: float  # monotonic
    attempt: int  # 0 for the first publication on this connection
    mid: int = 0  # paho's number of the publication
    unheard: int = 0  # how often the broker had nobody to give it to
    first_sent: float | None = None  # monotonic; None where it was sent before this connection, or this process


class Publisher:
    """Publishes what the outbox holds, for as long as ``run`` runs."""

    def __init__(
        self,
        outbox: Outbox,
        gateway_id: str,
        mqtt: Mqtt,
        password: str | None,
        *,
        status: Callable[[], v1.StatusMessage],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        by_certificate: bool = False,
        receipt_timeout_s: float = 30.0,
        reconnect_max_s: float = 60.0,
        on_receipt: Callable[[datetime, float | None], None] = lambda _, __: None,
        on_command: Callable[[bytes, int | None], None] = lambda _, __: None,
        waiting: Waiting | None = None,
    ) -> None:
        self._outbox = outbox
        self._gateway_id = gateway_id
        self._mqtt = mqtt
        self._by_certificate = by_certificate
        self._status = status
        self._now = now
        self._monotonic = monotonic
        self._receipt_timeout_s = receipt_timeout_s
        self._on_receipt = on_receipt
        self._on_command = on_command
        self._waiting = waiting or Waiting(now, monotonic)
        self._flights: dict[str, _Flight] = {}
        self._resumed = False
        self._receipts: list[v1.ReceiptsMessage] = []
        self._nobody_listens = False
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.connected = asyncio.Event()
        self._reconnect_max_s = reconnect_max_s
        self._client = self._make_client(password)
        self._tls: ssl.SSLContext | None = None  # to come in with, next
        self._refusal: str | None = None

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    def use_identity(self, context: ssl.SSLContext) -> None:
        """Meet the broker with this certificate from now on; a connection that stands is made anew."""
        self._tls = context
        self._wake.set()

    def say_status(self) -> None:
        """Publish how the gateway is, if the broker can be reached."""
        if not self.connected.is_set():
            return
        try:
            payload = v1.encode(self._status())
        except OutboxError as error:
            log.error("no heartbeat: %s", error)
            return
        self._client.publish(v1.topic(self._gateway_id, "status"), payload, qos=1)

    async def run(self) -> None:
        """Connect, publish, free; until cancelled, then say good-bye.

        With certificates, nobody is connected to before the first `use_identity`.
        """
        if not self._by_certificate:
            self._connect(self._mqtt.port or PORT)
        try:
            while True:
                if self._tls is not None:
                    context, self._tls = self._tls, None
                    await self._come_in_with(context)
                await self._wait(self._turn())
        finally:
            # Reason 4: the broker says the last will for us, so that "offline" is seen at once.
            self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=4))
            await asyncio.to_thread(self._client.loop_stop)

    def _connect(self, port: int) -> None:
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        self._client.connect_async(
            self._mqtt.host, port, keepalive=KEEPALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()

    async def _come_in_with(self, context: ssl.SSLContext) -> None:
        """Our session at the broker stays; what has no receipt is published again, as after every reconnection."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self.connected.clear()
        self._client = self._make_client(None)
        self._client.tls_set_context(context)
        self._connect(self._mqtt.port or TLS_PORT)

    def _turn(self) -> float | None:
        """One round; how long the next may wait, in seconds (None: until something happens)."""
        self._wake.clear()
        try:
            self._free_receipted()
            if self.connected.is_set():
                self._resume()
                self._publish_overdue()
                self._publish_waiting()
        except OutboxError as error:
            log.error("%s; trying again in %g s", error, OUTBOX_RETRY_S)
            return OUTBOX_RETRY_S
        if not self.connected.is_set() or not self._flights:
            return None
        return max(0.0, min(flight.deadline for flight in self._flights.values()) - self._monotonic())

    async def _wait(self, timeout_s: float | None) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            pass  # a receipt is overdue

    def _free_receipted(self) -> None:
        if not self._receipts:
            return
        freed = self._outbox.free(self._receipts)
        log.info("%d readings freed by %d receipts", freed, len(self._receipts))
        self._receipts.clear()
        open_messages = self._outbox.in_flight()
        self._flights = {key: flight for key, flight in self._flights.items() if key in open_messages}
        if self._nobody_listens:
            self._nobody_listens = False
            for flight in self._flights.values():
                flight.deadline = min(flight.deadline, self._monotonic()) if flight.unheard else flight.deadline

    def _resume(self) -> None:
        """Once per connection: whatever has no receipt yet is due."""
        if not self._resumed:
            now = self._monotonic()
            self._flights = {m: _Flight(lane, now, -1) for m, lane in self._outbox.in_flight().items()}
            self._resumed = True

    def _publish_overdue(self) -> None:
        now = self._monotonic()
        for message_id, flight in list(self._flights.items()):
            if flight.deadline <= now:
                outgoing = self._outbox.message(message_id)
                if outgoing is None:
                    del self._flights[message_id]
                else:
                    self._publish(outgoing, flight)

    def _publish_waiting(self) -> None:
        for lane in Lane:
            in_flight = sum(f.lane is lane and f.attempt < STUCK_AFTER for f in self._flights.values())
            for _ in range(WINDOW - in_flight):
                outgoing = self._next(lane)
                if outgoing is None:
                    break
                self._publish(outgoing, _Flight(lane, 0.0, -1, first_sent=self._monotonic()))

    def _next(self, lane: Lane) -> Outgoing | None:
        """Readings; behind the backlog the sessions that have ended."""
        outgoing = self._outbox.claim(lane)
        return self._outbox.claim_ended() if outgoing is None and lane is Lane.BACKFILL else outgoing

    def _publish(self, outgoing: Outgoing, before: _Flight) -> None:
        message = v1.ReadingsMessage(
            v=v1.VERSION,
            message_id=outgoing.message_id,
            session=outgoing.session,
            readings=outgoing.readings,
            waited_s=self._waiting.oldest_s(outgoing.session.session_id, outgoing.readings),
        )
        properties = _properties(PacketTypes.PUBLISH)
        properties.CorrelationData = bytes.fromhex(outgoing.message_id)
        properties.MessageExpiryInterval = v1.MESSAGE_EXPIRY_S
        channel: Literal["live", "readings"] = "live" if outgoing.lane is Lane.LIVE else "readings"
        topic = v1.topic(self._gateway_id, channel)
        mid = self._client.publish(topic, v1.encode(message), qos=1, properties=properties).mid
        attempt = before.attempt + 1
        timeout_s = min(math.ldexp(self._receipt_timeout_s, min(attempt, 20)), RECEIPT_TIMEOUT_MAX_S)
        deadline = self._monotonic() + timeout_s
        self._flights[outgoing.message_id] = replace(before, deadline=deadline, attempt=attempt, mid=mid)
        what = f"{len(outgoing.readings)} readings" if outgoing.readings else "the end of a session"
        log.info("published %s, %s lane%s", what, outgoing.lane, ", again" if attempt else "")

    # On the event loop's thread, called from paho's ----------------------------------------------------------------

    def _arrived(self) -> None:
        log.info("connected to the broker")
        self._refusal = None
        self._resumed = False
        self.connected.set()
        self._wake.set()
        self.say_status()

    def _say_refusal(self, text: str) -> None:
        """Once, however often it is tried again."""
        if text != self._refusal:
            log.error("%s; it is tried again", text)
            self._refusal = text

    def _departed(self, reason: str) -> None:
        if self.connected.is_set():
            log.warning("lost the broker: %s", reason)
        elif self._refusal is None:
            self._say_refusal(f"the broker hung up before it let us in ({reason})")
        self.connected.clear()

    def _received(self, payload: bytes) -> None:
        try:
            receipt = v1.decode_receipts(payload)
        except v1.WireError as error:
            log.error("a receipt that cannot be read: %s", error)
            return
        flight = self._flights.get(receipt.message_id)
        first_sent = flight.first_sent if flight is not None else None
        self._on_receipt(receipt.committed_at, None if first_sent is None else self._monotonic() - first_sent)
        self._receipts.append(receipt)
        del self._receipts[:-MAX_RECEIPTS_KEPT]
        self._wake.set()

    def _unheard(self, mid: int) -> None:
        """Nobody subscribed to a message: it was as good as never sent, and is due again soon, ever less soon."""
        flight = next((flight for flight in self._flights.values() if flight.mid == mid), None)
        if flight is None:
            return  # a heartbeat
        if not self._nobody_listens:
            log.warning("the broker has nobody to give our readings to: they are kept, and published until somebody is")
            self._nobody_listens = True
        flight.attempt -= 1
        pause_s = min(math.ldexp(NOBODY_RETRY_S, min(flight.unheard, 20)), NOBODY_RETRY_MAX_S)
        flight.unheard += 1
        flight.deadline = self._monotonic() + pause_s
        self._wake.set()

    # On paho's thread ---------------------------------------------------------------------------------------------

    def _make_client(self, password: str | None) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._gateway_id, protocol=MQTTProtocolVersion.MQTTv5)
        if password is not None:
            client.username_pw_set(self._mqtt.username or self._gateway_id, password)
        client.will_set(v1.topic(self._gateway_id, "status"), v1.encode(LAST_WILL), qos=1)
        client.reconnect_delay_set(RECONNECT_MIN_S, max(RECONNECT_MIN_S, round(self._reconnect_max_s)))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_connect_fail = self._on_connect_fail
        client.on_log = self._on_log
        return client

    def _on_connect(
        self, client: Client, _: object, __: ConnectFlags, reason: ReasonCode, ___: Properties | None
    ) -> None:
        if reason.is_failure:
            log.error("the broker refuses us: %s", reason)
            return
        client.drop_out_messages()
        client.subscribe([(v1.topic(self._gateway_id, channel), 1) for channel in ("receipts", "commands")])

    def _on_subscribe(
        self, _: Client, __: object, ___: int, reasons: list[ReasonCode], ____: Properties | None
    ) -> None:
        # Published before the subscription stands, a receipt could be missed.
        if any(reason.is_failure for reason in reasons):
            log.error("the broker refuses our subscription to receipts and commands: nothing will be freed")
        self._loop.call_soon_threadsafe(self._arrived)

    def _on_disconnect(
        self, _: Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: Properties | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._departed, str(reason))

    def _on_connect_fail(self, _: Client, __: object) -> None:
        """paho calls it where it caught the error, and does not pass it on."""
        self._loop.call_soon_threadsafe(self._say_refusal, f"the broker cannot be reached: {sys.exc_info()[1]}")

    def _on_log(self, _: Client, __: object, level: int, text: str) -> None:
        """A certificate that the broker refuses shows here, after the handshake (TLS 1.3), and nowhere else."""
        if level == LogLevel.MQTT_LOG_ERR and "ALERT" in text:
            self._loop.call_soon_threadsafe(self._say_refusal, _refusal(text))

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        if message.topic.endswith("/commands"):
            expires_in_s = getattr(message.properties, "MessageExpiryInterval", None)
            self._loop.call_soon_threadsafe(self._on_command, bytes(message.payload), expires_in_s)
        else:
            self._loop.call_soon_threadsafe(self._received, bytes(message.payload))

    def _on_publish(self, _: Client, __: object, mid: int, reason: ReasonCode, ___: Properties | None) -> None:
        if reason.value == NOBODY_SUBSCRIBED:
            self._loop.call_soon_threadsafe(self._unheard, mid)
        elif reason.is_failure:
            log.error("the broker refused a message: %s", reason)


def _refusal(text: str) -> str:
    """What OpenSSL's alert means, and what to do."""
    for alert, meaning in (
        ("REVOKED", "is revoked"),
        ("EXPIRED", "has expired"),
        ("UNKNOWN_CA", "is another clinic's"),
    ):
        if alert in text:
            return f"the broker refuses our certificate: it {meaning}; enrol this gateway again, with a new code"
    return f"the broker refuses our certificate ({text})"


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]  # paho's only untyped class
