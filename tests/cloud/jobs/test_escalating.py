"""Looks and sweeps as jobs: nothing overdue is missed, and a failure is said without what it stumbled over."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from cloud.config import JobsSettings
from cloud.db.connect import open_connection
from cloud.jobs import escalating
from cloud.jobs.desk import Desk
from tests.cloud.escalation.made import Clinic, made_clinic
from tests.cloud.made import NOW, Ward, wait_for_a_lock


@dataclass
class Host:
    """A jobs host with a clock that a test sets."""

    desk: Desk
    time: list[datetime] = field(default_factory=lambda: [NOW])


@pytest.fixture
def host(ward: Ward) -> Iterator[Host]:
    """Connected to the ward's database."""
    time = [NOW]
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: time[0])
    desk.pool.open()
    try:
        yield Host(desk, time)
    finally:
        desk.pool.close()


@pytest.fixture
def clinic(ward: Ward) -> Iterator[Clinic]:
    """Without a roster."""
    with made_clinic(ward) as made:
        yield made


def jobs_of(clinic: Clinic) -> set[UUID]:
    """Cases for which a look waits."""
    rows = clinic.ward.rows("SELECT args ->> 'case_id' FROM procrastinate_jobs WHERE status = 'todo'")
    return {UUID(row[0]) for row in rows}


def test_a_sweep_has_all_overdue_cases_looked_at_and_no_other(clinic: Clinic, host: Host) -> None:
    overdue = {clinic.open_case(condition=f"condition_{n}", at=NOW - timedelta(hours=n)) for n in range(3)}
    clinic.open_case(condition="later", at=NOW + timedelta(seconds=1))
    escalating.sweep(host.desk)
    escalating.sweep(host.desk)
    assert jobs_of(clinic) == overdue
    assert clinic.ward.count("procrastinate_jobs") == 3


def test_a_sweep_leaves_alone_what_waits_for_its_turn(clinic: Clinic, host: Host) -> None:
    waiting, asked_for_later = (clinic.open_case(condition=f"c{n}") for n in range(2))
    clinic.ward.admin.execute("SELECT wake_case(%s, now())", (waiting,))
    clinic.ward.admin.execute("SELECT wake_case(%s, now() + interval '1 hour')", (asked_for_later,))
    before = clinic.ward.rows("SELECT xmin::text FROM procrastinate_jobs ORDER BY id")
    escalating.sweep(host.desk)
    after = clinic.ward.rows("SELECT xmin::text FROM procrastinate_jobs ORDER BY id")
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]
    assert clinic.ward.rows("SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at <= now()") == [(2,)]


def test_gaps_are_tended(clinic: Clinic, host: Host) -> None:
    clinic.ward.admin.execute(
        "INSERT INTO duty_gap (role, why, opened_at, next_at) VALUES ('nurse', 'nobody_on_duty', %s, %s)", (NOW, NOW)
    )
    escalating.tend(host.desk)
    assert clinic.gaps() == [("nurse", "nobody_on_duty", False, True)]


def test_a_look_is_committed(clinic: Clinic, host: Host) -> None:
    case_id = clinic.open_case()
    escalating.look(host.desk, case_id)
    assert clinic.told(case_id) == [(1, 1, clinic.nurse)]


def test_a_look_that_fails_is_said_without_what_it_stumbled_over_and_the_sweep_makes_up_for_it(
    clinic: Clinic, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    case_id = clinic.open_case()
    clinic.ward.admin.execute("ALTER TABLE duty_site RENAME TO dawn")
    escalating.look(host.desk, case_id)
    assert f"case {case_id} was not looked at (UndefinedTable 42P01 at cloud/duty/" in caplog.text
    assert "duty_site" not in caplog.text
    assert clinic.told(case_id) == []

    clinic.ward.admin.execute("ALTER TABLE dawn RENAME TO duty_site")
    escalating.sweep(host.desk)
    assert jobs_of(clinic) == {case_id}


def test_a_look_at_no_case_does_nothing(clinic: Clinic, host: Host, caplog: pytest.LogCaptureFixture) -> None:
    escalating.look(host.desk, clinic.nurse)
    assert caplog.text == ""


def test_a_sweep_that_waits_for_one_case_holds_up_nobody_who_wakes_another(clinic: Clinic, host: Host) -> None:
    first, second = (clinic.open_case(condition=f"c{n}", at=NOW - timedelta(hours=2 - n)) for n in range(2))
    with ThreadPoolExecutor(1) as pool, open_connection(clinic.ward.database.admin_url, "ingest") as other:
        other.execute("SELECT wake_case(%s, now())", (second,))
        swept = pool.submit(escalating.sweep, host.desk)
        wait_for_a_lock(clinic.ward)
        other.execute("SET LOCAL lock_timeout = '2s'")
        other.execute("SELECT wake_case(%s, now())", (first,))
        other.commit()
        swept.result()
    assert jobs_of(clinic) == {first, second}


def test_looks_come_before_what_takes_its_time(clinic: Clinic) -> None:
    clinic.ward.admin.execute("SELECT wake_delivery(gen_random_uuid(), now())")
    case_id = clinic.open_case()
    clinic.ward.admin.execute("SELECT wake_case(%s, now())", (case_id,))
    [(task,)] = clinic.ward.rows("SELECT (procrastinate_fetch_job_v2(NULL, NULL)).task_name")
    assert task == "look_at_case"
