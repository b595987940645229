"""The Docker way, by its command lines: the stand-in client on PATH prints what it is asked."""

from __future__ import annotations

import shlex
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from deploy.services import docker, places
from deploy.services.docker import Docker
from deploy.services.errors import ServiceFailed
from deploy.services.passwords import Passwords
from deploy.services.source import OwnBroker
from deploy.services.state import Started, State

STAND_INS = Path(__file__).parent / "stand_ins"
PASSWORDS = Passwords("admin-word", "ingest-word", "console-word", "jobs-word", "enrolment-word", "broker-word")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in is the machine's Docker client; the file holds what it was asked."""
    log = tmp_path / "asked"
    log.touch()
    monkeypatch.setenv("PATH", f"{STAND_INS}:/usr/bin:/bin")
    monkeypatch.setenv("STAND_IN_LOG", str(log))
    monkeypatch.delenv("STAND_IN_SILENT", raising=False)
    monkeypatch.setattr(docker, "FOLDER", tmp_path / "docker")
    return log


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that somebody listens on: what a running container has published."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        monkeypatch.setenv("STAND_IN_PORT", str(port))
        yield port


def test_an_engine_that_answers_is_found(asked: Path) -> None:
    assert docker.answers()
    assert asked.read_text().splitlines() == ["info --format {{.ServerVersion}}", "compose version"]


def test_a_client_without_an_engine_is_passed_over(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_SILENT", "yes")
    assert not docker.answers()


def test_a_machine_without_a_client_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not docker.answers()


def test_the_database_is_started_and_its_password_stands_in_a_private_file(asked: Path) -> None:
    started = Docker("demo").start_postgres(PASSWORDS, None)
    assert started.process is None
    compose = f"compose -f {places.COMPOSE_FILE} -p demo"
    assert asked.read_text().splitlines() == [
        f"{compose} ps --quiet --status=running timescaledb",
        f"{compose} up --detach --wait --no-deps timescaledb",
    ]
    secret = docker.FOLDER / "postgres.password"
    assert secret.read_text() == "admin-word"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_second_start_leaves_a_running_container_alone(asked: Path, published: int) -> None:
    known = Docker("demo").start_postgres(PASSWORDS, None)
    asked.write_text("compose up \n")
    assert Docker("demo").start_postgres(PASSWORDS, known) == Started(published)
    assert " up --detach" not in asked.read_text()


def test_a_brokers_password_is_on_no_command_line(
    broker: OwnBroker, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = broker.add_user("ingest")
    monkeypatch.setenv("STAND_IN_PORT", str(broker.port))
    Docker("demo").start_mosquitto(replace(PASSWORDS, broker_ingest=password), None)
    assert password not in asked.read_text()
    assert asked.with_name("asked.stdin").read_text() == f"ingest:{password}\n"
    assert asked.read_text().splitlines()[-1].endswith("-p demo kill --signal=HUP mosquitto")


def test_a_broker_of_ones_own_is_killed_started_again_and_removed(asked: Path) -> None:
    with Docker("demo").own_broker() as broker:
        broker.kill()
        broker.start()
    words = [line.split(" -p ")[1].split()[1:] for line in asked.read_text().splitlines()]
    up = ["up", "--detach", "--wait", "--no-deps", "mosquitto"]
    assert words == [up, ["kill", "--signal=KILL", "mosquitto"], up, ["down", "--volumes", "--timeout=10"]]


def test_a_broker_of_ones_own_is_wiped_without_being_started(asked: Path) -> None:
    with Docker("demo").own_broker() as broker:
        broker.kill()
        broker.wipe()
    words = [line.split(" -p ")[1].split()[1:] for line in asked.read_text().splitlines()]
    assert words[2][:5] == ["run", "--rm", "--no-deps", "-T", "mosquitto"]


def test_a_cluster_of_ones_own_is_killed_started_again_and_removed(asked: Path) -> None:
    with Docker("demo").own_database(PASSWORDS) as database:
        database.kill()
        database.start()
    words = [line.split(" -p ")[1].split()[1:] for line in asked.read_text().splitlines()]
    up = ["up", "--detach", "--wait", "--no-deps", "timescaledb"]
    assert words == [up, ["kill", "--signal=KILL", "timescaledb"], up, ["down", "--volumes", "--timeout=60"]]


def test_a_brokers_container_sees_its_certificates_and_no_authoritys_key(asked: Path) -> None:
    alone = Docker("demo")
    with alone.own_broker():
        [folder] = (docker.FOLDER / "tls").iterdir()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "crl.pem": 0o644, "server.pem": 0o644, "server.key.pem": 0o600}
    assert not folder.exists()


def test_the_broker_in_a_container_is_made_to_read_its_list_by_one_command(
    asked: Path, published: int, tmp_path: Path
) -> None:
    asked.write_text("compose up \n")
    door = Docker("demo").door()
    assert (door.port, door.revocation_list) == (published, tmp_path / "docker" / "tls" / "demo" / "crl.pem")
    subprocess.run(shlex.split(door.reload), check=True)
    assert asked.read_text().splitlines()[-1].endswith("-p demo kill --signal=HUP mosquitto")


def test_stop_stops_the_clones_own_project(asked: Path) -> None:
    assert len(list(Docker("demo").stop(State("docker", Started(1), Started(2))))) == 1
    assert asked.read_text() == f"compose -f {places.COMPOSE_FILE} -p demo stop\n"
    assert list(Docker("demo").stop(State("docker"))) == []


def test_brokers_of_killed_users_are_removed_and_the_shared_one_is_not(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_PROJECTS", "demo demo-0a1b other")
    Docker("demo").remove_leftovers()
    assert [line.split(" -p ")[1].split()[:2] for line in asked.read_text().splitlines()] == [
        ["demo", "ls"],
        ["demo-0a1b", "down"],
    ]


def test_what_docker_complains_of_is_passed_on(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_SILENT", "yes")
    with pytest.raises(ServiceFailed, match="Cannot connect to the Docker daemon"):
        Docker("demo").start_postgres(PASSWORDS, None)


def test_the_compose_file_publishes_on_loopback_only_and_holds_no_secret() -> None:
    compose = yaml.safe_load(places.COMPOSE_FILE.read_text())
    services = compose["services"]
    assert set(services) == {"timescaledb", "mosquitto"}
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert "healthcheck" in service
    assert services["timescaledb"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgres_password"
    assert "POSTGRES_PASSWORD" not in services["timescaledb"]["environment"]
