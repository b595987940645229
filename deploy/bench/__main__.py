"""`python -m deploy.bench`: measure, show each figure beside its limit, write bench/results.json.

Every part is real: Mosquitto with the product's configuration, TimescaleDB, the ingest as a process, the gateway as a
process, the console's live stream. Ratios are of rates measured in the same round, so that a busy machine counts for
both sides.
"""

import argparse
import asyncio
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from deploy.bench import clock, results
from deploy.bench.fleet import measure as fleet
from deploy.bench.gateway import measure as gateway
from deploy.bench.growth import measure as growth
from deploy.bench.ingest_batch import measure as ingest_batch
from deploy.bench.ingest_single import measure as ingest_single
from deploy.bench.latency import measure as latency
from deploy.bench.pages import measure as pages
from deploy.bench.results import Rounds
from deploy.bench.stage import Effort, Scene
from deploy.bench.storm import measure as storm
from deploy.bench.workers import measure as workers
from deploy.demo.processes import NotReady
from deploy.services.errors import ServiceFailed, ServicesUnavailable, WrongSetting
from deploy.services.places import LOCAL
from deploy.services.start import services_in_use

FIGURES: Mapping[str, Callable[[Scene], Awaitable[Rounds]]] = {
    "ingest_single": ingest_single,
    "ingest_batch": ingest_batch,
    "latency": latency,
    "storm": storm,
    "gateway": gateway,
    "growth": growth,
    "workers": workers,
    "pages": pages,
    "fleet": fleet,
}
RESULTS = Path("bench/results.json")
THOROUGH = Effort(rounds=5, share=1.0, quick=False)
QUICK = Effort(rounds=1, share=0.1, quick=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when it was measured, whatever the figures are; 1 with a sentence otherwise."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=FIGURES, help="measure this figure (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="one round of a tenth: a smoke test, no measurement")
    parser.add_argument("--rounds", type=int, help=f"rounds of each figure (default {THOROUGH.rounds})")
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else THOROUGH
    if options.rounds:
        effort = Effort(rounds=options.rounds, share=effort.share, quick=effort.quick)
    folder = LOCAL / "bench" / secrets.token_hex(4)
    try:
        with services_in_use() as running:
            scene = Scene(running, folder, effort, say=_say)
            about = _about(effort, running.source)
            figures = asyncio.run(_measured(scene, options.only or list(FIGURES)))
    except (NotReady, ServicesUnavailable, ServiceFailed, WrongSetting) as error:
        print(f"The benchmark failed: {error}\nWhat each process said is in {folder / 'logs'}", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    results.write(RESULTS, results.as_json(figures, about))
    print("\n".join(("", *results.table(figures), "", f"Written to {RESULTS}.")))
    if effort.quick:
        print("QUICK: one round of a tenth. These are no measurements.")
    return 0


async def _measured(scene: Scene, names: Sequence[str]) -> dict[str, Rounds]:
    figures: dict[str, Rounds] = {}
    for name in names:
        begun = clock.monotonic()
        scene.say(f"{name} ...")
        figures[name] = await FIGURES[name](scene)
        scene.say(f"{name}: {clock.monotonic() - begun:.0f} s")
    return figures


def _about(effort: Effort, services: str) -> dict[str, object]:
    return {
        "at": clock.now().isoformat(timespec="seconds"),
        "quick": effort.quick,
        "rounds": effort.rounds,
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "services": services,
    }


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
