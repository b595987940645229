"""`growth`: the rate of `ingest_batch` at 10 million stored rows against the rate at 100 thousand.

The rows that are there already are made by the server: spread over a year, over the homes' patients, and over as many
other meters as hold so many readings; identified at random as real ones are.
"""

import psycopg

from deploy.bench.homes import Database
from deploy.bench.queued import BATCH_READINGS, drained_backlog
from deploy.bench.results import Rounds
from deploy.bench.stage import Scene, stage

SMALL, LARGE = 100_000, 10_000_000
# A meter that has been with somebody for a year.
READINGS_A_METER = 1000
# Rows of one statement: progress is seen, and no transaction is huge.
STEP = 500_000


async def measure(scene: Scene) -> Rounds:
    """Both sizes in each round, each in a database of its own: filling takes minutes, and the machine may be busy."""
    rounds = Rounds()
    large = scene.effort.of(LARGE)
    readings = scene.effort.of(BATCH_READINGS)
    async with stage(scene) as at_small, stage(scene) as at_large:
        _fill_up(scene, at_small.database, SMALL)
        _fill_up(scene, at_large.database, large)
        for number in range(scene.effort.rounds):
            small_per_s = await drained_backlog(at_small, number, readings)
            large_per_s = await drained_backlog(at_large, number, readings)
            rounds.add(ratio=large_per_s / small_per_s, small_per_s=small_per_s, large_per_s=large_per_s)
            scene.say(f"growth {number + 1}: {small_per_s:.0f}/s at {SMALL:,}, {large_per_s:.0f}/s at {large:,} rows")
    rounds.add(rows=large)
    return rounds


def _fill_up(scene: Scene, database: Database, rows: int) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        found = connection.execute("SELECT count(*) FROM ledger").fetchone()
        stored = found[0] if found else 0
        while stored < rows:
            step = min(STEP, rows - stored)
            connection.execute(_FILL, {"rows": step, "meters": rows // READINGS_A_METER})
            stored += step
            scene.say(f"growth: {stored:,} rows stored")
        # As autovacuum would have done by the time a clinic has so many.
        connection.execute("VACUUM ANALYZE ledger, glucose_observation")
        connection.execute("CHECKPOINT")


_FILL = """
WITH made AS (
    SELECT gen_random_uuid() AS reading_id, now() - random() * interval '365 days' AS time,
           'lifescan:sn:F' || lpad(floor(random() * %(meters)s)::text, 8, '0') AS device_id
    FROM generate_series(1, %(rows)s)
), patients AS (
    SELECT array_agg(patient_id) AS ids FROM patient
), entered AS (
    INSERT INTO ledger (reading_id, fate, gateway_id, device_id, session_id, kind, reported_time, raw, read_at,
                        received_at)
    SELECT reading_id, 'stored', 'bench-00000', device_id, '00000000-0000-0000-0000-000000000000', 'glucose',
           '2026-01-01T00:00:00', '\\x000102030405060708090a0b', time, time
    FROM made
)
INSERT INTO glucose_observation (effective_time, reading_id, patient_id, device_id, code, value, unit, state, sample,
                                 reported_time, time_quality, received_at)
SELECT time, reading_id, ids[1 + floor(random() * cardinality(ids))::int], device_id, 160184, 100, 'mg/dL',
       'measured', 'patient', '2026-01-01T00:00:00', 'synchronised', time
FROM made, patients
"""
