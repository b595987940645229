"""The subscriber's two lanes, on a real broker."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cloud import clock
from cloud.config import BrokerAddress
from cloud.ingest.subscriber import Subscriber
from deploy.bench.mqtt import MqttClient
from deploy.services.source import OwnBroker
from gateway.wire import v1
from tests.cloud.made import GATEWAY, glucose, message


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
