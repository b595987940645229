"""Settings, from the environment and from nowhere else; a missing one is said in one sentence."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from alerting.technical.limits import DEFAULT_LIMITS, TechnicalLimits
from cloud.crm_config import CrmSettings, crm_settings
from cloud.environment import SettingMissing as SettingMissing
from cloud.environment import needed as _needed
from cloud.environment import number as _number
from cloud.notify_config import NotifySettings, notify_settings
from cloud.sign_in_config import SignInSettings, sign_in_settings

# How often our processes say that they are there.
BEAT_EVERY_S = 10.0
LONGEST_JUDGE_EVERY_S = 59


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
    beat_every_s: float = BEAT_EVERY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """What the console needs."""

    database_url: str = field(repr=False)
    name: str = "console-1"
    beat_every_s: float = BEAT_EVERY_S
    notify: NotifySettings = field(default_factory=NotifySettings)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    crm: CrmSettings = field(default_factory=CrmSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSettings:
    """What the jobs process needs."""

    database_url: str = field(repr=False)
    name: str = "jobs-1"
    judge_every_s: int = 15
    beat_every_s: float = 10.0
    limits: TechnicalLimits = DEFAULT_LIMITS
    notify: NotifySettings = field(default_factory=NotifySettings)
    crm: CrmSettings = field(default_factory=CrmSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSettings:
    """What ``gateway code|revoke|list`` need. Without the last four, a revocation waits for the enrolment service."""

    database_url: str = field(repr=False)
    authority_dir: Path | None = None
    revocation_list: Path | None = None
    broker_reload: str | None = None
    broker: BrokerAddress | None = None
    crm: CrmSettings = field(default_factory=CrmSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentSettings:
    """What the enrolment service needs.

    ``revocation_list``: the file that the broker reads. ``broker_reload``: a command that makes it read it again.
    ``broker``: the broker's inner listener, for hanging up on who was revoked. ``broker_certificate``: the file with
    what its outer listener shows, so that somebody is told before it ends.
    """

    database_url: str = field(repr=False)
    authority_dir: Path
    tls_certificate: Path
    tls_key: Path
    validity: timedelta
    revocation_list: Path | None = None
    broker_reload: str | None = None
    broker: BrokerAddress | None = None
    broker_certificate: Path | None = None
    name: str = "enrolment-1"
    beat_every_s: float = BEAT_EVERY_S


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
        beat_every_s=_number(environ, "PULSEPOST_BEAT_EVERY_S", BEAT_EVERY_S),
    )


def console_settings(environ: Mapping[str, str] = os.environ) -> ConsoleSettings:
    """SettingMissing where PULSEPOST_DATABASE_URL is absent."""
    return ConsoleSettings(
        database_url=_needed(environ, "PULSEPOST_DATABASE_URL", "the PostgreSQL URL of a role in pulsepost_console"),
        name=environ.get("PULSEPOST_CONSOLE_NAME") or "console-1",
        beat_every_s=_number(environ, "PULSEPOST_BEAT_EVERY_S", BEAT_EVERY_S),
        notify=notify_settings(environ),
        sign_in=sign_in_settings(environ),
        crm=crm_settings(environ),
    )


def enrolment_settings(environ: Mapping[str, str] = os.environ) -> EnrolmentSettings:
    """SettingMissing where the database, the authority or the service's own certificate is not named."""
    authority = _needed(environ, "PULSEPOST_CA_DIR", "the authority's folder; python -m cloud ca init DIR makes one")
    certificate = "this service's certificate (PEM); python -m cloud ca server makes one"
    return EnrolmentSettings(
        database_url=_needed(environ, "PULSEPOST_DATABASE_URL", "the PostgreSQL URL of a role in pulsepost_enrolment"),
        authority_dir=Path(authority),
        tls_certificate=Path(_needed(environ, "PULSEPOST_TLS_CERTIFICATE", certificate)),
        tls_key=Path(_needed(environ, "PULSEPOST_TLS_KEY", "the key of PULSEPOST_TLS_CERTIFICATE (PEM)")),
        validity=_certificate_days(environ.get("PULSEPOST_CERTIFICATE_DAYS") or "90"),
        revocation_list=_path(environ, "PULSEPOST_CRL_FILE"),
        broker_reload=environ.get("PULSEPOST_BROKER_RELOAD") or None,
        broker=_broker(url) if (url := environ.get("PULSEPOST_MQTT_URL")) else None,
        broker_certificate=_path(environ, "PULSEPOST_BROKER_CERTIFICATE"),
        name=environ.get("PULSEPOST_ENROLMENT_NAME") or "enrolment-1",
        beat_every_s=_number(environ, "PULSEPOST_BEAT_EVERY_S", BEAT_EVERY_S),
    )


