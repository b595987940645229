"""Where services are taken from, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.services import debian_root, discovery, given, passwords
from deploy.services.docker import Docker
from deploy.services.errors import ServicesUnavailable, WrongSetting
from deploy.services.installation import MOSQUITTO, MOSQUITTO_HASHER, POSTGRES_BIN, TIMESCALEDB, Installation
from deploy.services.local import Local
from deploy.services.running import Running
from deploy.services.source import Source

HERE = Local("machine", "", Installation(Path("/"), Path("/")))


def _builder() -> Source:
    return discovery.in_debian_root()


def test_what_is_present_comes_before_what_must_be_built() -> None:
    docker = Docker("demo")
    present: list[Source] = [docker, HERE]
    assert discovery.choose(present, _builder) is docker
    assert discovery.choose(present[1:], _builder) is HERE
    assert discovery.choose([], _builder).name == "debian-root"


def test_with_nothing_possible_one_sentence_says_what_to_install() -> None:
    with pytest.raises(ServicesUnavailable) as refused:
        discovery.choose([], None)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert all(word in sentence for word in ("Docker", "postgresql-17-timescaledb", "mosquitto", "root"))


def test_packages_count_only_when_both_services_are_installed(tmp_path: Path) -> None:
    installation = Installation(tmp_path, tmp_path)
    for program in (f"{POSTGRES_BIN}/postgres", MOSQUITTO, MOSQUITTO_HASHER):
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / program).touch()
    assert not discovery.is_usable(installation)
    (tmp_path / TIMESCALEDB).parent.mkdir(parents=True)
    (tmp_path / TIMESCALEDB).touch()
    assert installation.has_postgres()
    assert installation.has_mosquitto()


def test_the_root_is_built_from_the_machines_main_archive() -> None:
    targets = "\n".join(
        [
            "https://elsewhere.example|elsewhere|elsewhere|main",
            "http://mirror.example/debian-security|Debian|Debian-Security|main",
            "http://mirror.example/debian|Debian|Debian|contrib",
            "http://mirror.example/debian|Debian|Debian|main",
        ]
    )
    assert debian_root.main_archive(targets) == "http://mirror.example/debian"
    assert debian_root.main_archive("https://elsewhere.example|elsewhere|elsewhere|main") is None
    command = debian_root.command(Path("/root-of-ours"), "http://mirror.example/debian")
    assert command[-3:] == ["trixie", "/root-of-ours", "http://mirror.example/debian"]
    assert "--include=postgresql-17-timescaledb,mosquitto" in command


def test_given_addresses_are_used_as_they_are(services: Running) -> None:
    environment = {
        given.DATABASE: services.postgres_admin_url,
        given.BROKER: services.broker_url,
    }
    assert given.database_url(environment) == services.postgres_admin_url
    assert given.broker_url(environment) == services.broker_url
    assert given.database_url({}) is None
    assert given.broker_url({}) is None


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        (given.DATABASE, "mysql://somewhere/db", "postgresql://user:password@host:port/database"),
        (given.DATABASE, "postgresql://postgres:x@127.0.0.1:1/postgres", "connection"),
        (given.BROKER, "127.0.0.1:1883", "mqtt://host:port"),
        (given.BROKER, "mqtt://user:word@127.0.0.1:1883", given.BROKER_PASSWORDS),
        (given.BROKER, "mqtt://127.0.0.1:1", "nobody listens"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_by_name(variable: str, value: str, complaint: str) -> None:
    ask = given.database_url if variable == given.DATABASE else given.broker_url
    with pytest.raises(WrongSetting, match=variable) as refused:
        ask({variable: value})
    assert complaint in str(refused.value)


def test_the_given_brokers_users_are_read_from_its_owners_file(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    passwords.write_private(file, '{"ingest": "a", "home-1": "b"}')
    environment = {given.BROKER_PASSWORDS: str(file)}
    assert given.broker_password(environment, "home-1") == "b"
    with pytest.raises(WrongSetting, match="no user 'home-2'"):
        given.broker_password(environment, "home-2")
    with pytest.raises(WrongSetting, match=given.BROKER_PASSWORDS):
        given.broker_password({}, "ingest")
