"""`ingest_single`: one reading a message, against a bare subscriber on the same queue.

ratio = readings receipted a second by one worker, with ledger, alerts and commit ÷ messages a second that a bare paho
subscriber acknowledges by hand from the same queue. Beside it: two workers on as many of the same messages.
"""

from deploy.bench import clock
from deploy.bench.messages import messages
from deploy.bench.queued import ONE_WORKER, TWO_WORKERS, drained_by_bare_subscriber, drained_by_ingest, fill
from deploy.bench.results import Rounds
from deploy.bench.stage import Scene, stage

READINGS = 20_000


async def measure(scene: Scene) -> Rounds:
    """Both ways in each round, on messages of the same make."""
    rounds = Rounds()
    async with stage(scene) as ready:
        each = scene.effort.of(READINGS) // len(ready.homes)
        for number in range(scene.effort.rounds):
            at = clock.now()
            first, second, third = (2 * number * each, (2 * number + 1) * each, (2 * number + 2) * each)
            queue = list(messages(ready.homes, range(first, second), 1, at))
            readings = await fill(ready, ONE_WORKER, queue)
            ours = await drained_by_ingest(ready, ONE_WORKER, readings)
            readings = await fill(ready, TWO_WORKERS, messages(ready.homes, range(second, third), 1, at))
            both = await drained_by_ingest(ready, TWO_WORKERS, readings)
            await fill(ready, ONE_WORKER, queue)
            bare = await drained_by_bare_subscriber(ready, ONE_WORKER[0], len(queue))
            rounds.add(
                ratio=ours / bare,
                ratio_of_two_workers=both / bare,
                ingest_per_s=ours,
                two_workers_per_s=both,
                bare_subscriber_per_s=bare,
            )
            scene.say(f"ingest_single {number + 1}: {ours:.0f}/s, bare {bare:.0f}/s, ratio {ours / bare:.2f}")
    return rounds
