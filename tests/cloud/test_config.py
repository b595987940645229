"""Settings: from the environment, and said in one sentence where they are missing."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.technical.limits import DEFAULT_LIMITS
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


def test_jobs_have_defaults_for_all_but_the_database() -> None:
    settings = config.jobs_settings(DATABASE)

    assert (settings.name, settings.judge_every_s, settings.beat_every_s) == ("jobs-1", 15, 10.0)
    assert settings.limits == DEFAULT_LIMITS


def test_other_limits_of_technical_alarms_are_given_by_name() -> None:
    limits = config.technical_limits("gateway_silent=600  clock_offset_s=30 watched_enough=7200 unsent_s=60")

    assert limits == replace(
        DEFAULT_LIMITS,
        gateway_silent=timedelta(minutes=10),
        clock_offset_s=30.0,
        watched_enough=timedelta(hours=2),
        unsent_s=60,
    )


@pytest.mark.parametrize(
    "text", ["gateway_silent", "gateway_silent=", "gateway_silent=soon", "no_such=1", "gateway_silent=1e300", "=1"]
)
def test_a_limit_that_is_none_is_said_with_those_that_there_are(text: str) -> None:
    with pytest.raises(SettingMissing, match=r"^Set PULSEPOST_TECHNICAL_LIMITS to words .*gateway_silent, "):
        config.technical_limits(text)


@pytest.mark.parametrize("seconds", ["0", "-1", "60", "nan", "inf", "often"])
def test_the_fleet_is_judged_at_least_each_minute(seconds: str) -> None:
    with pytest.raises(SettingMissing, match="PULSEPOST_JUDGE_EVERY_S"):
        config.jobs_settings(DATABASE | {"PULSEPOST_JUDGE_EVERY_S": seconds})