def operator_settings(environ: Mapping[str, str] = os.environ) -> OperatorSettings:
    """SettingMissing where PULSEPOST_DATABASE_ADMIN_URL is absent."""
    return OperatorSettings(
        database_url=_needed(environ, "PULSEPOST_DATABASE_ADMIN_URL", "the PostgreSQL URL of the database's owner"),
        authority_dir=_path(environ, "PULSEPOST_CA_DIR"),
        revocation_list=_path(environ, "PULSEPOST_CRL_FILE"),
        broker_reload=environ.get("PULSEPOST_BROKER_RELOAD") or None,
        broker=_broker(url) if (url := environ.get("PULSEPOST_MQTT_URL")) else None,
        crm=crm_settings(environ),
    )


def base_url(environ: Mapping[str, str] = os.environ) -> str:
    """The console's address as people reach it, without a slash at its end; empty where it is not set."""
    return notify_settings(environ).base_url


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name)
    return Path(value) if value else None


def _certificate_days(text: str) -> timedelta:
    """Fractions of a day are for trying renewals out."""
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 825:
        raise SettingMissing("Set PULSEPOST_CERTIFICATE_DAYS to a number of days up to 825, or leave it out for 90.")
    return timedelta(days=days)


def jobs_settings(environ: Mapping[str, str] = os.environ) -> JobsSettings:
    """SettingMissing where PULSEPOST_DATABASE_URL is absent, or another is no number."""
    judge_every_s = _number(environ, "PULSEPOST_JUDGE_EVERY_S", 15)
    if not 1 <= judge_every_s <= LONGEST_JUDGE_EVERY_S:
        raise SettingMissing(f"Set PULSEPOST_JUDGE_EVERY_S to seconds from 1 to {LONGEST_JUDGE_EVERY_S}.")
    return JobsSettings(
        database_url=_needed(environ, "PULSEPOST_DATABASE_URL", "the PostgreSQL URL of a role in pulsepost_jobs"),
        name=environ.get("PULSEPOST_JOBS_NAME") or "jobs-1",
        judge_every_s=int(judge_every_s),
        beat_every_s=_number(environ, "PULSEPOST_BEAT_EVERY_S", BEAT_EVERY_S),
        limits=technical_limits(environ.get("PULSEPOST_TECHNICAL_LIMITS", "")),
        notify=notify_settings(environ),
        crm=crm_settings(environ),
    )


def technical_limits(text: str) -> TechnicalLimits:
    """``gateway_silent=600 clock_offset_s=30``: other limits than the defaults, spans in seconds. SettingMissing."""
    known = {limit.name: getattr(DEFAULT_LIMITS, limit.name) for limit in fields(TechnicalLimits)}
    chosen: dict[str, Any] = {}
    for name, _, value in (word.partition("=") for word in text.split()):
        try:
            default = known[name]
            chosen[name] = timedelta(seconds=float(value)) if isinstance(default, timedelta) else type(default)(value)
        except (KeyError, ValueError, OverflowError):
            raise SettingMissing(
                "Set PULSEPOST_TECHNICAL_LIMITS to words such as gateway_silent=600 (seconds); there are"
                f" {', '.join(known)}."
            ) from None
    return replace(DEFAULT_LIMITS, **chosen)


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
