"""The jobs process as it runs: ready, judging, in order at its end, and through an absence of the database."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import procrastinate
import psycopg
import pytest
from procrastinate.schema import SchemaManager
from psycopg import sql

from cloud.clock import now
from cloud.db.components import beat
from deploy.services.running import Running
from tests.cloud.made import GATEWAY, Ward

PATIENCE_S = 30.0


@dataclass
class Jobs:
    """``python -m cloud jobs``, with what it said."""

    process: "subprocess.Popen[str]"
    ready: threading.Event = field(default_factory=threading.Event)
    said: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Read its output until it ends."""
        for line in self.process.stdout or ():
            self.said.append(line)
            if line.startswith("ready"):
                self.ready.set()

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


@contextmanager
def jobs(ward: Ward, name: str = "jobs-1") -> Iterator[Jobs]:
    """A jobs process that judges each second; killed at the end if it still runs."""
    environ = os.environ | {
        "PULSEPOST_DATABASE_URL": ward.database.jobs_url,
        "PULSEPOST_JOBS_NAME": name,
        "PULSEPOST_JUDGE_EVERY_S": "1",
        "PULSEPOST_BEAT_EVERY_S": "0.2",
    }
    command = [sys.executable, "-m", "cloud", "jobs"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running = Jobs(process)
    listener = threading.Thread(target=running.listen)
    listener.start()
    try:
        yield running
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        listener.join(PATIENCE_S)
        if process.stdout:
            process.stdout.close()
        # Shown where the test fails.
        sys.stdout.write("".join([f"{name}:\n", *running.said]))


def until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds; another process makes it true."""
    patience = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        if holds():
            return
        patience.wait(0.05)
    raise AssertionError(f"it did not come about that {what}")


def has_open_alarm(ward: Ward, condition: str) -> bool:
    """Whether the condition is in force."""
    found = ward.admin.execute(
        "SELECT FROM technical_alarm WHERE condition = %s AND resolved_at IS NULL", (condition,)
    ).fetchone()
    return found is not None


def tell_of_trouble(ward: Ward) -> None:
    """A gateway that can keep nothing."""
    beat(ward.ingest, "ingest-1", "ingest", now(), {"broker": True, "since": now().isoformat()})
    ward.admin.execute(
        "UPDATE gateway SET state = 'online', state_at = %(at)s, last_seen_at = %(at)s, storage_error = 'disk full'",
        {"at": now()},
    )


def test_it_judges_the_fleet_at_intervals_and_ends_in_order(ward: Ward) -> None:
    with jobs(ward) as running:
        assert running.ready.wait(PATIENCE_S), "".join(running.said)
        tell_of_trouble(ward)
        until(lambda: has_open_alarm(ward, "gateway_storage"), "the alarm was raised")
        ward.admin.execute("UPDATE gateway SET storage_error = NULL WHERE gateway_id = %s", (GATEWAY,))
        until(lambda: not has_open_alarm(ward, "gateway_storage"), "the alarm was resolved")
        until(lambda: ward.rows("SELECT name FROM component WHERE kind = 'jobs'") == [("jobs-1",)], "it is there")
        assert running.end() == 0

    assert running.said[0] == "ready: jobs jobs-1\n"
    assert ward.rows("SELECT name FROM component WHERE kind = 'jobs'") == []
    assert ward.count("procrastinate_workers") == 0


def test_it_outlives_a_notification_that_is_none(ward: Ward) -> None:
    """Any role may send on any channel of PostgreSQL; no grant keeps it from doing so."""
    with jobs(ward) as running:
        assert running.ready.wait(PATIENCE_S), "".join(running.said)
        for payload in ("", "{", "[]", '{"type": "job_inserted"}', '{"type": "abort_job_requested", "job_id": "x"}'):
            ward.ingest.execute("SELECT pg_notify('procrastinate_any_queue_v1', %s)", (payload,))
        tell_of_trouble(ward)
        until(lambda: has_open_alarm(ward, "gateway_storage"), "the alarm was raised")
        assert running.end() == 0


def test_done_jobs_leave_nothing_behind(ward: Ward) -> None:
    with jobs(ward) as running:
        assert running.ready.wait(PATIENCE_S)
        until(
            lambda: (
                ward.rows("SELECT detail ->> 'judged_at' IS NOT NULL FROM component WHERE kind = 'jobs'") == [(True,)]
            ),
            "it has judged",
        )
        assert running.end() == 0

    assert ward.rows("SELECT status, count(*) FROM procrastinate_jobs WHERE status <> 'todo' GROUP BY status") == []


def test_it_outlives_an_absence_of_the_database(ward: Ward, services: Running) -> None:
    name = sql.Identifier(ward.admin.info.dbname)
    with jobs(ward) as running, psycopg.connect(services.postgres_admin_url, autocommit=True) as outside:
        assert running.ready.wait(PATIENCE_S)
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        outside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'pulsepost_jobs' AND datname = %s",
            (ward.admin.info.dbname,),
        )
        until(lambda: any("database is away" in line for line in running.said), "it noticed")
        assert running.process.poll() is None
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))

        tell_of_trouble(ward)
        until(lambda: has_open_alarm(ward, "gateway_storage"), "it judges again")
        assert running.end() == 0


def test_it_waits_for_a_database_that_is_not_there_yet_and_can_be_told_to_end(ward: Ward, services: Running) -> None:
    name = sql.Identifier(ward.admin.info.dbname)
    with psycopg.connect(services.postgres_admin_url, autocommit=True) as outside:
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        with jobs(ward) as running:
            until(lambda: any("away" in line for line in running.said), "it noticed")
            assert not running.ready.is_set()
            assert running.end() == 0
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def test_another_takes_over_from_one_that_was_killed(ward: Ward) -> None:
    with jobs(ward) as first:
        assert first.ready.wait(PATIENCE_S)
        until(lambda: ward.rows("SELECT name FROM component") == [("jobs-1",)], "the first is there")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(PATIENCE_S)
    with jobs(ward, "jobs-2") as second:
        assert second.ready.wait(PATIENCE_S)
        tell_of_trouble(ward)
        until(lambda: has_open_alarm(ward, "gateway_storage"), "the second judges")
        assert second.end() == 0

    assert ward.rows("SELECT name FROM component WHERE kind = 'jobs'") == [("jobs-1",)]


def test_a_newer_procrastinate_needs_a_migration_of_ours() -> None:
    steps = sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))

    assert steps[-1] == "03.04.00_50_post_add_retry_failed_job_procedure.sql", procrastinate.__version__


@pytest.mark.parametrize("table", ["procrastinate_jobs", "procrastinate_events", "procrastinate_workers"])
def test_only_the_jobs_process_sees_jobs(ward: Ward, table: str) -> None:
    query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
    with psycopg.connect(ward.database.console_url, autocommit=True) as console:
        for connection in (ward.ingest, console):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM glucose_observation",
        "SELECT * FROM blood_pressure_observation",
        "SELECT display_name FROM patient",
        "SELECT payload FROM quarantine",
        "SELECT * FROM account",
        "SELECT password_hash FROM account",
        "SELECT raw FROM ledger",
        "UPDATE gateway SET revoked_at = NULL",
        "UPDATE alert SET tier = 'routine'",
        "DELETE FROM alert_case",
        "DELETE FROM case_event",
        "DELETE FROM notification",
        "UPDATE alert_case SET disposition = 'advice_given'",
    ],
)
def test_the_jobs_role_may_not(ward: Ward, statement: str) -> None:
    with (
        psycopg.connect(ward.database.jobs_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
