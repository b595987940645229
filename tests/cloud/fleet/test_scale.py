"""A fleet of 5,000 gateways with four devices each is judged within one turn, and so is its worst minute."""

from datetime import datetime, timedelta
from time import perf_counter

import pytest

from cloud.db.components import beat
from cloud.db.connect import open_connection
from cloud.fleet.judging import Judged, judge_fleet
from cloud.fleet.schedules import Memory
from tests.cloud.made import NOW, Ward

GATEWAYS, DEVICES_EACH = 5_000, 4
# A turn is due each 15 s. Measured on two busy cores: 0.2 s where all is well, 0.7 s when all gateways fall silent,
# 0.9 s for the first look at all schedules, 2.9 s when all patients are silent, too; the limit leaves room.
WITHIN_S = 5.0

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


@pytest.mark.timeout(300)
def test_a_fleet_of_five_thousand_gateways_is_judged_in_time(ward: Ward) -> None:
    figures = {"at": NOW, "gateways": GATEWAYS, "devices": DEVICES_EACH}
    for statement in (_GATEWAYS, _DEVICES, _ROSTERS, _PATIENTS, _ASSIGNMENTS, _SLOTS, _MEASURED):
        ward.admin.execute(statement, figures)
    ward.admin.execute("ANALYZE")
    took: dict[str, float] = {}
    memory = Memory()
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs:

        def judged(what: str, at: datetime) -> Judged:
            since = NOW - timedelta(days=1)
            beat(ward.ingest, "ingest-1", "ingest", at, {"broker": True, "since": since.isoformat()})
            before = perf_counter()
            found = judge_fleet(jobs, since, at, memory=memory)
            took[what] = round(perf_counter() - before, 2)
            assert found is not None
            return found

        assert judged("the first look at all", NOW).in_force == 0
        assert judged("all is well", NOW).in_force == 0
        late = NOW + timedelta(hours=1)
        assert judged("all gateways fall silent", late).in_force == GATEWAYS
        assert judged("all gateways are silent", late).in_force == GATEWAYS
        days = NOW + timedelta(days=2)
        assert judged("nobody measures, too", days).in_force == 2 * GATEWAYS
        assert judged("it stays so", days).in_force == 2 * GATEWAYS

    assert max(took.values()) < WITHIN_S, took
