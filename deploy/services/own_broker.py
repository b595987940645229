"""A broker of one user's own, beside the shared one: to be killed and started again."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.services import discovery
from deploy.services.mosquitto import Mosquitto, stop
from deploy.services.ports import LOOPBACK
from deploy.services.processes import Process


class OwnBroker:
    """Mosquitto with the product's configuration and access list; its port and persistence outlive `kill`."""

    def __init__(self, mosquitto: Mosquitto) -> None:
        self._mosquitto = mosquitto
        self._process: Process | None = None
        self._port: int | None = None

    host = LOOPBACK

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError("the broker was never started")
        return self._port

    @property
    def url(self) -> str:
        """mqtt://host:port, without a user."""
        return f"mqtt://{self.host}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes connections; the second time on the same port, with what it persisted."""
        self._process, port = self._mosquitto.start(self._port)
        if self._port not in (None, port):
            raise RuntimeError(f"port {self._port} was taken by another program")
        self._port = port

    def kill(self) -> None:
        """SIGKILL: what it has not written down is lost."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def stop(self) -> None:
        """Let it write its database and end."""
        if self._process is not None:
            stop(self._process)
            self._process = None

    def add_user(self, name: str) -> str:
        """Let a user in (a gateway's id, or "ingest"); the password, new at each call."""
        password = secrets.token_urlsafe(24)
        self._mosquitto.set_password(name, password)
        return password


@contextmanager
def own_broker() -> Iterator[OwnBroker]:
    """A started broker; stopped, and its folder removed, at the end."""
    installation = discovery.broker_installation()
    name = f"brokers/{secrets.token_hex(6)}"
    mosquitto = Mosquitto(installation, name)
    mosquitto.create()
    broker = OwnBroker(mosquitto)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(installation.data / name)
