"""The real services: one cluster and one broker per clone, a database per test, a broker of a test's own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
import pytest
from psycopg import sql

from cloud.db.migrate import migrate
from deploy.services import databases, given
from deploy.services.running import Running
from deploy.services.source import OwnBroker
from deploy.services.start import own_broker, services_in_use


@dataclass(frozen=True)
class Database:
    """A database of the test's own, migrated to head: one URL per role."""

    admin_url: str
    ingest_url: str
    console_url: str
    jobs_url: str
    enrolment_url: str


@pytest.fixture(scope="session")
def services() -> Iterator[Running]:
    """TimescaleDB and Mosquitto, started if nobody has; stopped at the end unless somebody else uses or keeps them."""
    with services_in_use() as running, _careless(running):
        yield running


@contextmanager
def _careless(running: Running) -> Iterator[None]:
    """Our own cluster does not wait for the disk: a database of a second need not outlive the machine.

    What a kill leaves is the same. The next start of the cluster is careful again, however the tests end; the one in a
    container is careful all the time.
    """
    if given.DATABASE in os.environ:
        yield
        return
    with psycopg.connect(running.postgres_admin_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connection.execute("ALTER SYSTEM RESET fsync")
            connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def template_database(services: Running) -> Iterator[str]:
    """The name of a migrated database, made once per session, to clone from; nobody may connect to it."""
    name = f"{databases.SCRATCH}template_{secrets.token_hex(6)}"
    _create(services, name)
    try:
        migrate(services.admin_url(name))
        _close_to_connections(services, name)
        yield name
    finally:
        databases.drop(services.postgres_admin_url, name)


@pytest.fixture(scope="session")
def copies(services: Running, template_database: str) -> Iterator[Copies]:
    """Copies of the template; all are dropped at the end."""
    with Copies(services, template_database) as copies:
        yield copies


@pytest.fixture
def database(copies: Copies) -> Iterator[Database]:
    """A fresh database at the head of the migrations; dropped afterwards, whoever is still connected."""
    with copies.fresh() as database:
        yield database


class Copies:
    """Copies of a template. The next one is made, and the last one dropped, while a test runs: both wait for the disk.

    What fails at that is raised by whoever needs the next copy, or at the end.
    """

    def __init__(self, services: Running, template: str) -> None:
        self._services = services
        self._template = template
        self._aside = ThreadPoolExecutor(1, "databases")
        self._next = self._aside.submit(self._made)
        self._dropped = self._aside.submit(_nothing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._aside:
            self._drop(self._next.result())
            self._dropped.result()

    @contextmanager
    def fresh(self) -> Iterator[Database]:
        """A copy for as long as its user needs it."""
        name, self._next = self._next.result(), self._aside.submit(self._made)
        try:
            yield Database(
                admin_url=self._services.admin_url(name),
                ingest_url=self._services.role_url("pulsepost_ingest", name),
                console_url=self._services.role_url("pulsepost_console", name),
                jobs_url=self._services.role_url("pulsepost_jobs", name),
                enrolment_url=self._services.role_url("pulsepost_enrolment", name),
            )
        finally:
            self._drop(name)

    def _made(self) -> str:
        name = f"{databases.SCRATCH}{secrets.token_hex(6)}"
        _create(self._services, name, template=self._template)
        return name

    def _drop(self, name: str) -> None:
        self._dropped.result()
        self._dropped = self._aside.submit(databases.drop, self._services.postgres_admin_url, name)


def _nothing() -> None:
    """Done at once."""


@pytest.fixture
def broker() -> Iterator[OwnBroker]:
    """A Mosquitto of the test's own: kill() and start() keep its port and what it persisted."""
    with own_broker() as running:
        yield running


def _create(services: Running, name: str, template: str = "template0") -> None:
    # Copied through the log: as files, each copy would wait for two checkpoints of all that the other tests write.
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log")
    with psycopg.connect(services.postgres_admin_url, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        # A test's data may die with the machine; what the server says is committed still survives its processes.
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))


def _close_to_connections(services: Running, name: str) -> None:
    """A database that is copied must have no sessions: TimescaleDB's scheduler keeps one in each open database."""
    with psycopg.connect(services.postgres_admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        connection.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])
