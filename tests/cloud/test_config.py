"""Settings: from the environment, and said in one sentence where they are missing."""

import os
import subprocess
import sys

import pytest

from cloud import config
from cloud.config import BrokerAddress, SettingMissing

DATABASE = {"PULSEPOST_DATABASE_URL": "postgresql://ingest@localhost/pulsepost"}


def test_ingest_settings_name_the_broker_and_who_we_are_there() -> None:
    settings = config.ingest_settings(DATABASE | {"PULSEPOST_MQTT_URL": "mqtt://ingest:s%40fe@broker.example:1884"})

    assert settings.broker == BrokerAddress(host="broker.example", port=1884, username="ingest", password="s@fe")
    assert settings.client_id == "ingest-1"


def test_the_brokers_default_port_is_mqtts() -> None:
    assert config.ingest_settings(DATABASE | {"PULSEPOST_MQTT_URL": "mqtt://broker"}).broker.port == 1883


def test_a_password_is_not_printed() -> None:
    environ = {
        "PULSEPOST_DATABASE_URL": "postgresql://ingest:secret@localhost/pulsepost",
        "PULSEPOST_MQTT_URL": "mqtt://ingest:secret@broker",
    }
    assert "secret" not in repr(config.ingest_settings(environ))


@pytest.mark.parametrize("url", ["", "broker:1883", "mqtts://broker", "mqtt://", "mqtt://broker:port"])
def test_an_unusable_broker_is_said(url: str) -> None:
    with pytest.raises(SettingMissing, match=r"^Set PULSEPOST_MQTT_URL to the broker as mqtt://"):
        config.ingest_settings(DATABASE | {"PULSEPOST_MQTT_URL": url})


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("migrate", "PULSEPOST_DATABASE_ADMIN_URL"),
        ("ingest", "PULSEPOST_DATABASE_URL"),
        ("console", "PULSEPOST_DATABASE_URL"),
    ],
)
def test_a_command_without_its_settings_says_what_to_set_and_ends_with_2(command: str, variable: str) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PULSEPOST_")}
    ran = subprocess.run(
        [sys.executable, "-m", "cloud", command], env=bare, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith(f"Set {variable} to ")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [(), ("migrate",), ("ingest",), ("console",)])
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cloud", *command, "--help"], capture_output=True, text=True, check=True
    )
    assert "usage: python -m cloud" in ran.stdout
