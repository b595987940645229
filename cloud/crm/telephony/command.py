"""What an operator does at the command line: `python -m cloud telephone`."""

import argparse
import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from cloud.crm.outbox.sealing import NotOpened, sealed, secrets_of
from cloud.crm.telephony.systems import KINDS, Given, NotUsable, ears, telephony
from cloud.crm_config import CrmSettings, trusting
from cloud.db.connect import Connection, open_connection

SECRET_OCTETS: Final = 32


class CommandRefused(Exception):
    """It was not done; the text says why and what to do."""


def run(database_url: str, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    """Do what ``telephone`` was given; what to tell. CommandRefused."""
    with open_connection(database_url, "pulsepost-telephone") as connection:
        try:
            return _do(connection, settings, options, now)
        except (NotUsable, NotOpened) as error:
            raise CommandRefused(str(error)) from None


def _do(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    match options.deed:
        case "list":
            rows = connection.execute(
                "SELECT s.name, s.kind, s.active, count(e.account_id) FROM telephone_system s"
                " LEFT JOIN telephone_extension e USING (system_id) GROUP BY s.system_id ORDER BY s.name"
            )
            return "\n".join(
                f"{name}\t{kind}\t{'in use' if active else 'stopped'}\t{many} telephones"
                for name, kind, active, many in rows
            ) or "no telephone system yet"  # fmt: skip
        case "add":
            return _add(connection, settings, options, now)
        case "secret":
            return _change_secrets(connection, settings, options, now)
        case deed:
            system_id, *_ = _found(connection, options.name)
            connection.execute(
                "UPDATE telephone_system SET active = %s WHERE system_id = %s", (deed == "start", system_id)
            )
            _audit(connection, now, f"telephone.{deed}", system_id)
            return f"{options.name} is {'asked and heard again' if deed == 'start' else 'asked and heard no more'}"


def _add(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    given, kept = _pairs(options.set), _files(options.secret)
    drawn = _drawn(options.kind, kept)
    system_id = uuid4()
    listens = _try(settings, options.kind, given, {**kept, **drawn}, now)
    try:
        connection.execute(
            "INSERT INTO telephone_system (system_id, name, kind, settings, sealed, keeps_for, added_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                system_id,
                options.name,
                options.kind,
                Jsonb(dict(given)),
                _seal(settings, system_id, {**kept, **drawn}),
                timedelta(days=int(given.get("keep_days", "90"))),
                now,
            ),
        )
    except psycopg.errors.UniqueViolation:
        raise CommandRefused(f"There is a telephone system named {options.name}: choose another name.") from None
    _audit(connection, now, "telephone.add", system_id)
    lines = [f"{options.name} can be asked to have telephones ring."]
    if listens:
        lines.append(f"It may tell us of calls at POST /telephone/{system_id}/events")
    return "\n".join([*lines, *_shown(drawn)])


def _change_secrets(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    """New ones in place of those of the same names; the former signing secret counts until it is dropped."""
    system_id, kind, given, kept = _found(connection, options.name)
    former = dict(secrets_of(settings.key, system_id, kept))
    draws = KINDS[kind].draws
    new = _files(options.secret)
    if options.drop_former:
        former.pop(f"former_{draws}", None)
    else:
        new = new or _drawn(kind, {})
        if draws in new and draws in former:
            former[f"former_{draws}"] = former[draws]
    _try(settings, kind, given, {**former, **new}, now)
    connection.execute(
        "UPDATE telephone_system SET sealed = %s WHERE system_id = %s",
        (_seal(settings, system_id, {**former, **new}), system_id),
    )
    _audit(connection, now, "telephone.secret", system_id)
    return "\n".join([f"The secrets of {options.name} are changed.", *_shown({} if options.secret else new)])


def _try(settings: CrmSettings, kind: str, given: Mapping[str, str], kept: Mapping[str, str], now: datetime) -> bool:
    """Whether it tells us anything. NotUsable."""
    made = Given(settings=given, secrets=kept, tls=trusting(settings.ca_file), now=lambda: now, keep=lambda _, __: None)
    telephony(kind, made)
    return ears(kind, made) is not None


def _seal(settings: CrmSettings, system_id: UUID, kept: Mapping[str, str]) -> bytes | None:
    if not kept:
        return None
    if settings.key is None:
        raise CommandRefused("Set PULSEPOST_CRM_KEY first: secrets of telephone systems are sealed under it.")
    return sealed(settings.key, system_id, kept)


def _pairs(words: Sequence[str]) -> Mapping[str, str]:
    """CommandRefused unless each is NAME=VALUE."""
    if wrong := [word for word in words if "=" not in word]:
        raise CommandRefused(f"Write NAME=VALUE, not {wrong[0]}.")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _files(words: Sequence[str]) -> Mapping[str, str]:
    """Secrets stand in files, so that no list of processes and no history of a shell shows them."""
    found = {}
    for name, path in _pairs(words).items():
        try:
            found[name] = Path(path).read_text().partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError):
            raise CommandRefused(f"Write --secret {name}=FILE: {path} cannot be read.") from None
    return found


def _drawn(kind: str, kept: Mapping[str, str]) -> Mapping[str, str]:
    draws = KINDS[kind].draws if kind in KINDS else None
    if draws is None or draws in kept:
        return {}
    return {draws: f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_OCTETS)).decode()}"}


def _shown(drawn: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {value}\nIt is shown this once: put it where the system keeps it." for name, value in drawn.items()
    ]


def _found(connection: Connection, name: str) -> tuple[UUID, str, Mapping[str, str], bytes | None]:
    row = connection.execute(
        "SELECT system_id, kind, settings, sealed FROM telephone_system WHERE name = %s", (name,)
    ).fetchone()
    if row is None:
        raise CommandRefused(f"There is no telephone system named {name}: python -m cloud telephone list shows them.")
    return row[0], row[1], row[2], row[3]


def _audit(connection: Connection, now: datetime, action: str, system_id: UUID) -> None:
    connection.execute(
        "INSERT INTO audit (at, action, subject) VALUES (%s, %s, %s)", (now, action, f"telephone_system:{system_id}")
    )
