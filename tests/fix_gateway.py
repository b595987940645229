"""A cloud of a few lines, on the real broker: it takes readings messages and answers with receipts when told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from deploy.services.source import OwnBroker
from gateway import clock
from gateway.wire import v1

GATEWAY_ID = "gw-under-test"


class FakeCloud:
    """The imitation of ``cloud.ingest``: user "ingest", the same topics, receipts by hand or at once."""

    def __init__(self, broker: OwnBroker) -> None:
        self._password = broker.add_user("ingest")
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Condition()
        self._subscribed = asyncio.Event()
        self.messages: list[v1.ReadingsMessage] = []
        self.correlations: list[bytes] = []
        self.expiries: list[int | None] = []  # what is left of them, in seconds
        self.topics: list[str] = []
        self.statuses: list[v1.StatusMessage] = []
        self.answering = True

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["FakeCloud"]:
        client = Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=MQTTProtocolVersion.MQTTv5)
        client.username_pw_set("ingest", self._password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.reconnect_delay_set(1, 1)
        self._client = client
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's only untyped class
        session.SessionExpiryInterval = 3600
        client.connect_async(self._broker.host, self._broker.port, clean_start=False, properties=session)
        client.loop_start()
        try:
            await asyncio.wait_for(self._subscribed.wait(), 10)
            yield self
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    async def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait until something that arrived makes the condition true."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(condition)

    def received(self) -> set[str]:
        """The ids of all readings that arrived."""
        return {reading.reading_id for message in self.messages for reading in message.readings}

    def answer(self, message: v1.ReadingsMessage, fate: v1.Fate = v1.Fate.STORED, gateway_id: str = GATEWAY_ID) -> None:
        """Send the receipt of one message."""
        receipts = tuple(v1.Receipt(reading_id=reading.reading_id, fate=fate) for reading in message.readings)
        self.send(
            v1.ReceiptsMessage(v=1, message_id=message.message_id, committed_at=clock.now(), receipts=receipts),
            gateway_id,
        )

    def send(self, receipts: v1.ReceiptsMessage, gateway_id: str = GATEWAY_ID) -> None:
        """Send any receipt."""
        self.send_octets(v1.encode(receipts), gateway_id)

    def send_octets(self, payload: bytes, gateway_id: str = GATEWAY_ID) -> None:
        """Send anything at all where a receipt belongs."""
        self._client.publish(v1.topic(gateway_id, "receipts"), payload, qos=1)

    def command(self, message: v1.CommandsMessage, gateway_id: str = GATEWAY_ID) -> None:
        """Have a gateway do something."""
        self._client.publish(v1.topic(gateway_id, "commands"), v1.encode(message), qos=1)

    def _on_connect(
        self, client: Client, _: object, __: ConnectFlags, ___: ReasonCode, ____: Properties | None
    ) -> None:
        client.subscribe([("phg/v1/+/live", 1), ("phg/v1/+/readings", 1), ("phg/v1/+/status", 1)])

    def _on_subscribe(self, _: Client, __: object, ___: int, ____: list[ReasonCode], _____: Properties | None) -> None:
        self._loop.call_soon_threadsafe(self._subscribed.set)

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._take, message)

    def _take(self, message: MQTTMessage) -> None:
        if message.topic.endswith("/status"):
            self.statuses.append(v1.decode_status(bytes(message.payload)))
        else:
            readings = v1.decode_readings(bytes(message.payload))
            self.messages.append(readings)
            self.topics.append(message.topic)
            self.correlations.append(getattr(message.properties, "CorrelationData", b""))
            self.expiries.append(getattr(message.properties, "MessageExpiryInterval", None))
            if self.answering:
                self.answer(readings, gateway_id=message.topic.split("/")[2])
        self._loop.create_task(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@pytest.fixture
async def cloud(broker: OwnBroker) -> AsyncIterator[FakeCloud]:
    """Connected and subscribed."""
    async with FakeCloud(broker).connected() as connected:
        yield connected


async def eventually(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Yield to the event loop until a condition holds that tells nobody when it changes."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 -- the outbox tells nobody
            await asyncio.sleep(0.01)
