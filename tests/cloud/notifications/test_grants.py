"""Who may read addresses, and who may change what people were told."""

import psycopg
import pytest

from tests.cloud.made import Ward


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("ingest", "SELECT address FROM staff_address"),
        ("ingest", "SELECT * FROM notification"),
        ("ingest", "INSERT INTO notification_attempt DEFAULT VALUES"),
        ("enrolment", "SELECT address FROM staff_address"),
        ("console", "DELETE FROM notification"),
        ("console", "DELETE FROM staff_address"),
        ("console", "UPDATE staff_address SET address = '+4520123457'"),
        ("console", "UPDATE notification SET account_id = gen_random_uuid()"),
        ("console", "INSERT INTO notification_attempt DEFAULT VALUES"),
        ("console", "SELECT wake('judge_fleet', 'x', '{}', now())"),
        ("jobs", "UPDATE staff_address SET verified_at = now()"),
        ("jobs", "INSERT INTO staff_address DEFAULT VALUES"),
    ],
)
def test_what_a_role_does_not_need_it_may_not(ward: Ward, role: str, statement: str) -> None:
    urls = {
        "ingest": ward.database.ingest_url,
        "enrolment": ward.database.enrolment_url,
        "console": ward.database.console_url,
        "jobs": ward.database.jobs_url,
    }
    with (
        psycopg.connect(urls[role], autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
