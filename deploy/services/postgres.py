"""One PostgreSQL cluster with TimescaleDB, of our own, on loopback.

No unix socket, no trust: the only way in is a password (SCRAM-SHA-256) over 127.0.0.1. Each start is with fsync on;
what tests may give up, they give up while they run.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from deploy.services.errors import ServiceFailed
from deploy.services.installation import POSTGRES_BIN, Installation
from deploy.services.ports import LOOPBACK, free_port
from deploy.services.processes import Process, wait_until_none_in

USER = "postgres"

CONFIGURATION = """\
# Written by deploy/services at each start.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = 'off'
timescaledb.max_background_workers = 32
max_worker_processes = 48
max_connections = 200
shared_buffers = '128MB'
max_wal_size = '1GB'
dynamic_shared_memory_type = 'mmap'   # a root entered by chroot has no tmpfs at /dev/shm
fsync = on                            # the demo and the kill tests prove durability: nothing is pretended
log_destination = 'stderr'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '       # which database: a cluster may serve several clones' tests
timezone = 'UTC'
# Statements can hold patients' data; the log holds none of them.
log_statement = 'none'
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'         # no DETAIL: it quotes the row that failed
log_parameter_max_length_on_error = 0
"""

HOST_BASED_AUTHENTICATION = """\
# TYPE  DATABASE  USER  ADDRESS        METHOD
host    all       all   127.0.0.1/32   scram-sha-256
"""


class Postgres:
    """The cluster in one folder of an installation."""

    def __init__(self, installation: Installation, name: str = "postgres") -> None:
        self._installation = installation
        self._name = name
        self._folder = installation.data / name
        self._data = self._folder / "data"
        self._log = self._folder / "postgres.log"

    def create(self, password: str) -> None:
        """Make the cluster if there is none; the superuser `postgres` gets this password."""
        self._installation.folder(self._name, USER)
        if (self._data / "PG_VERSION").exists() and not (self._folder / "password").exists():
            return
        password_file = self._folder / "password"  # while it exists, initdb has not ended: start over
        self._installation.write_private(password_file, password + "\n", USER)
        if self._data.exists():
            shutil.rmtree(self._data)
        self._installation.run(
            f"{POSTGRES_BIN}/initdb",
            f"--pgdata={self._installation.inside(self._data)}",
            f"--pwfile={self._installation.inside(password_file)}",
            f"--username={USER}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            user=USER,
        )
        password_file.unlink()

    def start(self, preferred_port: int | None = None) -> tuple[Process, int]:
        """Start the server and wait until it takes connections; the process and its port on loopback."""
        self._installation.write_private(self._data / "postgresql.conf", CONFIGURATION, USER)
        # What somebody changed while it ran was for as long as it ran.
        self._installation.write_private(self._data / "postgresql.auto.conf", "", USER)
        self._installation.write_private(self._data / "pg_hba.conf", HOST_BASED_AUTHENTICATION, USER)
        self._remove_stale_pid_file()
        port = free_port(preferred_port)
        try:
            self._installation.run(
                f"{POSTGRES_BIN}/pg_ctl",
                "start",
                "--wait",
                "--timeout=60",
                f"--pgdata={self._installation.inside(self._data)}",
                f"--log={self._installation.inside(self._log)}",
                f"--options=-p {port}",
                user=USER,
            )
        except ServiceFailed as failure:
            raise ServiceFailed(f"{failure}; {last_lines(self._log)}") from failure
        process = self.process()
        if process is None:
            raise ServiceFailed(f"postgres ended right after its start; {last_lines(self._log)}")
        return process, port

    def process(self) -> Process | None:
        """The running server of this folder, by postmaster.pid."""
        folder = self._installation.inside(self._data)
        return Process.of_pid_file(self._data / "postmaster.pid", argument=folder, root=self._installation.root)

    def remove(self) -> None:
        """Remove everything it wrote, once its last process has ended."""
        wait_until_none_in(self._data, timeout_s=30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_stale_pid_file(self) -> None:
        """Of a server that was killed: its pid may be a zombie's, or another program's, and postgres would not start.

        Only when no process of that server is left: the file is what keeps two servers out of one folder.
        """
        if self.process() is not None or not wait_until_none_in(self._data, timeout_s=30):
            raise ServiceFailed(f"a postgres still runs in {self._data}")
        (self._data / "postmaster.pid").unlink(missing_ok=True)


def stop(process: Process) -> None:
    """Fast shutdown (SIGINT): sessions are ended, what is committed is on disk."""
    process.end(first=signal.SIGINT, patience_s=60)


def url(user: str, password: str, port: int, database: str) -> str:
    """A libpq URL on loopback; the passwords are URL-safe by construction (`passwords`)."""
    return f"postgresql://{user}:{password}@{LOOPBACK}:{port}/{database}"


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for an error's text."""
    if not log.exists():
        return f"{log} was not written"
    return "its log ends: " + " | ".join(log.read_text(errors="replace").splitlines()[-count:])
