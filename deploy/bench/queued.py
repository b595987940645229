"""A prefilled queue, and two ways of draining it: our ingest, and a bare subscriber that does nothing at all."""

import asyncio
import json
from collections.abc import Iterable, Sequence

from cloud.ingest import names
from cloud.ingest.subscriber import BACKLOG
from deploy.bench import clock
from deploy.bench.homes import Home
from deploy.bench.messages import messages
from deploy.bench.mqtt import MqttClient
from deploy.bench.stage import GATEWAY, Stage
from deploy.demo import processes
from gateway.wire import v1

# Longer than any filling takes: the broker keeps the queue for the subscriber that is to come.
RESERVED_S = 3600
DRAINED_WITHIN_S = 300.0
# Of one round with full messages.
BATCH_READINGS = 60_000
ONE_WORKER = ("ingest-1",)
TWO_WORKERS = ("ingest-1", "ingest-2")


async def fill(stage: Stage, workers: Sequence[str], messages: Iterable[tuple[Home, v1.ReadingsMessage]]) -> int:
    """Publish messages for workers that will come; how many readings lie in the queue when it returns."""
    password = stage.road.services.ingest_password
    for worker in workers:
        client = await MqttClient.open(
            stage.broker,
            "ingest",
            password,
            client_id=names.session(f"{GATEWAY}-{worker}"),
            session_expiry_s=RESERVED_S,
        )
        await client.subscribe(names.shared(password, *BACKLOG))
        client.close()
    readings = 0
    for home, message in messages:
        gateway = stage.gateways.get(home.gateway_id) or await stage.connect(home)
        await gateway.publish(
            v1.topic(home.gateway_id, "readings"), v1.encode(message), bytes.fromhex(message.message_id)
        )
        readings += len(message.readings)
    for gateway in stage.gateways.values():
        await gateway.settled()
    return readings


async def drained_by_ingest(stage: Stage, workers: Sequence[str], readings: int) -> float:
    """Readings receipted a second by these workers, started now and stopped afterwards."""
    stage.receipted.expect(readings)
    await asyncio.gather(*(stage.road.ingest(worker) for worker in workers))
    async with asyncio.timeout(DRAINED_WITHIN_S):
        await stage.receipted.done.wait()
    for worker in workers:
        await stage.ended(worker)
    return stage.receipted.rate


async def drained_by_bare_subscriber(stage: Stage, worker: str, messages: int) -> float:
    """Messages acknowledged a second by a paho client that does nothing else."""
    child = await processes.start(
        "bare-subscriber",
        "-m", "deploy.bench.bare_subscriber",
        log_dir=stage.road.logs,
        env={
            "PULSEPOST_DATABASE_URL": stage.road.services.ingest_url,
            "PULSEPOST_MQTT_URL": stage.road.services.mqtt_url,
            "PULSEPOST_INGEST_CLIENT_ID": f"{GATEWAY}-{worker}",
            "BENCH_MESSAGES": str(messages),
        },
        ready='"rate"',
        timeout_s=DRAINED_WITHIN_S,
    )  # fmt: skip
    await child.stop()
    rate: float = json.loads(child.said[-1])["rate"]
    return rate


async def drained_backlog(stage: Stage, number: int, readings: int, workers: Sequence[str] = ONE_WORKER) -> float:
    """Fill the queue with the ``number``th backlog, in full messages, and drain it; readings a second."""
    each = max(v1.MAX_READINGS, readings // len(stage.homes))
    numbers = range(number * each, (number + 1) * each)
    queued = await fill(stage, workers, messages(stage.homes, numbers, v1.MAX_READINGS, clock.now()))
    return await drained_by_ingest(stage, workers, queued)
