"""What each role may not do with cases, plans, the roster, pages and trials, as a thief of its password would try."""

from uuid import uuid4

import psycopg
import pytest

from tests.cloud.made import Ward
from tests.cloud.worklist.made import planted_case


def urls(ward: Ward) -> dict[str, str]:
    """The ways in, by role."""
    return {
        "ingest": ward.database.ingest_url,
        "enrolment": ward.database.enrolment_url,
        "console": ward.database.console_url,
        "jobs": ward.database.jobs_url,
    }


REFUSED = (
    # cases
    ("ingest", "UPDATE alert_case SET patient_id = gen_random_uuid()"),
    ("ingest", "DELETE FROM alert_case"),
    ("ingest", "UPDATE alert SET tier = 'routine'"),
    ("ingest", "UPDATE case_event SET actor = NULL"),
    ("console", "DELETE FROM case_event"),
    ("console", "UPDATE alert_case SET closed_automatically = 'not_confirmed'"),
    ("console", "UPDATE alert_case SET patient_id = gen_random_uuid()"),
    ("console", "UPDATE alert_case SET opened_at = now()"),
    ("console", "UPDATE alert SET reason = '{}'"),
    ("jobs", "DELETE FROM alert_case"),
    ("jobs", "UPDATE alert_case SET resolved_why = 'x'"),
    ("jobs", "SELECT password_hash FROM account"),
    ("jobs", "SELECT login FROM account"),
    ("enrolment", "SELECT * FROM alert_case"),
    ("enrolment", "SELECT * FROM programme"),
    # timers
    ("ingest", "SELECT wake('judge_fleet', 'x', '{}', now())"),
    ("enrolment", "SELECT wake_case(gen_random_uuid(), now())"),
    ("ingest", "SELECT wake_delivery(gen_random_uuid(), now())"),
    ("ingest", "SELECT try_limits()"),
    ("ingest", "SELECT * FROM procrastinate_jobs"),
    ("console", "INSERT INTO procrastinate_jobs (task_name) VALUES ('x')"),
    ("console", "SELECT procrastinate_cancel_job_v1(1, true, true)"),
    # what is remembered between readings
    ("ingest", "UPDATE remeasure SET answer = 'cleared'"),
    ("ingest", "UPDATE assessment_due SET patient_id = gen_random_uuid()"),
    ("ingest", "DELETE FROM assessment_due"),
    ("jobs", "UPDATE remeasure SET first = '{}'"),
    ("console", "UPDATE remeasure SET answer = 'cleared'"),
    # plans
    ("ingest", "UPDATE alarm_limit SET value = 999"),
    ("ingest", "UPDATE programme SET late_after = '1 year'"),
    ("jobs", "UPDATE programme SET alert_budget = 99"),
    ("console", "UPDATE alarm_limit SET value = 999"),
    ("console", "UPDATE alarm_limit SET set_by = NULL"),
    ("console", "DELETE FROM alarm_limit"),
    ("console", "DELETE FROM programme"),
    ("console", "UPDATE programme SET programme_id = 'other'"),
    ("console", "UPDATE programme_terms SET lease = NULL"),
    ("console", "DELETE FROM patient_programme"),
    ("console", "UPDATE patient_programme SET patient_id = gen_random_uuid()"),
    ("console", "UPDATE measurement_slot SET set_by = NULL"),
    ("console", "UPDATE measurement_pause SET reason = 'nothing'"),
    ("console", "INSERT INTO measurement_silence DEFAULT VALUES"),
    ("jobs", "DELETE FROM measurement_silence"),
    # the roster
    ("ingest", "SELECT * FROM duty_shift"),
    ("enrolment", "SELECT * FROM duty_shift"),
    ("jobs", "INSERT INTO duty_shift DEFAULT VALUES"),
    ("jobs", "UPDATE duty_gap SET acknowledged_at = now()"),
    ("jobs", "UPDATE duty_gap SET role = 'nurse'"),
    ("console", "UPDATE duty_shift SET account_id = gen_random_uuid()"),
    ("console", "DELETE FROM duty_shift"),
    ("console", "DELETE FROM duty_absence"),
    ("console", "INSERT INTO case_page DEFAULT VALUES"),
    ("console", "UPDATE duty_gap SET resolved_at = now()"),
    # pages
    ("console", "INSERT INTO staff_address (verified_at) VALUES (now())"),
    ("console", "INSERT INTO notification (subject, case_id) VALUES ('case', gen_random_uuid())"),
    ("console", "INSERT INTO notification (subject, gap) VALUES ('duty_gap', 'nurse')"),
    ("console", "UPDATE notification SET sent_at = now()"),
    ("console", "UPDATE notification_attempt SET channel = 'sms'"),
    ("jobs", "UPDATE notification SET account_id = gen_random_uuid()"),
    ("jobs", "UPDATE notification_attempt SET address_id = gen_random_uuid()"),
    ("jobs", "DELETE FROM notification"),
    # trials
    ("ingest", "SELECT * FROM what_if_run"),
    ("console", "INSERT INTO what_if_run (result) VALUES ('{}')"),
    ("console", "UPDATE what_if_run SET result = '{}'"),
    ("console", "DELETE FROM what_if_run"),
    ("console", "UPDATE alert_budget_spent SET cases = 0"),
    ("jobs", "UPDATE what_if_run SET proposal = '{}'"),
    # nobody makes anything of their own that a definer's function might find
    (
        "ingest",
        "CREATE FUNCTION public.least(timestamptz, timestamptz) RETURNS timestamptz LANGUAGE sql AS 'SELECT $1'",
    ),
    ("console", "CREATE TABLE public.alert_case_2 ()"),
    ("jobs", "ALTER FUNCTION wake_case(uuid, timestamptz) SECURITY INVOKER"),
)


