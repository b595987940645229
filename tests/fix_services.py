"""The real services: one cluster and one broker per clone, a database per test, a broker of a test's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from cloud.db.migrate import migrate
from deploy.services import databases
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
    with services_in_use() as running:
        yield running


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


@pytest.fixture
def database(services: Running, template_database: str) -> Iterator[Database]:
    """A fresh database at the head of the migrations; dropped at the end, whoever is still connected."""
    with fresh_database(services, template_database) as database:
        yield database


@contextmanager
def fresh_database(services: Running, template: str) -> Iterator[Database]:
    """A copy of the template, for as long as its user needs it."""
    name = f"{databases.SCRATCH}{secrets.token_hex(6)}"
    _create(services, name, template=template)
    try:
        yield Database(
            admin_url=services.admin_url(name),
            ingest_url=services.role_url("pulsepost_ingest", name),
            console_url=services.role_url("pulsepost_console", name),
            jobs_url=services.role_url("pulsepost_jobs", name),
            enrolment_url=services.role_url("pulsepost_enrolment", name),
        )
    finally:
        databases.drop(services.postgres_admin_url, name)


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
