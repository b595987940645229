"""`storm`: 2,000 gateways return at once with 100 stored readings each; a critical live reading comes in each second.

All of them connect, subscribe to their receipts and publish two messages of 50, as fast as the broker takes them. A
critical reading is timed from its publication to its receipt: when that comes, its case stands in the worklist, because
both were committed together. ``lost`` counts readings that were sent and are not in the hypertable.
"""

import asyncio
from collections.abc import Sequence
from typing import LiteralString

import psycopg

from cloud.db.connect import one
from deploy.bench import clock
from deploy.bench.homes import Database, Home
from deploy.bench.messages import CRITICAL, backlog, message, reading
from deploy.bench.results import Rounds, percentile
from deploy.bench.stage import Scene, Stage, stage
from gateway.wire import v1

GATEWAYS = 2000
READINGS_EACH = 100
CRITICAL_EVERY_S = 1.0
# Critical readings come from homes of their own: each opens a case.
CRITICAL_HOMES = 120
SETTLED_WITHIN_S = 120.0

_STORED: LiteralString = "SELECT count(*) FROM glucose_observation"
_CRITICAL_CASES: LiteralString = "SELECT count(*) FROM alert_case WHERE priority = 'high'"

Prepared = Sequence[tuple[bytes, bytes]]  # payload, correlation data


async def measure(scene: Scene) -> Rounds:
    """Each round with an own database and broker."""
    rounds = Rounds()
    returning = scene.effort.of(GATEWAYS)
    for number in range(scene.effort.rounds):
        async with stage(scene, returning + CRITICAL_HOMES) as ready:
            figures = await _once(ready, returning)
        rounds.add(**figures)
        scene.say(
            f"storm {number + 1}: critical p99 {figures['critical_p99_ms']:.0f} ms of {figures['criticals']:.0f},"
            f" lost {figures['lost']:.0f}, {figures['storm_per_s']:.0f} readings/s"
        )
    return rounds


async def _once(ready: Stage, returning: int) -> dict[str, float]:
    storm = [(home, _prepared(home)) for home in ready.homes[:returning]]
    await ready.road.ingest()
    ready.receipted.expect(returning * READINGS_EACH)
    begun = clock.monotonic()
    critical = asyncio.create_task(_criticals(ready, ready.homes[returning:]))
    # All at once, as after the broker was away: the order is the broker's.
    await asyncio.gather(*(_return(ready, home, prepared) for home, prepared in storm))
    returned_s = clock.monotonic() - begun
    async with asyncio.timeout(SETTLED_WITHIN_S):
        latencies = await critical
    drained_s = ready.receipted.last_at - begun
    return {
        "critical_p99_ms": percentile(latencies, 0.99) * 1000,
        "critical_p50_ms": percentile(latencies, 0.5) * 1000,
        "lost": returning * READINGS_EACH + len(latencies) - _one(ready.database, _STORED),
        "criticals": len(latencies),
        "critical_cases": _one(ready.database, _CRITICAL_CASES),
        "returned_s": returned_s,
        "drained_s": drained_s,
        "storm_per_s": returning * READINGS_EACH / drained_s,
    }


async def _return(ready: Stage, home: Home, prepared: Prepared) -> None:
    gateway = await ready.connect(home)
    for payload, correlation in prepared:
        await gateway.publish(v1.topic(home.gateway_id, "readings"), payload, correlation)


async def _criticals(ready: Stage, homes: Sequence[Home]) -> list[float]:
    """One a second until the storm is over; seconds from publication to receipt."""
    waiting: list[asyncio.Task[float]] = []
    for home in homes:
        waiting.append(asyncio.create_task(_critical(ready, home)))
        try:
            async with asyncio.timeout(CRITICAL_EVERY_S):
                await ready.receipted.done.wait()
        except TimeoutError:
            continue
        break
    return await asyncio.gather(*waiting)


async def _critical(ready: Stage, home: Home) -> float:
    receipted = asyncio.Event()
    gateway = await ready.connect(home, on_payload=lambda _: receipted.set())
    at = clock.now()
    critical = message(home, [reading(home, at.replace(tzinfo=None), CRITICAL)], at)
    begun = clock.monotonic()
    await gateway.publish(v1.topic(home.gateway_id, "live"), v1.encode(critical), bytes.fromhex(critical.message_id))
    await receipted.wait()
    return clock.monotonic() - begun


def _prepared(home: Home) -> Prepared:
    at = clock.now()
    parts = [range(first, first + v1.MAX_READINGS) for first in range(0, READINGS_EACH, v1.MAX_READINGS)]
    made = [message(home, backlog(home, part, at), at) for part in parts]
    return [(v1.encode(one), bytes.fromhex(one.message_id)) for one in made]


def _one(database: Database, query: LiteralString) -> int:
    with psycopg.connect(database.admin_url) as connection:
        number: int = one(connection.execute(query).fetchone())[0]
        return number
