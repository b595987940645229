"""Two jobs processes assess a ward while one of them is killed: each patient has exactly one case in the end."""

import threading
from datetime import timedelta
from uuid import UUID

from cloud.config import JobsSettings
from cloud.jobs.assessing import assess_in_turn
from cloud.jobs.desk import Desk
from tests.cloud.jobs.test_worker import PATIENCE_S, jobs, until
from tests.cloud.made import NOW, Ward, glucose, new_patient, sent

PATIENTS = 120

_TWO_HIGH_READINGS = """
INSERT INTO glucose_observation (effective_time, reading_id, patient_id, device_id, code, value, unit, state, sample,
                                 reported_time, time_quality, received_at)
SELECT %(now)s::timestamptz - hours * interval '1 hour', gen_random_uuid(), patient_id, 'meter', 160184, 260, 'mg/dL',
       'measured', 'patient', '', 'synchronised', %(now)s
FROM unnest(%(patients)s::uuid[]) AS patient_id, generate_series(0, 1) AS hours
"""


def test_a_ward_is_assessed_once_by_two_processes_one_of_which_is_killed(ward: Ward) -> None:
    patients: list[UUID] = [new_patient(ward.admin, f"Patient {n}") for n in range(PATIENTS)]
    ward.admin.execute(_TWO_HIGH_READINGS, {"now": NOW, "patients": patients})
    with jobs(ward) as first, jobs(ward, "jobs-2") as second:
        assert first.ready.wait(PATIENCE_S), "".join(first.said)
        assert second.ready.wait(PATIENCE_S), "".join(second.said)
        ward.admin.execute(
            "INSERT INTO assessment_due (patient_id, what, due_at, since, heard_since)"
            " SELECT patient_id, 'glucose', %(now)s, %(since)s, %(since)s"
            " FROM unnest(%(patients)s::uuid[]) AS patient_id",
            {"now": NOW, "since": NOW - timedelta(hours=1), "patients": patients},
        )
        until(lambda: ward.count("alert_case") > 0, "somebody was assessed")
        first.process.kill()
        until(lambda: ward.rows("SELECT FROM assessment_due WHERE what = 'glucose'") == [], "all were assessed")

    counted = (
        "SELECT condition, count(*), count(DISTINCT patient_id) FROM alert_case WHERE patient_id = ANY(%s) GROUP BY 1"
    )
    assert ward.admin.execute(counted, (patients,)).fetchall() == [("hyperglycaemia", PATIENTS, PATIENTS)]
    assert ward.count("alert") == PATIENTS


def test_a_process_has_one_turn_at_a_time_and_keeps_its_other_places_for_pages(ward: Ward) -> None:
    ward.receive(sent(glucose("260")))
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: NOW)
    desk.pool.open()
    turn = threading.Lock()
    try:
        with turn:
            assess_in_turn(desk, turn)
            assert ward.rows("SELECT FROM assessment_due WHERE what = 'glucose'") != []
        assess_in_turn(desk, turn)
        assert ward.rows("SELECT FROM assessment_due WHERE what = 'glucose'") == []
        assert turn.acquire(blocking=False)
    finally:
        desk.pool.close()
