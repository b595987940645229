"""Services somebody else runs: their addresses, given in the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from deploy.services.door import Door
from deploy.services.errors import WrongSetting
from deploy.services.ports import listens

DATABASE = "PULSEPOST_DATABASE_ADMIN_URL"
BROKER = "PULSEPOST_BROKER_URL"
BROKER_PASSWORDS = "PULSEPOST_BROKER_PASSWORDS"
BROKER_DOOR = "PULSEPOST_BROKER_TLS_URL"
AUTHORITY, REVOKED, RELOAD = "PULSEPOST_CA_DIR", "PULSEPOST_CRL_FILE", "PULSEPOST_BROKER_RELOAD"

HELP = f"""\
{DATABASE}  a superuser's URL of a PostgreSQL with TimescaleDB, postgresql://user:password@host:port/database;
    the roles pulsepost_ingest, _console, _jobs and _enrolment are made in it where it has none that can log in
{BROKER}  mqtt://host:port of a Mosquitto with the access list deploy/mosquitto/acl
{BROKER_PASSWORDS}  the path of a JSON file {{"user": "password", ...}} with the users "ingest" and "enrolment" of
    the broker at {BROKER}
{BROKER_DOOR}  mqtts://host:port where gateways come in by certificate, with
    {AUTHORITY} (the folder of the authority it trusts), {REVOKED} (the file it reads the revoked from) and
    {RELOAD} (a command that makes it read that file again)"""


def database_url(environment: Mapping[str, str]) -> str | None:
    """The superuser's URL, or None if none is given; it must let us in."""
    url = environment.get(DATABASE)
    if url is None:
        return None
    if urlsplit(url).scheme not in ("postgresql", "postgres") or not urlsplit(url).hostname:
        raise WrongSetting(f"{DATABASE} should read postgresql://user:password@host:port/database")
    check_database(url)
    return url


def check_database(url: str) -> None:
    """Ask the given cluster what we need of it.

    Raises:
        WrongSetting: it does not answer, does not let us in, or has no TimescaleDB.
    """
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            ask = "SELECT FROM pg_available_extensions WHERE name = 'timescaledb'"
            if connection.execute(ask).fetchone() is None:
                raise WrongSetting(f"{DATABASE}: the PostgreSQL at this address has no TimescaleDB")
    except psycopg.OperationalError as error:
        raise WrongSetting(f"{DATABASE}: {str(error).strip()}") from error


def broker_url(environment: Mapping[str, str]) -> str | None:
    """mqtt://host:port, or None if none is given; it must be listening."""
    url = environment.get(BROKER)
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname or parts.username:
        raise WrongSetting(f"{BROKER} should read mqtt://host:port; users and passwords go into {BROKER_PASSWORDS}")
    port = parts.port or 1883
    if not listens(parts.hostname, port):
        raise WrongSetting(f"{BROKER}: nobody listens at {parts.hostname}:{port}")
    return f"mqtt://{parts.hostname}:{port}"


def door(environment: Mapping[str, str]) -> Door:
    """Where gateways come in at the given broker."""
    missing = [name for name in (BROKER_DOOR, AUTHORITY, REVOKED, RELOAD) if not environment.get(name)]
    if missing:
        raise WrongSetting(f"set {', '.join(missing)}: {BROKER} is given, and gateways come in by certificate")
    parts = urlsplit(environment[BROKER_DOOR])
    if parts.scheme != "mqtts" or not parts.hostname:
        raise WrongSetting(f"{BROKER_DOOR} should read mqtts://host:port")
    authority, revoked = Path(environment[AUTHORITY]), Path(environment[REVOKED])
    return Door(parts.hostname, parts.port or 8883, authority, revoked, environment[RELOAD])


def broker_password(environment: Mapping[str, str], user: str) -> str:
    """The password that the given broker knows for a user."""
    path = environment.get(BROKER_PASSWORDS)
    if path is None:
        raise WrongSetting(f"set {BROKER_PASSWORDS}: {BROKER} is given, and only its owner knows its users")
    try:
        return str(json.loads(Path(path).read_text())[user])
    except (OSError, ValueError) as error:
        raise WrongSetting(f"{BROKER_PASSWORDS}: {path} cannot be read: {error}") from error
    except KeyError:
        raise WrongSetting(f"{BROKER_PASSWORDS}: {path} has no user {user!r}") from None
