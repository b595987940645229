"""One Mosquitto broker of our own, on loopback, with the product's configuration and access list."""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Collection, Mapping
from pathlib import Path
from string import Template

from deploy.services import places
from deploy.services.broker_login import wait_until_let_in
from deploy.services.errors import ServiceFailed
from deploy.services.installation import MOSQUITTO, MOSQUITTO_HASHER, Installation
from deploy.services.ports import LOOPBACK, free_port, wait_until_listening
from deploy.services.postgres import last_lines
from deploy.services.processes import Process

USER = "mosquitto"
INGEST = "ingest"
"""The cloud's user name at the broker (deploy/mosquitto/acl)."""


class Mosquitto:
    """The broker in one folder of an installation: its configuration, users, persistence, log and pid file."""

    def __init__(self, installation: Installation, name: str = "mosquitto") -> None:
        self._installation = installation
        self._name = name
        self._folder = installation.data / name
        self._log = self._folder / "mosquitto.log"
        self._configuration = installation.inside(self._folder / "mosquitto.conf")

    def create(self) -> None:
        """Make the folder if it is missing; users and persistence that are there stay."""
        self._installation.folder(self._name, USER)
        self._installation.folder(f"{self._name}/data", USER)
        self._installation.write_private(self._folder / "acl", places.MOSQUITTO_ACL.read_text(), USER)
        if not (self._folder / "passwords").exists():
            self._installation.write_private(self._folder / "passwords", "", USER)

    def start(self, preferred_port: int | None = None) -> tuple[Process, int]:
        """Start the broker and wait until it takes connections; the process and its port on loopback."""
        port = free_port(preferred_port)
        self._write_configuration(port)
        (self._folder / "mosquitto.pid").unlink(missing_ok=True)
        self._installation.run(MOSQUITTO, "-d", "-c", self._configuration, user=USER)
        wait_until_listening(port, given_up=self._has_ended, timeout_s=10)
        process = self.process()
        if process is None:
            raise ServiceFailed(f"mosquitto did not start on port {port}; {last_lines(self._log)}")
        return process, port

    def process(self) -> Process | None:
        """The running broker of this folder, by its pid file."""
        pid_file = self._folder / "mosquitto.pid"
        return Process.of_pid_file(pid_file, argument=self._configuration, root=self._installation.root)

    def remove(self) -> None:
        """Remove everything it wrote."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def wipe(self) -> None:
        """Remove what it persisted; users and access list stay. Only while it does not run."""
        shutil.rmtree(self._folder / "data")
        self._installation.folder(f"{self._name}/data", USER)

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Let these users in, user → password: when this returns, a running broker does."""
        entry = self._folder / f"entry-{secrets.token_hex(4)}"
        # Written and hashed in a file: on a command line other users of the machine could read it.
        text = "".join(f"{user}:{password}\n" for user, password in passwords.items())
        self._installation.write_private(entry, text, USER)
        self._installation.run(MOSQUITTO_HASHER, "-U", self._installation.inside(entry), user=USER)
        hashed = entry.read_text()
        entry.unlink()
        others = _without(self._folder / "passwords", passwords)
        self._installation.write_private(self._folder / "passwords", others + hashed, USER)
        process = self.process()
        if process is not None:

            def reload() -> None:
                process.send(signal.SIGHUP)

            user, password = list(passwords.items())[-1]  # the file is read whole, or not at all
            wait_until_let_in(LOOPBACK, self._port(), user, password, reload=reload)

    def _port(self) -> int:
        """The port of the running broker, from its configuration."""
        lines = (self._folder / "mosquitto.conf").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("listener "))

    def _has_ended(self) -> bool:
        """Its pid file is written (that is done before the port is opened) and its process is not there.

        The file is made empty and written a moment later: empty, it says nothing yet.
        """
        pid_file = self._folder / "mosquitto.pid"
        return pid_file.exists() and pid_file.read_text() != "" and self.process() is None

    def _write_configuration(self, port: int) -> None:
        text = configuration(address=LOOPBACK, port=port, folder=self._installation.inside(self._folder))
        self._installation.write_private(self._folder / "mosquitto.conf", text, USER)


def configuration(*, address: str, port: int, folder: str) -> str:
    """deploy/mosquitto/mosquitto.conf with its three words filled in."""
    return Template(places.MOSQUITTO_CONF.read_text()).substitute(address=address, port=port, folder=folder)


def stop(process: Process) -> None:
    """Let it write its database and end (SIGTERM)."""
    process.end(first=signal.SIGTERM)


def _without(password_file: Path, users: Collection[str]) -> str:
    lines = password_file.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.partition(":")[0] not in users)
