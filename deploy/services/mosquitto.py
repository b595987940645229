"""One Mosquitto broker of our own, on loopback, with the product's configuration and access list."""

from __future__ import annotations

import secrets
import shlex
import shutil
import signal
from collections.abc import Collection, Mapping
from pathlib import Path
from string import Template

from deploy.services import door as doors
from deploy.services import places
from deploy.services.broker_login import answers, wait_until_let_in
from deploy.services.door import Door
from deploy.services.errors import ServiceFailed
from deploy.services.installation import MOSQUITTO, MOSQUITTO_HASHER, Installation
from deploy.services.ports import LOOPBACK, free_port, wait_until_listening
from deploy.services.postgres import last_lines
from deploy.services.processes import Process

USER = "mosquitto"
INGEST = "ingest"
"""The cloud's user name at the broker (deploy/mosquitto/acl)."""
ENROLMENT = "enrolment"
"""Who hangs up on gateways that were revoked: a user without any topic."""


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
        self._write_certificates()

    def start(self, preferred_port: int | None = None) -> tuple[Process, int]:
        """Start the broker and wait until it takes connections; the process and its inner port on loopback.

        The gateways' port is the one that it had before, if that is free (`door`).
        """
        port, tls_port = free_port(preferred_port), free_port(self._listeners()[1])
        self._write_configuration(port, tls_port)
        (self._folder / "mosquitto.pid").unlink(missing_ok=True)
        self._installation.run(MOSQUITTO, "-d", "-c", self._configuration, user=USER)
        wait_until_listening(tls_port, given_up=self._has_ended, timeout_s=10)
        process = self.process()
        # It listens before it has set up its signals: a SIGHUP in between would end it.
        if process is None or not answers(LOOPBACK, port):
            raise ServiceFailed(f"mosquitto did not start on port {port}; {last_lines(self._log)}")
        return process, port

    def process(self) -> Process | None:
        """The running broker of this folder, by its pid file."""
        pid_file = self._folder / "mosquitto.pid"
        return Process.of_pid_file(pid_file, argument=self._configuration, root=self._installation.root)

    def door(self) -> Door | None:
        """Where gateways come in; None for a broker of an older version, which has no such listener."""
        port = self._listeners()[1]
        if port is None:
            return None
        reload = shlex.join(["sh", "-c", f'kill -HUP "$(cat {shlex.quote(str(self._folder / "mosquitto.pid"))})"'])
        return Door(LOOPBACK, port, places.AUTHORITY, self._folder / "tls" / "crl.pem", reload)

    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

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
            port = self._listeners()[0]
            if port is not None:
                wait_until_let_in(LOOPBACK, port, user, password, reload=reload)

    def _listeners(self) -> tuple[int | None, int | None]:
        """The inner and the gateways' port, from the configuration it was last started with."""
        file = self._folder / "mosquitto.conf"
        lines = file.read_text().splitlines() if file.exists() else []
        ports = [int(line.split()[1]) for line in lines if line.startswith("listener ")]
        inner, outer = [*ports, None, None][:2]
        return inner, outer

    def _has_ended(self) -> bool:
        """Its pid file is written (that is done before the port is opened) and its process is not there.

        The file is made empty and written a moment later: empty, it says nothing yet.
        """
        pid_file = self._folder / "mosquitto.pid"
        return pid_file.exists() and pid_file.read_text() != "" and self.process() is None

    def _write_configuration(self, port: int, tls_port: int) -> None:
        folder = self._installation.inside(self._folder)
        text = configuration(address=LOOPBACK, port=port, tls_port=tls_port, folder=folder, tls=f"{folder}/tls")
        self._installation.write_private(self._folder / "mosquitto.conf", text, USER)

    def _write_certificates(self) -> None:
        """Its own, made anew; whom it trusts; whom no more."""
        folder = self._installation.folder(f"{self._name}/tls", USER)
        files = doors.server_files()
        self._installation.write_private(self._folder / "server.key.pem", files.key, USER)
        self._installation.write_private(folder / "server.pem", files.certificate, USER)
        self._installation.write_private(folder / "ca.pem", files.authority, USER)
        self._installation.write_private(folder / "crl.pem", doors.list_to_start_with(folder / "crl.pem"), USER)


def configuration(*, address: str, port: int, tls_port: int, folder: str, tls: str) -> str:
    """deploy/mosquitto/mosquitto.conf with its words filled in."""
    words = {"address": address, "port": port, "tls_port": tls_port, "folder": folder, "tls": tls}
    return Template(places.MOSQUITTO_CONF.read_text()).substitute(words)


def stop(process: Process) -> None:
    """Let it write its database and end (SIGTERM)."""
    process.end(first=signal.SIGTERM)


def _without(password_file: Path, users: Collection[str]) -> str:
    lines = password_file.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.partition(":")[0] not in users)
