"""`fleet`: what 5,000 gateways with four devices each cost the jobs process, and whoever looks at their list.

``turn_share`` is the longest judgement of the whole fleet as a share of the time between two: where all is well, when
all gateways fall silent, when nobody measures for two days, and each of these once more. ``list_p95_ms`` is the list of
gateways, page after page, by the server's own clock.
"""

import asyncio
import secrets
from datetime import datetime, timedelta

import psycopg

from cloud.auth.models import Role
from cloud.auth.service import create_account
from cloud.config import JobsSettings
from cloud.db.components import beat
from cloud.db.connect import Connection, open_connection
from cloud.fleet.judging import judge_fleet
from cloud.fleet.schedules import Memory
from deploy.bench import clock, nurses
from deploy.bench.homes import Database
from deploy.bench.results import Rounds, percentile
from deploy.bench.stage import Effort, Scene, Stage, stage
from deploy.demo import watch

GATEWAYS, DEVICES_EACH = 5_000, 4
COURSE = (timedelta(), timedelta(hours=1), timedelta(days=2))
TURN_S = JobsSettings(database_url="").judge_every_s
LISTED = 100  # pages of the list, a round
SUPPORT = "support"


async def measure(scene: Scene) -> Rounds:
    """A database of its own for each round: the fleet falls silent in it."""
    rounds = Rounds()
    gateways = scene.effort.of(GATEWAYS)
    for number in range(scene.effort.rounds):
        async with stage(scene, homes=1) as ready:
            now = clock.now()
            with psycopg.connect(ready.database.admin_url, autocommit=True) as admin:
                plant(admin, now, gateways)
            listed = await _listed(ready, scene.effort, gateways)
            longest = await asyncio.to_thread(_judged, ready.database, now)
        rounds.add(turn_share=longest / TURN_S, judged_s=longest, list_p95_ms=percentile(listed, 0.95))
        scene.say(f"fleet {number + 1}: judged in {longest:.2f} s at most, list p95 {percentile(listed, 0.95):.1f} ms")
    rounds.add(gateways=gateways)
    return rounds


def plant(admin: Connection, at: datetime, gateways: int) -> None:
    """Gateways that are well at that time, with their devices and patients, each with a schedule."""
    figures = {"at": at, "gateways": gateways, "devices": DEVICES_EACH}
    for statement in (_GATEWAYS, _DEVICES, _ROSTERS, _PATIENTS, _ASSIGNMENTS, _SLOTS, _MEASURED):
        admin.execute(statement, figures)
    admin.execute("ANALYZE")


def _judged(database: Database, now: datetime) -> float:
    """How many seconds the longest judgement took."""
    since = now - timedelta(days=1)
    took, memory = [], Memory()
    with (
        open_connection(database.jobs_url, "pulsepost-bench", autocommit=True) as jobs,
        open_connection(database.ingest_url, "pulsepost-bench", autocommit=True) as ingest,
    ):
        for later in COURSE:
            for _ in range(2):
                # Whatever falls silent, our own side does not.
                beat(ingest, "ingest-1", "ingest", now + later, {"broker": True, "since": since.isoformat()})
                begun = clock.monotonic()
                if judge_fleet(jobs, since, now + later, memory=memory) is None:
                    raise ValueError("somebody else judged the fleet: nothing was measured")
                took.append(clock.monotonic() - begun)
    return max(took)


async def _listed(ready: Stage, effort: Effort, gateways: int) -> list[float]:
    password = secrets.token_urlsafe(12)
    with open_connection(ready.database.admin_url, "pulsepost-bench") as connection:
        create_account(connection, login=SUPPORT, password=password, display_name="Support", role=Role.SUPPORT)
    async with nurses.console(ready) as console, watch.signed_in(console, SUPPORT, password) as client:
        support = nurses.Nurse(SUPPORT, client)
        pages = max(1, gateways // 50)
        asked = [await support.ask(f"/gateways?page={1 + n % pages}") for n in range(effort.of(LISTED))]
    return [one.app_ms for one in asked]


_GATEWAYS = """
INSERT INTO gateway (gateway_id, state, state_at, last_seen_at, outbox_depth, oldest_unsent_s, clock_synchronised,
                     clock_offset_s, disk_free_octets, certificate_until)
SELECT 'home-' || n, 'online', %(at)s, %(at)s, 0, NULL, true, 0.1, 10000000000, %(at)s + interval '60 days'
FROM generate_series(1, %(gateways)s) AS n
"""

_DEVICES = """
INSERT INTO device (device_id, manufacturer, model, profile, readings_known, known_sequences, holds,
                    complete_gateway_id, complete_session_id, complete_at, complete_told_at, last_measured_at)
SELECT 'maker:sn:' || n || '-' || d, 'Maker', 'Model', 'profile', 400, '{[1,401)}', 400, 'home-' || n,
       gen_random_uuid(), %(at)s - interval '1 hour', %(at)s - interval '1 hour', %(at)s - interval '1 hour'
FROM generate_series(1, %(gateways)s) AS n, generate_series(1, %(devices)s) AS d
"""

_ROSTERS = """
INSERT INTO gateway_device (gateway_id, name, profile, transport, device_id, visited_at, outcome, complete_at, told_at)
SELECT 'home-' || n, 'device-' || d, 'profile', 'ble', 'maker:sn:' || n || '-' || d, %(at)s, 'complete', %(at)s, %(at)s
FROM generate_series(1, %(gateways)s) AS n, generate_series(1, %(devices)s) AS d
"""

_PATIENTS = """
INSERT INTO patient (patient_id, display_name, time_zone)
SELECT md5(n::text)::uuid, 'Patient ' || n, (ARRAY['Europe/Copenhagen', 'America/New_York', 'UTC'])[1 + n %% 3]
FROM generate_series(1, %(gateways)s) AS n
"""

_ASSIGNMENTS = """
INSERT INTO device_assignment (device_id, patient_id, valid)
SELECT 'maker:sn:' || n || '-1', md5(n::text)::uuid, tstzrange(%(at)s - interval '1 year', NULL)
FROM generate_series(1, %(gateways)s) AS n
"""

# Two measurements of each patient a day, at times of their own.
_SLOTS = """
INSERT INTO measurement_slot (patient_id, kind, at, valid)
SELECT md5(n::text)::uuid, 'blood_pressure', time '06:00' + (n %% 180) * interval '1 minute' + half,
       tstzrange(%(at)s - interval '1 year', NULL)
FROM generate_series(1, %(gateways)s) AS n, unnest(ARRAY[interval '0', interval '12 hours']) AS half
"""

_MEASURED = """
INSERT INTO blood_pressure_observation (patient_id, device_id, reading_id, effective_time, reported_time, time_quality,
                                        unit, state, sample, context, annotations, systolic, diastolic, received_at,
                                        stored_at)
SELECT md5(n::text)::uuid, 'maker:sn:' || n || '-1', gen_random_uuid(), %(at)s - interval '1 hour', '', 'synchronised',
       'mm[Hg]', 'measured', 'patient', '{}', '{}', 120, 80, %(at)s, %(at)s
FROM generate_series(1, %(gateways)s) AS n
"""
