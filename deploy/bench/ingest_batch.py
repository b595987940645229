"""`ingest_batch`: 50 readings a message, against binary COPY of the same rows into the same tables.

ratio = readings receipted a second by one worker ÷ readings a second that psycopg's binary COPY puts into ledger and
hypertable of a twin database with the same indexes. Beside it: the same COPY of octets prepared beforehand, so that
the server works alone; two workers; and which part of a batch's time the alert rules take.
"""

from deploy.bench.alerting_share import READINGS_A_HOME, alerting_share
from deploy.bench.binary_copy import copy_since, database_now
from deploy.bench.homes import fresh_database
from deploy.bench.queued import BATCH_READINGS, TWO_WORKERS, drained_backlog
from deploy.bench.results import Rounds
from deploy.bench.stage import HOMES, Scene, stage


async def measure(scene: Scene) -> Rounds:
    """Each round's rows are copied into the twin right after."""
    rounds = Rounds()
    beyond = 2 * scene.effort.rounds * BATCH_READINGS // HOMES  # further back than the backlogs that are drained
    async with stage(scene) as ready:
        with fresh_database(scene.running) as twin:
            for number in range(scene.effort.rounds):
                since = database_now(ready.database)
                ours = await drained_backlog(ready, 2 * number, scene.effort.of(BATCH_READINGS))
                copied = copy_since(since, ready.database, twin)
                both = await drained_backlog(ready, 2 * number + 1, scene.effort.of(BATCH_READINGS), TWO_WORKERS)
                share = alerting_share(ready, beyond + number * READINGS_A_HOME)
                rounds.add(
                    ratio=ours / copied.from_rows,
                    ratio_of_two_workers=both / copied.from_rows,
                    alerting_share=share,
                    ratio_to_prepared_octets=ours / copied.from_octets,
                    ingest_per_s=ours,
                    two_workers_per_s=both,
                    binary_copy_per_s=copied.from_rows,
                    binary_copy_of_prepared_octets_per_s=copied.from_octets,
                )
                scene.say(
                    f"ingest_batch {number + 1}: {ours:.0f}/s, COPY {copied.from_rows:.0f}/s,"
                    f" ratio {ours / copied.from_rows:.2f}"
                )
    return rounds
