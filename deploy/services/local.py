"""PostgreSQL and Mosquitto as processes of this machine, from one installation: start, reuse, stop."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.services import mosquitto, postgres
from deploy.services.door import Door
from deploy.services.errors import ServiceFailed
from deploy.services.installation import Installation
from deploy.services.mosquitto import Mosquitto
from deploy.services.passwords import Passwords
from deploy.services.ports import LOOPBACK, listens
from deploy.services.postgres import Postgres
from deploy.services.processes import Process
from deploy.services.state import Started, State

OWN_BROKERS = "brokers"
"""The folder, under the installation's data, of the brokers of one user each."""
OWN_DATABASES = "databases"
"""The same for clusters."""


@dataclass(frozen=True)
class Local:
    """The two programs of one installation."""

    name: str
    words: str
    installation: Installation

    def start_postgres(self, passwords: Passwords, known: Started | None) -> Started:
        """The running cluster if it is ours and answers, else the same data started again (on its old port if free)."""
        cluster = Postgres(self.installation)
        running = cluster.process()
        if known is not None and _answers(known, running):
            return known
        if running is not None:  # started, but its starter died before writing it down
            postgres.stop(running)
        cluster.create(passwords.postgres)
        process, port = cluster.start(None if known is None else known.port)
        return Started(port, process)

    def start_mosquitto(self, passwords: Passwords, known: Started | None) -> Started:
        """The running broker if it is ours and answers, else the same data started again (on its old port if free)."""
        broker = Mosquitto(self.installation)
        running = broker.process()
        if known is not None and _answers(known, running) and broker.door() is not None:
            return known
        if running is not None:
            mosquitto.stop(running)
        broker.create()
        broker.set_passwords({mosquitto.INGEST: passwords.broker_ingest})
        process, port = broker.start(None if known is None else known.port)
        return Started(port, process)

    def set_broker_password(self, user: str, password: str) -> None:
        """Let `user` in at the shared broker."""
        Mosquitto(self.installation).set_passwords({user: password})

    def door(self) -> Door:
        """Where gateways come in at the shared broker, which has been started."""
        door = Mosquitto(self.installation).door()
        if door is None:
            raise ServiceFailed("the broker has no listener for gateways")
        return door

    def stop(self, state: State) -> Iterator[str]:
        """End the processes in the state file, those of them that live."""
        for name, started, end in (
            ("mosquitto", state.mosquitto, mosquitto.stop),
            ("postgres", state.postgres, postgres.stop),
        ):
            if started is not None and started.process is not None and started.process.is_alive():
                end(started.process)
                yield f"{name} (pid {started.process.pid}, port {started.port})"

    @contextmanager
    def own_broker(self) -> Iterator[LocalBroker]:
        """A started broker; ended, and its folder removed, at the end."""
        program = Mosquitto(self.installation, f"{OWN_BROKERS}/{secrets.token_hex(6)}")
        broker = LocalBroker(program)
        try:
            program.create()
            broker.start()
            yield broker
        finally:
            broker.stop()
            program.remove()

    @contextmanager
    def own_database(self, passwords: Passwords) -> Iterator[LocalDatabase]:
        """A started cluster; ended, and its folder removed, at the end."""
        program = Postgres(self.installation, f"{OWN_DATABASES}/{secrets.token_hex(6)}")
        database = LocalDatabase(program, passwords)
        try:
            program.create(passwords.postgres)
            database.start()
            yield database
        finally:
            database.stop()
            program.remove()

    def remove_leftovers(self) -> None:
        """End and remove the brokers and clusters of users that were killed."""
        for folder in self.installation.data.glob(f"{OWN_DATABASES}/*"):
            cluster = Postgres(self.installation, f"{OWN_DATABASES}/{folder.name}")
            server = cluster.process()
            if server is not None:
                postgres.stop(server)
            cluster.remove()
        for folder in self.installation.data.glob(f"{OWN_BROKERS}/*"):
            program = Mosquitto(self.installation, f"{OWN_BROKERS}/{folder.name}")
            process = program.process()
            if process is not None:
                mosquitto.stop(process)
            program.remove()


class LocalBroker:
    """A broker of one user's own (see `source.OwnBroker`)."""

    host = LOOPBACK

    def __init__(self, program: Mosquitto) -> None:
        self._program = program
        self._process: Process | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError("the broker was never started")
        return self._port

    @property
    def door(self) -> Door:
        door = self._program.door()
        if door is None:
            raise RuntimeError("the broker was never started")
        return door

    def start(self) -> None:
        known = self._program.door()
        self._process, port = self._program.start(self._port)
        if self._port not in (None, port) or (known is not None and known != self.door):
            raise ServiceFailed(f"port {self._port} was taken by another program while the broker was down")
        self._port = port

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            mosquitto.stop(self._process)
            self._process = None

    def wipe(self) -> None:
        self._program.wipe()

    def log(self) -> str:
        return self._program.log()

    def add_user(self, name: str) -> str:
        return self.add_users([name])[name]

    def add_users(self, names: Iterable[str]) -> dict[str, str]:
        passwords = {name: secrets.token_urlsafe(24) for name in names}
        self._program.set_passwords(passwords)
        return passwords


class LocalDatabase:
    """A cluster of one user's own (see `source.OwnDatabase`)."""

    def __init__(self, program: Postgres, passwords: Passwords) -> None:
        self._program = program
        self._passwords = {postgres.USER: passwords.postgres, **passwords.of_roles}
        self._process: Process | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError("the cluster was never started")
        return self._port

    def url(self, user: str, database: str) -> str:
        return postgres.url(user, self._passwords[user], self.port, database)

    def start(self) -> None:
        self._process, port = self._program.start(self._port)
        if self._port not in (None, port):
            raise ServiceFailed(f"port {self._port} was taken by another program while the database was down")
        self._port = port

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            postgres.stop(self._process)
            self._process = None


def _answers(known: Started, running: Process | None) -> bool:
    return running is not None and known.process == running and listens(LOOPBACK, known.port)
