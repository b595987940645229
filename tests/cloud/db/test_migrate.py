"""Migrations: run once, in order, under time limits, and packed with the software."""

import secrets
from collections.abc import Iterator
from importlib import resources

import psycopg
import pytest
import sqlalchemy.exc

from cloud.db.migrate import head, migrate, revision
from deploy.services import databases
from deploy.services.running import Running
from tests.cloud.made import Ward


def test_a_database_at_head_stays_as_it_is(ward: Ward) -> None:
    said: list[str] = []
    migrate(ward.database.admin_url, said.append)

    assert said == []
    assert revision(ward.database.admin_url) == head()


@pytest.fixture
def empty_url(services: Running) -> Iterator[str]:
    """A database with nothing in it; dropped at the end."""
    name = f"{databases.SCRATCH}{secrets.token_hex(6)}"
    databases.create_if_missing(services.postgres_admin_url, name)
    try:
        yield services.admin_url(name)
    finally:
        databases.drop(services.postgres_admin_url, name)


def test_each_step_is_said(empty_url: str) -> None:
    said: list[str] = []
    migrate(empty_url, said.append)

    assert said[-1] == f"migrated to {head()}"
    with psycopg.connect(empty_url) as connection:
        licence = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    if licence == ("apache",):
        assert said[1] == "no columnstore: TimescaleDB runs under the licence 'apache'"


def test_times_of_visits_become_appointments_and_one_that_cannot_waits_for_a_time(empty_url: str) -> None:
    """A database of before there were appointments keeps what was arranged."""
    migrate(empty_url, to="0022")
    with psycopg.connect(empty_url) as connection:
        connection.execute("INSERT INTO account (login, display_name, role) VALUES ('ada', 'Ada Weiss', 'doctor')")
        connection.execute(
            "INSERT INTO patient (display_name, birth_date, time_zone)"
            " SELECT 'P' || n, '1950-01-01', 'UTC' FROM generate_series(1, 2) n"
        )
        connection.execute(
            "INSERT INTO visit (patient_id, way, by_day, why, asked_by, asked_at)"
            " SELECT p.patient_id, 'clinic', '2026-12-01', p.display_name, a.account_id, '2026-11-21 12:00Z'"
            " FROM patient p, account a"
        )
        for starts_at in ("2026-11-27 09:00Z", "2026-11-28 09:00Z"):
            connection.execute(
                "INSERT INTO visit_time (visit_id, patient_id, starts_at, set_by, set_at)"
                " SELECT visit_id, patient_id, %s, asked_by, asked_at FROM visit",
                (starts_at,),
            )
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        booked = connection.execute(
            "SELECT to_char(starts_at AT TIME ZONE 'UTC', 'DD HH24:MI'), state"
            " FROM visit v LEFT JOIN appointment USING (visit_id) ORDER BY starts_at NULLS LAST"
        ).fetchall()
    assert booked == [("28 09:00", "booked"), (None, None)]


def test_a_migration_that_cannot_get_its_lock_gives_way(ward: Ward) -> None:
    ward.admin.execute("UPDATE alembic_version SET version_num = '0001'")
    with ward.admin.transaction():
        ward.admin.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(sqlalchemy.exc.OperationalError, match="lock timeout"):
            migrate(ward.database.admin_url, lock_timeout="50ms")


def test_the_sql_is_part_of_the_package() -> None:
    assert resources.files("cloud.db.migrations.sql").joinpath("0001_road.sql").is_file()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger",
        "UPDATE ledger SET fate = 'stored'",
        "DELETE FROM glucose_observation",
        "UPDATE blood_pressure_observation SET systolic = 120",
        "DELETE FROM quarantine",
        "DELETE FROM alert_case",
        "DELETE FROM case_event",
        "SELECT password_hash FROM account",
        "SELECT * FROM login_session",
        "SELECT * FROM second_factor",
        "SELECT * FROM invitation",
        "SELECT * FROM outside_identity",
        "INSERT INTO gateway (gateway_id) VALUES ('gw-forged')",
        "SELECT * FROM audit",
        "SELECT display_name FROM patient",
        "SELECT * FROM glucose_observation",
        "UPDATE gateway SET revoked_at = NULL",
        "UPDATE device_session SET device_time = NULL",
        "UPDATE device SET serial_number = NULL",
        "UPDATE quarantine SET payload = ''",
        "UPDATE alert_case SET disposition = 'advice_given'",
        "UPDATE alert_case SET patient_id = gen_random_uuid()",
    ],
)
def test_the_ingest_role_may_not(ward: Ward, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ward.ingest.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM glucose_observation",
        "SELECT * FROM blood_pressure_observation",
        "SELECT raw FROM ledger",
        "INSERT INTO glucose SELECT * FROM glucose",
        "DELETE FROM alert_case",
        "UPDATE case_event SET actor = NULL",
        "UPDATE audit SET action = 'nothing'",
        "SELECT * FROM audit_link",
        "DELETE FROM quarantine",
        "UPDATE account SET role = 'administrator'",
        "UPDATE account SET login = 'another'",
        "UPDATE account SET patient_id = NULL",
        "DELETE FROM account",
        "INSERT INTO account (login, display_name, role, password_hash) VALUES ('a', 'A', 'nurse', 'known')",
        "UPDATE invitation SET expires_at = 'infinity'",
        "UPDATE recovery_code SET code_hash = ''",
        "UPDATE outside_identity SET account_id = gen_random_uuid()",
    ],
)
def test_the_console_role_may_not(ward: Ward, statement: str) -> None:
    with (
        psycopg.connect(ward.database.console_url, autocommit=True) as console,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        console.execute(statement.encode())


def test_the_console_role_reads_through_the_views(ward: Ward) -> None:
    with psycopg.connect(ward.database.console_url, autocommit=True) as console:
        assert console.execute("SELECT count(*) FROM glucose").fetchone() == (0,)
        assert console.execute("SELECT count(*) FROM blood_pressure").fetchone() == (0,)
