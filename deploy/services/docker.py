"""PostgreSQL and Mosquitto as containers: deploy/compose.yaml, under a project name of this clone's own."""

from __future__ import annotations

import hashlib
import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.services import door as doors
from deploy.services import mosquitto, places, postgres
from deploy.services.broker_login import wait_until_let_in
from deploy.services.door import Door
from deploy.services.errors import ServiceFailed
from deploy.services.passwords import Passwords, write_private
from deploy.services.ports import LOOPBACK, free_port, listens
from deploy.services.state import Started, State

FOLDER = places.SERVICES / "docker"
BROKER_PORT, DOOR_PORT = 1883, 8883
BROKER_FOLDER = "/mosquitto/pulsepost"

# Reads lines "user:password", hashes them in a file, and puts them in the place of these users' old lines.
SET_PASSWORDS = f"""
set -eu; umask 077; cd {BROKER_FOLDER}
cat > entry; mosquitto_passwd -U entry
cut -d: -f1 entry | sed 's/.*/^&:/' > users
{{ grep -v -f users passwords || true; cat entry; }} > draft
chown mosquitto:mosquitto draft; mv draft passwords; rm entry users
"""


def project_name() -> str:
    """Of this clone: two clones on one machine have two sets of containers."""
    return "pulsepost-" + hashlib.sha256(str(places.PROJECT).encode()).hexdigest()[:8]


def answers() -> bool:
    """Whether a Docker engine answers and its client knows `compose`."""
    return all(
        _succeeds(*command)
        for command in (("docker", "info", "--format", "{{.ServerVersion}}"), ("docker", "compose", "version"))
    )


