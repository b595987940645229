"""What is ended, and above all what is not."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from cloud.db.connect import Connection, open_connection
from cloud.retention.models import KEEPING, Keeping
from cloud.retention.service import Ended, end_what_is_over
from tests.cloud.made import GATEWAY, METER, NOW, Ward, arrival, glucose, message, session

DAY = timedelta(days=1)
LONG_AGO = NOW - KEEPING.resolved_alarms - DAY


@pytest.fixture
def jobs(ward: Ward) -> Iterator[Connection]:
    """The role that does it."""
    with closing(open_connection(ward.database.jobs_url, "test", autocommit=True)) as connection:
        yield connection


def visits(ward: Ward, count: int, since: datetime, gateway_id: str = GATEWAY) -> None:
    """Visits to the meter that brought nothing, a minute apart."""
    ward.admin.execute(
        "INSERT INTO device_session (session_id, gateway_id, device_id, profile, started_at, received_at)"
        " SELECT gen_random_uuid(), %s, %s, 'p', at, at"
        " FROM generate_series(%s, %s, interval '1 minute') AS at",
        (gateway_id, METER.device_id, since, since + (count - 1) * timedelta(minutes=1)),
    )


def alarm(ward: Ward, resolved_at: datetime | None, condition: str = "gateway_away") -> None:
    ward.admin.execute(
        "INSERT INTO technical_alarm (condition, subject, gateway_id, priority, sentence, reason, raised_at,"
        " changed_at, resolved_at) VALUES (%s, 'gateway:home-1', %s, 'low', '', '{}', %s, %s, %s)",
        (condition, GATEWAY, LONG_AGO, LONG_AGO, resolved_at),
    )


def test_old_visits_that_brought_nothing_are_ended_but_for_the_newest(ward: Ward, jobs: Connection) -> None:
    visits(ward, 70, LONG_AGO)
    assert end_what_is_over(jobs, NOW) == Ended(sessions=70 - KEEPING.newest_sessions, alarms=0)
    assert end_what_is_over(jobs, NOW) == Ended(0, 0)


def test_it_is_done_in_pieces(ward: Ward, jobs: Connection) -> None:
    visits(ward, 70, LONG_AGO)
    keeping = Keeping(at_once=15)
    assert [end_what_is_over(jobs, NOW, keeping).sessions for _ in range(3)] == [15, 5, 0]


def test_what_a_reading_came_with_stays_for_ever(ward: Ward, jobs: Connection) -> None:
    stored = session(METER)
    ward.receive(arrival(message(glucose(at=NOW), visit=stored)))
    ward.admin.execute("UPDATE device_session SET started_at = %s, received_at = %s", (LONG_AGO - DAY, LONG_AGO - DAY))
    visits(ward, 60, LONG_AGO)
    end_what_is_over(jobs, NOW)
    assert ward.rows("SELECT count(*) FROM ledger JOIN device_session USING (session_id)") == [(1,)]


def test_what_is_held_or_reconciled_keeps_its_session(ward: Ward, jobs: Connection) -> None:
    visits(ward, 60, LONG_AGO)
    oldest, second = ward.rows("SELECT session_id FROM device_session ORDER BY started_at LIMIT 2")
    ward.admin.execute("UPDATE device SET complete_session_id = %s WHERE device_id = %s", (oldest[0], METER.device_id))
    ward.admin.execute(
        "INSERT INTO quarantine (received_at, gateway_id, device_id, session_id, reason_code, reason, payload,"
        " payload_sha256) VALUES (%s, %s, %s, %s, 'undecodable', '', '', '')",
        (LONG_AGO, GATEWAY, METER.device_id, second[0]),
    )
    assert end_what_is_over(jobs, NOW).sessions == 60 - KEEPING.newest_sessions - 2
    kept = ward.rows("SELECT session_id FROM device_session ORDER BY started_at LIMIT 2")
    assert kept == [oldest, second]


def test_the_newest_visit_by_each_gateway_stays(ward: Ward, jobs: Connection) -> None:
    other = f"gateway-{uuid4().hex[:8]}"
    ward.admin.execute("INSERT INTO gateway (gateway_id, enrolled_at) VALUES (%s, %s)", (other, LONG_AGO))
    visits(ward, 3, LONG_AGO - DAY, other)
    visits(ward, 60, LONG_AGO)
    end_what_is_over(jobs, NOW)
    assert ward.rows("SELECT count(*) FILTER (WHERE gateway_id LIKE 'gateway-%'), count(*) FROM device_session") == [
        (1, 51)
    ]


def test_what_is_not_old_stays(ward: Ward, jobs: Connection) -> None:
    visits(ward, 70, NOW - KEEPING.idle_sessions + DAY)
    alarm(ward, NOW - KEEPING.resolved_alarms + DAY)
    alarm(ward, NOW)
    assert not end_what_is_over(jobs, NOW)


def test_of_alarms_that_are_long_over_the_last_of_each_stays_and_an_open_one_too(ward: Ward, jobs: Connection) -> None:
    for days in range(5):
        alarm(ward, LONG_AGO - days * DAY)
    alarm(ward, None)
    alarm(ward, LONG_AGO, "gateway_clock")
    assert end_what_is_over(jobs, NOW) == Ended(sessions=0, alarms=4)
    assert ward.rows("SELECT condition, resolved_at FROM technical_alarm ORDER BY condition, resolved_at") == [
        ("gateway_away", LONG_AGO),
        ("gateway_away", None),
        ("gateway_clock", LONG_AGO),
    ]


def test_every_limit_says_its_unit_its_reason_and_that_it_is_a_proposal() -> None:
    assert {limit.metadata["source"] for limit in fields(Keeping)} == {"proposal"}
    assert all(limit.metadata["unit"] and limit.metadata["why"] for limit in fields(Keeping))


def test_an_alarm_that_is_not_resolved_cannot_be_deleted_by_whoever_ends_the_others(
    ward: Ward, jobs: Connection
) -> None:
    alarm(ward, None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        jobs.execute("DELETE FROM technical_alarm")
    assert ward.count("technical_alarm") == 1