def test_what_a_role_does_not_need_it_may_not(ward: Ward) -> None:
    done = []
    for role, statement in REFUSED:
        with psycopg.connect(urls(ward)[role], autocommit=True) as connection:
            try:
                connection.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                continue
            except psycopg.Error as error:
                done.append((role, statement, str(error)))
            else:
                done.append((role, statement, "done"))
    assert done == []


@pytest.mark.parametrize("role", ["ingest", "console"])
def test_nothing_is_woken_but_cases_that_there_are_and_each_once(ward: Ward, role: str) -> None:
    case_id = planted_case(ward)
    with psycopg.connect(urls(ward)[role], autocommit=True) as connection:
        for _ in range(3):
            connection.execute("SELECT wake_case(%s, now())", (uuid4(),))
            connection.execute("SELECT wake_case(%s, now())", (case_id,))
    assert ward.rows("SELECT args FROM procrastinate_jobs") == [({"case_id": str(case_id)},)]


def test_no_page_is_woken_that_there_is_not(ward: Ward) -> None:
    with psycopg.connect(ward.database.console_url, autocommit=True) as connection:
        connection.execute("SELECT wake_delivery(%s, now())", (uuid4(),))
    assert ward.rows("SELECT args FROM procrastinate_jobs") == []


@pytest.mark.parametrize("at", ["infinity", "-infinity", "0044-03-15 BC", "9999-12-31", None])
def test_nobody_stops_the_worker_with_a_time_that_is_none(ward: Ward, at: str | None) -> None:
    case_id = planted_case(ward)
    with (
        psycopg.connect(ward.database.ingest_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.DatetimeFieldOverflow),
    ):
        connection.execute("SELECT wake_case(%s, %s::timestamptz)", (case_id, at))
    assert ward.rows("SELECT args FROM procrastinate_jobs") == []


def test_each_function_that_acts_for_its_owner_looks_nowhere_but_where_it_should(ward: Ward) -> None:
    """A caller's own search_path, or a temporary table of his, must not come first."""
    definers = ward.rows(
        """SELECT p.oid::regprocedure::text, coalesce(p.proconfig, '{}'),
                  EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
                      AND p.prorettype <> 'trigger'::regtype
           FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE p.prosecdef AND n.nspname = 'public' AND p.proname NOT LIKE 'procrastinate%'"""
    )
    assert {"wake_case(uuid,timestamp with time zone)"} <= {name for name, _, _ in definers}
    for name, configured, anybody in definers:
        assert any(setting.startswith("search_path=") and setting.endswith("pg_temp") for setting in configured), name
        assert not anybody, name