@dataclass(frozen=True)
class Docker:
    """The containers of one compose project."""

    project: str = field(default_factory=project_name)
    name: str = "docker"
    words: str = "Docker, official images (deploy/compose.yaml)"

    def start_postgres(self, passwords: Passwords, known: Started | None) -> Started:
        """`docker compose up` of the database: it starts, or leaves alone what runs."""
        write_private(FOLDER / "postgres.password", passwords.postgres)
        return Started(self._up("timescaledb", 5432, "PULSEPOST_POSTGRES_PORT", known))

    def start_mosquitto(self, passwords: Passwords, known: Started | None) -> Started:
        """`docker compose up` of the broker: it starts, or leaves alone what runs."""
        _write_broker_configuration()
        self.write_certificates()
        port = self._up("mosquitto", BROKER_PORT, "PULSEPOST_MOSQUITTO_PORT", known)
        self.set_broker_password(mosquitto.INGEST, passwords.broker_ingest)
        return Started(port)

    @property
    def tls(self) -> Path:
        """The folder of the broker's certificates, which its container sees."""
        return FOLDER / "tls" / self.project

    def write_certificates(self) -> None:
        """Its own, made anew; whom it trusts; whom no more."""
        self.tls.mkdir(parents=True, exist_ok=True)
        files = doors.server_files()
        write_private(self.tls / "server.key.pem", files.key)
        _write_public(self.tls / "server.pem", files.certificate)
        _write_public(self.tls / "ca.pem", files.authority)
        _write_public(self.tls / "crl.pem", doors.list_to_start_with(self.tls / "crl.pem"))

    def door(self) -> Door:
        """Where gateways come in at the broker, which has been started."""
        port = self._published_port("mosquitto", DOOR_PORT)
        if port is None:
            raise ServiceFailed("the broker's container has no port for gateways")
        command = [*self._command("kill", "--signal=HUP", "mosquitto")]
        reload = shlex.join(["env", *(f"{name}={value}" for name, value in self._environment.items()), *command])
        return Door(LOOPBACK, port, places.AUTHORITY, self.tls / "crl.pem", reload)

    def set_broker_password(self, user: str, password: str) -> None:
        """Let `user` in at the broker."""
        self.set_broker_passwords({user: password})

    def set_broker_passwords(self, passwords: Mapping[str, str]) -> None:
        """Let these users in; the passwords travel by standard input, not on a command line."""
        text = "".join(f"{user}:{password}\n" for user, password in passwords.items())
        self.compose("exec", "-T", "--user=root", "mosquitto", "sh", "-c", SET_PASSWORDS, text=text)
        port = self._published_port("mosquitto", BROKER_PORT)
        if port is not None:
            user, password = list(passwords.items())[-1]  # the file is read whole, or not at all
            wait_until_let_in(LOOPBACK, port, user, password, reload=self._reload_broker)

    def stop(self, state: State) -> Iterator[str]:
        """Stop the containers; their volumes keep the data."""
        if state.postgres is not None or state.mosquitto is not None:
            self.compose("stop")
            yield f"the containers of project {self.project}"

    @contextmanager
    def own_broker(self) -> Iterator[DockerBroker]:
        """A started broker in a project of its own; removed with its volume at the end."""
        _write_broker_configuration()
        alone = Docker(f"{self.project}-{secrets.token_hex(4)}")
        alone.write_certificates()
        broker = DockerBroker(alone, free_port(), free_port())
        try:
            broker.start()
            yield broker
        finally:
            broker.remove()

    @contextmanager
    def own_database(self, passwords: Passwords) -> Iterator[DockerDatabase]:
        """A started cluster in a project of its own; removed with its volume at the end."""
        write_private(FOLDER / "postgres.password", passwords.postgres)
        database = DockerDatabase(Docker(f"{self.project}-{secrets.token_hex(4)}"), free_port(), passwords)
        try:
            database.start()
            yield database
        finally:
            database.remove()

    def remove_leftovers(self) -> None:
        """End and remove what users left that were killed: projects named as `own_broker` and `own_database` do."""
        listed = self.compose("ls", "--all", "--quiet").split()
        for project in (name for name in listed if name.startswith(f"{self.project}-")):
            Docker(project).compose("down", "--volumes", "--timeout=10")

    def compose(self, *arguments: str, text: str = "", ports: dict[str, str] | None = None) -> str:
        """Run `docker compose` on this project; what it printed.

        Raises:
            ServiceFailed: with what it wrote to standard error.
        """
        done = subprocess.run(
            self._command(*arguments),
            env={**os.environ, **self._environment, **(ports or {})},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServiceFailed(f"docker compose {arguments[0]} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def _command(self, *arguments: str) -> list[str]:
        return ["docker", "compose", "-f", str(places.COMPOSE_FILE), "-p", self.project, *arguments]

    @property
    def _environment(self) -> dict[str, str]:
        """What the compose file asks for."""
        return {"PULSEPOST_SERVICES": str(FOLDER), "PULSEPOST_TLS": str(self.tls)}

    def _reload_broker(self) -> None:
        self.compose("kill", "--signal=HUP", "mosquitto")

    def _up(self, service: str, inner_port: int, variable: str, known: Started | None) -> int:
        running = self._published_port(service, inner_port)
        if running is not None and listens(LOOPBACK, running):
            return running
        port = free_port(None if known is None else known.port)
        self.compose("up", "--detach", "--wait", "--no-deps", service, ports={variable: str(port)})
        return port

    def _published_port(self, service: str, inner_port: int) -> int | None:
        """The port on loopback of a running container, or None."""
        if not self.compose("ps", "--quiet", "--status=running", service).strip():
            return None
        return int(self.compose("port", service, str(inner_port)).strip().rpartition(":")[2])


class DockerBroker:
    """A broker of one user's own (see `source.OwnBroker`)."""

    host = LOOPBACK

    def __init__(self, docker: Docker, port: int, door_port: int) -> None:
        self._docker = docker
        self.port = port
        self._door_port = door_port

    @property
    def door(self) -> Door:
        return self._docker.door()

    def log(self) -> str:
        return self._docker.compose("exec", "-T", "mosquitto", "cat", f"{BROKER_FOLDER}/mosquitto.log")

    def start(self) -> None:
        ports = {"PULSEPOST_MOSQUITTO_PORT": str(self.port), "PULSEPOST_MOSQUITTO_TLS_PORT": str(self._door_port)}
        self._docker.compose("up", "--detach", "--wait", "--no-deps", "mosquitto", ports=ports)

    def kill(self) -> None:
        self._docker.compose("kill", "--signal=KILL", "mosquitto")

    def stop(self) -> None:
        self._docker.compose("stop", "mosquitto")

    def wipe(self) -> None:
        clear = ("sh", "-c", f"rm -rf {BROKER_FOLDER}/data/*")
        self._docker.compose("run", "--rm", "--no-deps", "-T", "mosquitto", *clear)

    def remove(self) -> None:
        """End it and remove its volume and its certificates."""
        self._docker.compose("down", "--volumes", "--timeout=10")
        shutil.rmtree(self._docker.tls, ignore_errors=True)

    def add_user(self, name: str) -> str:
        return self.add_users([name])[name]

    def add_users(self, names: Iterable[str]) -> dict[str, str]:
        passwords = {name: secrets.token_urlsafe(24) for name in names}
        self._docker.set_broker_passwords(passwords)
        return passwords


class DockerDatabase:
    """A cluster of one user's own (see `source.OwnDatabase`)."""

    def __init__(self, docker: Docker, port: int, passwords: Passwords) -> None:
        self._docker = docker
        self._passwords = {postgres.USER: passwords.postgres, **passwords.of_roles}
        self.port = port

    def url(self, user: str, database: str) -> str:
        return postgres.url(user, self._passwords[user], self.port, database)

    def start(self) -> None:
        ports = {"PULSEPOST_POSTGRES_PORT": str(self.port)}
        self._docker.compose("up", "--detach", "--wait", "--no-deps", "timescaledb", ports=ports)

    def kill(self) -> None:
        self._docker.compose("kill", "--signal=KILL", "timescaledb")

    def stop(self) -> None:
        self._docker.compose("stop", "timescaledb")

    def remove(self) -> None:
        """End it and remove its volume."""
        self._docker.compose("down", "--volumes", "--timeout=60")


def _write_broker_configuration() -> None:
    """Into files that the container's own user may read: there is no secret in them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = mosquitto.configuration(
        address="0.0.0.0",  # noqa: S104 (in the container; published on loopback)
        port=BROKER_PORT,
        tls_port=DOOR_PORT,
        folder=BROKER_FOLDER,
        tls="/etc/pulsepost/tls",
    )
    for name, content in (("mosquitto.conf", text), ("acl", places.MOSQUITTO_ACL.read_text())):
        _write_public(FOLDER / name, content)


def _write_public(file: Path, text: str) -> None:
    """Replace a file in one step by one that everybody may read."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    draft.write_text(text)
    draft.chmod(0o644)
    draft.replace(file)


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)
    except (FileNotFoundError, PermissionError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
