"""Reminders of appointments, through a jobs process that is killed at any point: once each, and none in vain."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from cloud.clock import now
from cloud.config import JobsSettings
from cloud.jobs import keeping_appointments as keeping
from cloud.jobs.desk import Desk
from tests.cloud.jobs.forked import jobs
from tests.cloud.jobs.killing import KillingProxy, through
from tests.cloud.jobs.test_delivery_kills import until
from tests.cloud.made import Ward

NAME = "jobs-1"
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["cloud.jobs.worker", "cloud.__main__", "tests.cloud.jobs.forked"])
# A reminder alone comes to some thirty pieces on the way to the database and back.
POINTS = (3, 8, 13, 18, 23)


@contextmanager
def running(ward: Ward, port: int) -> Iterator[ForkServerProcess]:
    """A jobs process that is at work, and is killed at the end."""
    ward.admin.execute("DELETE FROM component")
    environ = {
        "PULSEPOST_DATABASE_URL": through(ward.database.jobs_url, port),
        "PULSEPOST_JOBS_NAME": NAME,
        "PULSEPOST_JUDGE_EVERY_S": "59",
        "PULSEPOST_BEAT_EVERY_S": "0.05",
    }
    process = FORKS.Process(target=jobs, args=(environ,))
    process.start()
    try:
        until(lambda: ward.count("component") == 1, "the process is at work")
        yield process
    finally:
        process.kill()
        process.join(60)
        process.close()


@pytest.fixture
def proxy(ward: Ward) -> Iterator[KillingProxy]:
    """Between the jobs process and the database."""
    parts = urlsplit(ward.database.jobs_url)
    made = KillingProxy(parts.hostname or "127.0.0.1", parts.port or 5432, f"pulsepost {NAME} jobs")
    made.start()
    yield made
    made.stop()


def book(ward: Ward, number: int, *, remind_in: timedelta = timedelta()) -> UUID:
    """An appointment of in some days, of which its patient is to be reminded now."""
    begins = now() + timedelta(days=2, hours=number)
    [(appointment_id,)] = ward.admin.execute(
        """INSERT INTO appointment (patient_id, seen_by, way, starts_at, ends_at, state, booked_by, booked_at,
                                    changed_at, remind_at)
           VALUES (%(patient)s, %(nurse)s, 'clinic', %(at)s, %(at)s + interval '20 minutes', 'booked', %(nurse)s,
                   %(now)s, %(now)s, %(remind)s) RETURNING appointment_id""",
        {"patient": ward.patient_id, "nurse": ward.nurse_id, "at": begins, "now": now(),
         "remind": now() + remind_in},
    )  # fmt: skip
    found: UUID = appointment_id
    return found


def reminded(ward: Ward) -> int:
    [(count,)] = ward.rows("SELECT count(*) FROM appointment WHERE reminded_at IS NOT NULL")
    return int(count)


def test_through_deaths_at_each_point_everybody_is_reminded_once_and_nobody_of_what_is_cancelled(
    ward: Ward, proxy: KillingProxy
) -> None:
    made, deaths = [], 0
    for number, point in enumerate(POINTS):
        with running(ward, proxy.port) as process:
            proxy.arm(process.pid or 0, point)
            made.append(book(ward, number))
            until(lambda: proxy.died.is_set() or reminded(ward) == len(made), "it was reminded of, or died")
            deaths += proxy.died.is_set()
            proxy.disarm()
    assert deaths >= 3, "it was killed on its way"
    cancelled = book(ward, 20, remind_in=timedelta(seconds=2))
    ward.admin.execute(
        "UPDATE appointment SET state = 'cancelled', changed_at = now() WHERE appointment_id = %s", (cancelled,)
    )
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), now)
    with running(ward, proxy.port):
        # Whose jobs died is taken up by the sweep, as it is each minute.
        desk.pool.open()
        try:
            keeping.sweep(desk)
            keeping.remind(desk, cancelled)
        finally:
            desk.pool.close()
        until(lambda: reminded(ward) == len(made), "everybody was reminded")
        until(lambda: not waiting(ward), "no timer is left")
    assert reminded(ward) == len(made)
    rows = ward.rows("SELECT subject_id, count(*) FROM outside_message GROUP BY 1")
    assert dict(rows) == dict.fromkeys(made, 1)


def waiting(ward: Ward) -> int:
    """Timers that would still ring."""
    [(count,)] = ward.rows(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'remind_of_appointment' AND status = 'todo'"
    )
    return int(count)


def test_what_was_moved_is_reminded_of_at_its_new_time_and_what_waits_to_leave_is_called_off(ward: Ward) -> None:
    appointment_id = book(ward, 0)
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), now)
    desk.pool.open()
    try:
        keeping.remind(desk, appointment_id)
        assert ward.rows("SELECT state FROM outside_message") == [("waiting",)]
        ward.admin.execute(
            """UPDATE appointment SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day',
               reminded_at = NULL, remind_at = %s, changed_at = now() WHERE appointment_id = %s""",
            (now() + timedelta(hours=1), appointment_id),
        )
        assert ward.rows("SELECT state FROM outside_message") == [("withdrawn",)]
        keeping.remind(desk, appointment_id)
        assert reminded(ward) == 0
    finally:
        desk.pool.close()
