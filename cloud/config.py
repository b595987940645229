"""Settings, from the environment and from nowhere else; a missing one is said in one sentence."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


class SettingMissing(Exception):
    """A setting is absent or unusable; the message says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is and who we are there."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateSettings:
    """What ``migrate`` needs."""

    database_admin_url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """What one ingest worker needs. Two workers need two client ids: the broker disconnects a namesake."""

    database_url: str = field(repr=False)
    broker: BrokerAddress
    client_id: str = "ingest-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """What the console needs."""

    database_url: str = field(repr=False)


def migrate_settings(environ: Mapping[str, str] = os.environ) -> MigrateSettings:
    """SettingMissing where PULSEPOST_DATABASE_ADMIN_URL is absent."""
    return MigrateSettings(
        database_admin_url=_needed(
            environ,
            "PULSEPOST_DATABASE_ADMIN_URL",
            "the PostgreSQL URL of a role that may create tables, such as postgresql://owner@localhost/pulsepost",
        )
    )


def ingest_settings(environ: Mapping[str, str] = os.environ) -> IngestSettings:
    """SettingMissing where the database or the broker is not named."""
    return IngestSettings(
        database_url=_needed(environ, "PULSEPOST_DATABASE_URL", "the PostgreSQL URL of a role in pulsepost_ingest"),
        broker=_broker(_needed(environ, "PULSEPOST_MQTT_URL", "the broker as mqtt://user:password@host:port")),
        client_id=environ.get("PULSEPOST_INGEST_CLIENT_ID") or "ingest-1",
    )


def console_settings(environ: Mapping[str, str] = os.environ) -> ConsoleSettings:
    """SettingMissing where PULSEPOST_DATABASE_URL is absent."""
    return ConsoleSettings(
        database_url=_needed(environ, "PULSEPOST_DATABASE_URL", "the PostgreSQL URL of a role in pulsepost_console")
    )


def _needed(environ: Mapping[str, str], name: str, what: str) -> str:
    if value := environ.get(name):
        return value
    raise SettingMissing(f"Set {name} to {what}.")


def _broker(url: str) -> BrokerAddress:
    parts = urlsplit(url)
    try:
        port = parts.port or 1883
    except ValueError:
        port = 0
    if parts.scheme != "mqtt" or not parts.hostname or not port:
        raise SettingMissing("Set PULSEPOST_MQTT_URL to the broker as mqtt://user:password@host:port.")
    return BrokerAddress(
        host=parts.hostname,
        port=port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )
