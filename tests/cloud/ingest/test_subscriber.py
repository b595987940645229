"""The subscriber's two lanes, on a real broker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from cloud import clock
from cloud.config import BrokerAddress
from cloud.ingest import names
from cloud.ingest.arrivals import Decoded
from cloud.ingest.subscriber import Subscriber
from deploy.bench.mqtt import MqttClient
from deploy.services.source import OwnBroker
from gateway.wire import v1
from tests.cloud.ingest.running import Gateway
from tests.cloud.made import GATEWAY, arrival, glucose, message


@pytest.fixture
async def subscriber(broker: OwnBroker) -> AsyncIterator[Subscriber]:
    address = BrokerAddress(host=broker.host, port=broker.port, username="ingest", password=broker.add_user("ingest"))
    started = Subscriber(address, "ingest-under-test", clock.now)
    started.start()
    assert await asyncio.to_thread(started.subscribed.wait, 10)
    yield started
    await asyncio.to_thread(started.stop)


async def test_what_is_live_is_collected_before_a_backlog_that_came_first(
    broker: OwnBroker, subscriber: Subscriber
) -> None:
    gateway = await MqttClient.open(broker, GATEWAY, broker.add_user(GATEWAY))
    payload = v1.encode(message(glucose()))
    for _ in range(3):
        await gateway.publish(v1.topic(GATEWAY, "readings"), payload)
    await gateway.settled()
    await gateway.publish(v1.topic(GATEWAY, "live"), payload)
    await gateway.publish(v1.topic(GATEWAY, "status"), v1.encode(v1.StatusMessage(v=1, state="online")))
    async with asyncio.timeout(10):
        while subscriber.waiting < 5:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.01)
    collected = subscriber.collect(0)
    assert [delivery.channel for delivery in collected] == ["live", "status", "readings", "readings", "readings"]
    assert [delivery.readings is None for delivery in collected] == [False, True, False, False, False]
    gateway.close()


async def test_what_the_broker_kept_while_the_ingest_was_away_has_waited_so_long(broker: OwnBroker) -> None:
    password = broker.add_user("ingest")
    session = names.session("ingest-under-test")
    before = await MqttClient.open(broker, "ingest", password, client_id=session, session_expiry_s=60)
    await before.subscribe(names.shared(password, "readings"))
    before.close()
    await before.closed()

    gateway = Gateway(broker, broker.add_user(GATEWAY))
    began = clock.now()
    gateway.send(arrival(msgspec.structs.replace(message(glucose()), waited_s=40.5)))
    async with asyncio.timeout(10):
        while clock.now() - began < timedelta(seconds=2.5):  # noqa: ASYNC110 -- time itself tells nobody
            await asyncio.sleep(0.05)

    address = BrokerAddress(host=broker.host, port=broker.port, username="ingest", password=password)
    after = Subscriber(address, "ingest-under-test", clock.now)
    after.start()
    [delivery] = await asyncio.to_thread(after.collect, 10)
    took = clock.now() - began
    await asyncio.to_thread(after.stop)
    gateway.close()

    assert isinstance(delivery.readings, Decoded)
    waited = delivery.readings.evidence.waited
    assert waited is not None
    # The broker counts in whole seconds of its clock.
    assert timedelta(seconds=42.5) <= waited <= timedelta(seconds=41.5) + took
