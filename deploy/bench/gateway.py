"""`gateway`: the gateway's process with four devices, two on cables and two on a radio, behind mutual TLS.

The cables lead to simulated devices on ptys. The radio is the production's one (bleak on BlueZ), loaded and started; on
a machine without Bluetooth its scanner finds none and tries again, as it would in a home whose stick is out. It is
enrolled by a one-time code, and publishes by its certificate; the enrolment service has ended when it is measured.
``start_s`` is from the start of the process to its ready line, with a backlog in the outbox; ``rss_mb`` is what it
holds when the backlog is gone; ``drain_per_s`` is how fast receipts of the real ingest free the outbox.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

from deploy.bench import clock
from deploy.bench.messages import backlog, message
from deploy.bench.results import Rounds
from deploy.bench.stage import GATEWAY, Scene, Stage, stage
from deploy.demo import cast, processes
from deploy.demo.identity import Enrolment
from deploy.demo.road import Road
from gateway.outbox import Lane, Outbox
from gateway.wire.v1 import MAX_READINGS

READINGS = 30_000
LOOK_EVERY_S = 0.02
DRAINED_WITHIN_S = 120.0


async def measure(scene: Scene) -> Rounds:
    """Each round with an outbox, a database and a process of its own."""
    rounds = Rounds()
    for number in range(scene.effort.rounds):
        async with stage(scene, homes=1) as ready:
            figures = await _once(ready, scene.folder / f"gateway-{number}", scene.effort.of(READINGS))
        rounds.add(**figures)
        scene.say(
            f"gateway {number + 1}: {figures['rss_mb']:.1f} MB, ready in {figures['start_s']:.2f} s,"
            f" {figures['drain_per_s']:.0f} readings/s drained"
        )
    return rounds


async def _once(ready: Stage, folder: Path, readings: int) -> dict[str, float]:
    on_cables = [device for device in cast.DEVICES if device.address is None]
    simulated = await ready.road.simulators(on_cables)
    config = await _enrolled(ready, folder, simulated.urls)
    outbox_path = folder / "gateway" / "outbox.sqlite"
    _prefill(ready, outbox_path, readings)
    await ready.road.ingest()
    begun = clock.monotonic()
    child = await processes.start("gateway", "-m", "gateway", "run", str(config), log_dir=ready.road.logs)
    start_s = clock.monotonic() - begun
    ready.road.children.append(child)
    drain_per_s = await _drained(outbox_path, readings)
    memory = _memory_mb(child.process.pid)
    return {
        "rss_mb": memory["VmRSS"],
        "peak_rss_mb": memory["VmHWM"],
        "start_s": start_s,
        "drain_per_s": drain_per_s,
        "threads": _threads(child.process.pid),
    }


async def _enrolled(ready: Stage, folder: Path, urls: dict[str, str]) -> Path:
    """The configuration of a gateway with a certificate."""
    folder.mkdir(parents=True)
    broker = ready.broker
    enrolment = Enrolment(
        door=broker.door,
        admin_url=ready.database.admin_url,
        database_url=ready.database.enrolment_url,
        mqtt_url=f"mqtt://enrolment:{broker.add_user('enrolment')}@{broker.host}:{broker.port}",
    )
    road = Road(replace(ready.road.services, enrolment=enrolment), GATEWAY, folder)
    try:
        return await road.configured(cast.DEVICES, urls)
    finally:
        await road.stop()


def _prefill(ready: Stage, path: Path, readings: int) -> None:
    [home] = ready.homes
    at = clock.now()
    outbox = Outbox.open(path)
    try:
        for first in range(0, readings, MAX_READINGS):
            visit = message(home, backlog(home, range(first, min(first + MAX_READINGS, readings)), at), at)
            outbox.put(visit.session, [(reading, Lane.BACKFILL) for reading in visit.readings], at)
    finally:
        outbox.close()


async def _drained(path: Path, readings: int) -> float:
    """Readings freed a second, once the first tenth was gone."""
    outbox = Outbox.read_only(path)
    warm: tuple[float, int] | None = None
    try:
        async with asyncio.timeout(DRAINED_WITHIN_S):
            while rows := outbox.depth().rows:
                if warm is None and rows <= readings * 0.9:
                    warm = clock.monotonic(), rows
                await asyncio.sleep(LOOK_EVERY_S)  # the outbox tells nobody outside
    finally:
        outbox.close()
    if warm is None:
        raise ValueError(f"a backlog of {readings} readings was gone before it could be watched")
    return warm[1] / (clock.monotonic() - warm[0])


def _memory_mb(pid: int) -> dict[str, float]:
    """The resident memory of a process now (VmRSS) and at its most (VmHWM), in MB of 10^6 octets."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 / 1e6 for words in lines if words[0] in ("VmRSS:", "VmHWM:")}


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
