"""`latency`: from a reading's last byte at the gateway to the console's live stream, at 200 readings a second.

The start is ``read_at``, which the gateway writes down when a record's last byte has reached it; the end is when a
signed-in nurse's stream (GET /live) has the event. Both clocks are this machine's. Simulated meters, everything else
real; see ``metering``.
"""

import asyncio
import json
from datetime import datetime

import msgspec
import psycopg

from deploy.bench import clock
from deploy.bench.homes import NURSE, PROFILE, Database, employ_nurse
from deploy.bench.metering import HomeSpec, Spec
from deploy.bench.results import Rounds, percentile
from deploy.bench.stage import Scene, Stage, stage
from deploy.demo import processes, watch

HOMES = 50
# Each fsync of an outbox stops the homes of its process: real ones have a disk each.
PROCESSES = 5
PER_S = 200
SECONDS = 60
QUICK_SECONDS = 5
SETTLED_WITHIN_S = 60.0


async def measure(scene: Scene) -> Rounds:
    """Each round is a minute of 200 readings a second, with an own database."""
    rounds = Rounds()
    for number in range(scene.effort.rounds):
        async with stage(scene, HOMES) as ready:
            password = employ_nurse(ready.database, ready.homes, clock.now())
            figures = await _once(ready, password, number)
        rounds.add(**figures)
        scene.say(f"latency {number + 1}: p50 {figures['p50_ms']:.0f} ms, p99 {figures['p99_ms']:.0f} ms")
    return rounds


async def _once(ready: Stage, password: str, number: int) -> dict[str, float]:
    seconds = QUICK_SECONDS if ready.scene.effort.quick else SECONDS
    console = await ready.road.console(0)
    await ready.road.ingest()
    specs = [_spec(ready, seconds, number, part) for part in range(PROCESSES)]
    seen: dict[str, datetime] = {}
    everything = asyncio.Event()
    async with watch.signed_in(console, NURSE, password) as nurse:

        async def follow() -> None:
            async for event in watch.live(nurse, clock.now):
                if event.name == "reading":
                    seen[json.loads(event.data)["reading_id"]] = event.at
                    if len(seen) == PER_S * seconds:
                        everything.set()

        following = asyncio.create_task(follow())
        begun = clock.monotonic()
        metering = await asyncio.gather(
            *(
                processes.start(
                    f"metering-{part}", "-m", "deploy.bench.metering", spec, log_dir=ready.road.logs, ready="done",
                    timeout_s=seconds + SETTLED_WITHIN_S,
                )
                for part, spec in enumerate(specs)
            )
        )  # fmt: skip
        took_s = clock.monotonic() - begun
        async with asyncio.timeout(SETTLED_WITHIN_S):
            await everything.wait()
        following.cancel()
        await asyncio.gather(*(child.stop() for child in metering))
    latencies = _latencies_ms(ready.database, seen)
    return {
        "p50_ms": percentile(latencies, 0.5),
        "p99_ms": percentile(latencies, 0.99),
        "max_ms": max(latencies),
        "readings": len(latencies),
        "per_s": len(latencies) / took_s,
    }


def _spec(ready: Stage, seconds: int, number: int, part: int) -> str:
    """The path of what one of the processes is to do."""
    folder = ready.scene.folder / f"metering-{number}-{part}"
    folder.mkdir(parents=True)
    spec = Spec(
        host=ready.broker.host,
        port=ready.broker.port,
        folder=str(folder),
        profile=PROFILE,
        per_s=PER_S / HOMES,
        seconds=seconds,
        homes=tuple(
            HomeSpec(
                gateway_id=home.gateway_id,
                password=ready.passwords[home.gateway_id],
                serial_number=home.device.serial_number or "",
            )
            for home in ready.homes[part::PROCESSES]
        ),
    )
    path = folder / "spec.json"
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(spec))
    return str(path)


def _latencies_ms(database: Database, seen: dict[str, datetime]) -> list[float]:
    with psycopg.connect(database.admin_url) as connection:
        read = connection.execute("SELECT reading_id, read_at FROM ledger").fetchall()
    return [(seen[reading_id.hex] - read_at).total_seconds() * 1000 for reading_id, read_at in read]
