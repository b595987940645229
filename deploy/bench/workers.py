"""`workers`: two ingest workers against one, on the same machine."""

from deploy.bench.queued import BATCH_READINGS, ONE_WORKER, TWO_WORKERS, drained_backlog
from deploy.bench.results import Rounds
from deploy.bench.stage import Scene, stage


async def measure(scene: Scene) -> Rounds:
    """One, then two, in each round."""
    rounds = Rounds()
    async with stage(scene) as ready:
        for number in range(scene.effort.rounds):
            one = await drained_backlog(ready, 2 * number, scene.effort.of(BATCH_READINGS), ONE_WORKER)
            two = await drained_backlog(ready, 2 * number + 1, scene.effort.of(BATCH_READINGS), TWO_WORKERS)
            rounds.add(ratio=two / one, one_per_s=one, two_per_s=two)
            scene.say(f"workers {number + 1}: one {one:.0f}/s, two {two:.0f}/s, ratio {two / one:.2f}")
    return rounds
