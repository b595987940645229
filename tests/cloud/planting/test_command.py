"""A course: patients marked for ever, brought in by the ingest, and their truth told when it has ended."""

from argparse import Namespace
from uuid import UUID, uuid4

import psycopg
import pytest

from cloud.planting import command
from tests.cloud.made import NOW, Ward
from tests.fix_services import Database


def start(database: Database, *logins: str, patients: int = 8, seed: int = 1) -> str:
    """What the command says."""
    options = Namespace(deed="start", logins=list(logins), patients=patients, seed=seed)
    return command.run(database.admin_url, options, NOW)


def test_a_course_has_training_patients_with_a_truth_each(ward: Ward) -> None:
    said = start(ward.database, "nurse")
    assert "8 training patients" in said
    assert ward.rows("SELECT kind, count(*) FROM training_truth GROUP BY 1 ORDER BY 1") == [
        ("crisis", 2), ("false_alarm", 2), ("ordinary", 2), ("worsening", 2),
    ]  # fmt: skip
    assert ward.rows(
        "SELECT count(*) FROM patient JOIN training_patient USING (patient_id)"
        " WHERE training AND display_name ~ '^TRAINING [0-9]+$'"
    ) == [(8,)]
    assert ward.rows("SELECT count(*) FROM care_team JOIN training_patient USING (patient_id)") == [(8,)]


def test_readings_come_in_as_any_others_and_what_has_just_happened_is_a_case(ward: Ward) -> None:
    start(ward.database, "nurse")
    [(stored, known, elsewhere)] = ward.rows(
        "WITH stored AS (SELECT reading_id, patient_id FROM glucose_observation"
        " UNION ALL SELECT reading_id, patient_id FROM blood_pressure_observation)"
        " SELECT count(*), count(l.reading_id), count(*) FILTER (WHERE NOT p.training)"
        " FROM stored JOIN patient p USING (patient_id) LEFT JOIN ledger l USING (reading_id)"
    )
    assert stored == known > 100
    assert elsewhere == 0
    assert ward.count("quarantine") == 0
    # Severe pressures are measured again before anybody is called: the jobs process follows their timers.
    [(found,)] = ward.rows(
        "SELECT count(*) FROM training_truth t WHERE kind = 'crisis' AND"
        " (EXISTS (SELECT FROM alert_case c WHERE c.patient_id = t.patient_id AND c.tier <> 'retrospective')"
        " OR EXISTS (SELECT FROM remeasure r WHERE r.patient_id = t.patient_id)"
        " OR EXISTS (SELECT FROM assessment_due d WHERE d.patient_id = t.patient_id AND d.what = 'pressure'))"
    )
    assert found == 2


def test_nobody_comes_in_by_the_gateway_of_training(ward: Ward) -> None:
    start(ward.database, "nurse")
    assert ward.rows("SELECT revoked_at IS NOT NULL FROM gateway WHERE gateway_id = 'training'") == [(True,)]


def test_the_truth_is_told_to_its_trainees_when_the_course_has_ended_and_its_cases_end(ward: Ward) -> None:
    start(ward.database, "nurse")
    assert told(ward, ward.nurse_id) == 0
    assert "1 ended" in command.run(ward.database.admin_url, Namespace(deed="end"), NOW)
    assert (told(ward, ward.nurse_id), told(ward, uuid4())) == (8, 0)
    assert ward.rows("SELECT count(*) FROM alert_case WHERE next_at IS NOT NULL") == [(0,)]
    assert command.run(ward.database.admin_url, Namespace(deed="end"), NOW) == "no course is open"


def told(ward: Ward, account_id: UUID) -> int:
    """Of how many patients the console can tell this account the truth; its tables are closed to it."""
    with psycopg.connect(ward.database.admin_url) as admin:
        admin.execute("SET ROLE pulsepost_console")
        admin.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(account_id),))
        seen = len(admin.execute("SELECT * FROM training_told").fetchall())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("SELECT * FROM training_truth")
        return seen


def test_a_new_course_takes_the_place_of_an_ended_one(ward: Ward) -> None:
    start(ward.database, "nurse", patients=2)
    command.run(ward.database.admin_url, Namespace(deed="end"), NOW)
    start(ward.database, "nurse", patients=3, seed=2)
    assert ward.rows("SELECT count(*) FROM care_team WHERE until IS NULL") == [(3,)]
    assert command.run(ward.database.admin_url, Namespace(deed="list"), NOW).count("\n") == 1


def test_trainees_must_work_with_patients(ward: Ward) -> None:
    with pytest.raises(command.CommandRefused, match="nobody who works with patients has the login nobody"):
        start(ward.database, "nurse", "nobody")
    with pytest.raises(command.CommandRefused, match="1 to 50"):
        start(ward.database, "nurse", patients=51)
    assert ward.count("training_course") == 0


# What the database refuses -------------------------------------------------------------------------------------------


def test_nobody_becomes_a_training_patient_and_none_becomes_real(ward: Ward) -> None:
    start(ward.database, "nurse", patients=1)
    for statement in (
        "UPDATE patient SET training = NOT training WHERE NOT training",
        "UPDATE patient SET training = true, display_name = 'TRAINING x' WHERE NOT training",
        "UPDATE patient SET training = false, display_name = 'Asta' WHERE training",
        "UPDATE patient SET display_name = 'Asta Real' WHERE training",
        "UPDATE patient SET display_name = 'TRAINING x' WHERE NOT training",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            ward.admin.execute(statement)


def test_real_patients_and_training_patients_share_neither_devices_nor_programmes(ward: Ward) -> None:
    start(ward.database, "nurse", patients=1)
    for statement in (
        "INSERT INTO device_assignment (device_id, patient_id, valid) SELECT device_id, patient_id,"
        " tstzrange('2027-01-01', NULL) FROM device, patient WHERE NOT training AND device_id LIKE 'training:%'",
        "INSERT INTO device_assignment (device_id, user_index, patient_id, valid) SELECT device_id, 9, patient_id,"
        " tstzrange('2027-01-01', NULL) FROM device, patient WHERE training AND device_id NOT LIKE 'training:%'",
        "UPDATE device_assignment SET patient_id = (SELECT patient_id FROM patient WHERE training)"
        " WHERE device_id NOT LIKE 'training:%'",
        "UPDATE patient_programme SET programme_id = 'standard'",
        "INSERT INTO patient_programme (patient_id, programme_id, valid)"
        " SELECT patient_id, 'training', tstzrange(NULL, NULL) FROM patient WHERE NOT training",
        "INSERT INTO account (login, display_name, role, password_hash, patient_id)"
        " SELECT 'x', 'X', 'patient', 'x', patient_id FROM patient WHERE training",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            ward.admin.execute(statement)
