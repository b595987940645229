"""What every way of running the services offers; `local` and `docker` are the two ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from deploy.services.door import Door
from deploy.services.passwords import Passwords
from deploy.services.state import Started, State


class OwnBroker(Protocol):
    """A Mosquitto beside the shared one, with the product's configuration; port and persistence outlive `kill`."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def door(self) -> Door:
        """Where gateways come in by certificate."""

    def start(self) -> None:
        """Start it and wait until it takes connections; the second time on the same ports, with what it persisted."""

    def kill(self) -> None:
        """SIGKILL: what it has not written down is lost."""

    def stop(self) -> None:
        """Let it write its database and end."""

    def wipe(self) -> None:
        """Remove what it persisted, as a disk that was replaced; its users stay. Only while it does not run."""

    def log(self) -> str:
        """What it has written so far."""

    def add_user(self, name: str) -> str:
        """Let a user in by password at the inner port; the password, new at each call.

        In production that is the cloud alone ("ingest"); a test's gateway without a certificate comes in here, too.
        """

    def add_users(self, names: Iterable[str]) -> dict[str, str]:
        """Let many in at once; their passwords."""


class OwnDatabase(Protocol):
    """A cluster with TimescaleDB beside the shared one, with our roles; port and data outlive `kill`."""

    @property
    def port(self) -> int: ...

    def url(self, user: str, database: str) -> str:
        """A libpq URL for the superuser `postgres` or one of our roles."""

    def start(self) -> None:
        """Start it and wait until it takes connections; after a kill that is when it has recovered."""

    def kill(self) -> None:
        """SIGKILL of the server: what is committed is in its log, and nothing else."""

    def stop(self) -> None:
        """End its sessions and let it shut down."""


class Source(Protocol):
    """Runs the services on this machine. Every method may raise ServiceFailed."""

    @property
    def name(self) -> str:
        """As written in the state file."""

    @property
    def words(self) -> str:
        """Where the programs come from, for people."""

    def start_postgres(self, passwords: Passwords, known: Started | None) -> Started:
        """The running cluster if it is ours and answers, else the same data started again."""

    def start_mosquitto(self, passwords: Passwords, known: Started | None) -> Started:
        """The running broker if it is ours and answers, else the same data started again."""

    def door(self) -> Door:
        """Where gateways come in at the shared broker, which has been started."""

    def set_broker_password(self, user: str, password: str) -> None:
        """Let `user` in at the shared broker."""

    def stop(self, state: State) -> Iterator[str]:
        """End what was started, one after the other; each in words."""

    def own_broker(self) -> AbstractContextManager[OwnBroker]:
        """A started broker; ended, and its data removed, at the end."""

    def own_database(self, passwords: Passwords) -> AbstractContextManager[OwnDatabase]:
        """A started cluster; ended, and its data removed, at the end."""

    def remove_leftovers(self) -> None:
        """End and remove the brokers and clusters of users that were killed. Only while nobody uses the services."""
