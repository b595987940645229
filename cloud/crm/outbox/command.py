"""What an operator does at the command line: `python -m cloud crm`."""

import argparse
import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from cloud.crm.connectors.offered import KINDS, Given, NotUsable, connector
from cloud.crm.outbox.sealing import NotOpened, sealed, secrets_of
from cloud.crm_config import CrmSettings, trusting
from cloud.db.connect import Connection, open_connection

SECRET_OCTETS: Final = 32
# What stands in an event because a setting let it out (0023_crm_outbox.sql, 0028_voices.sql).
LET_OUT: Final[Mapping[str, Sequence[str]]] = {
    "values": ("sentence",),
    "names": ("name",),
    "phones": ("phone", "number"),
    "surveys": ("answers",),
}


class CommandRefused(Exception):
    """It was not done; the text says why and what to do."""


def run(database_url: str, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    """Do what ``crm`` was given; what to tell. CommandRefused."""
    with open_connection(database_url, "pulsepost-crm") as connection:
        try:
            return _do(connection, settings, options, now)
        except (NotUsable, NotOpened) as error:
            raise CommandRefused(str(error)) from None


def _do(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    match options.deed:
        case "list":
            return "\n".join(_lines(connection)) or "no CRM yet"
        case "add":
            return _add(connection, settings, options, now)
        case "set":
            return _change_settings(connection, settings, options, now)
        case "secret":
            return _change_secrets(connection, settings, options, now)
        case "stop":
            _set_active(connection, options.name, active=False)
            return f"{options.name} is told nothing from now on; what waited for it is kept"
        case _:
            _set_active(connection, options.name, active=True)
            return f"{options.name} is told again, also what waited"


def _add(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    given = _pairs(options.set)
    kept = _files(options.secret)
    drawn = _draw(options.kind, kept)
    destination_id = uuid4()
    _try(settings, options.kind, given, {**kept, **drawn}, now)
    try:
        connection.execute(
            "INSERT INTO crm_destination (destination_id, name, kind, settings, sealed, added_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                destination_id,
                options.name,
                options.kind,
                Jsonb(dict(given)),
                _seal(settings, destination_id, {**kept, **drawn}),
                now,
            ),
        )
    except psycopg.errors.UniqueViolation:
        raise CommandRefused(f"There is a CRM named {options.name}: choose another name.") from None
    _audit(connection, now, "crm.add", destination_id, {"kind": options.kind, "settings": sorted(given)})
    return "\n".join(
        [f"{options.name} is told what happens from now on.", *_heard(options.kind, destination_id), *_shown(drawn)]
    )


def _change_settings(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    """Others stay as they are; an empty one is taken away. What may no longer leave is taken out of what waits."""
    destination_id, kind, given, kept = _found(connection, options.name)
    changed = _pairs(options.set)
    new = {name: value for name, value in {**given, **changed}.items() if value}
    _try(settings, kind, new, secrets_of(settings.key, destination_id, kept), now)
    connection.execute(
        "UPDATE crm_destination SET settings = %s WHERE destination_id = %s", (Jsonb(new), destination_id)
    )
    kept_back = [field for switch, fields in LET_OUT.items() if new.get(switch) != "yes" for field in fields]
    connection.execute(
        "UPDATE crm_outbox SET data = data - %s::text[] WHERE destination_id = %s AND state IN ('waiting', 'dead')"
        " AND data ?| %s::text[]",
        (kept_back, destination_id, kept_back),
    )
    _audit(connection, now, "crm.set", destination_id, {"settings": sorted(changed)})
    return f"The settings of {options.name} are changed, also for what waits."


def _change_secrets(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    """New ones in place of those of the same names; the former signing secret goes on counting until it is dropped."""
    destination_id, kind, given, kept = _found(connection, options.name)
    former = dict(secrets_of(settings.key, destination_id, kept))
    new = _files(options.secret) or _draw(kind, {})
    draws = KINDS[kind].draws
    if options.drop_former:
        former.pop(f"former_{draws}", None)
        new = _files(options.secret)
    elif draws in new and draws in former:
        former[f"former_{draws}"] = former[draws]
    if not new and not options.drop_former:
        raise CommandRefused(f"Give each new secret in a file: --secret NAME=FILE ({kind} draws none).")
    _try(settings, kind, given, {**former, **new}, now)
    # Where it was shut for the former ones, nobody waits for the next probe.
    connection.execute(
        "UPDATE crm_destination SET sealed = %s, not_before = NULL WHERE destination_id = %s",
        (_seal(settings, destination_id, {**former, **new}), destination_id),
    )
    _audit(connection, now, "crm.secret", destination_id, {"secrets": sorted(new)})
    return "\n".join([f"The secrets of {options.name} are changed.", *_shown({} if options.secret else new)])


def _try(settings: CrmSettings, kind: str, given: Mapping[str, str], kept: Mapping[str, str], now: datetime) -> None:
    """NotUsable."""
    connector(kind, Given(settings=given, secrets=kept, tls=trusting(settings.ca_file), now=lambda: now))


def _seal(settings: CrmSettings, destination_id: UUID, kept: Mapping[str, str]) -> bytes | None:
    if not kept:
        return None
    if settings.key is None:
        raise CommandRefused("Set PULSEPOST_CRM_KEY first: secrets of CRMs are sealed under it.")
    return sealed(settings.key, destination_id, kept)


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


def _draw(kind: str, kept: Mapping[str, str]) -> Mapping[str, str]:
    draws = KINDS[kind].draws if kind in KINDS else None
    if draws is None or draws in kept:
        return {}
    return {draws: f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_OCTETS)).decode()}"}


def _heard(kind: str, destination_id: UUID) -> list[str]:
    return [f"It may tell us at POST /crm/inbound/{destination_id}"] if KINDS[kind].listen is not None else []


def _shown(drawn: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}\nIt is shown this once: put it where the CRM keeps it." for name, value in drawn.items()]


def _found(connection: Connection, name: str) -> tuple[UUID, str, Mapping[str, str], bytes | None]:
    row = connection.execute(
        "SELECT destination_id, kind, settings, sealed FROM crm_destination WHERE name = %s", (name,)
    ).fetchone()
    if row is None:
        raise CommandRefused(f"There is no CRM named {name}: python -m cloud crm list shows them.")
    return row[0], row[1], row[2], row[3]


def _set_active(connection: Connection, name: str, *, active: bool) -> None:
    destination_id, *_ = _found(connection, name)
    connection.execute(
        "UPDATE crm_destination SET active = %s, failures = 0, failing = NULL, down_since = NULL, down_why = NULL,"
        " not_before = NULL, probes = 0 WHERE destination_id = %s",
        (active, destination_id),
    )


def _audit(
    connection: Connection, now: datetime, action: str, destination_id: UUID, detail: Mapping[str, object]
) -> None:
    connection.execute(
        "INSERT INTO audit (at, action, subject, detail) VALUES (%s, %s, %s, %s)",
        (now, action, f"crm_destination:{destination_id}", Jsonb(dict(detail))),
    )


def _lines(connection: Connection) -> list[str]:
    rows = connection.execute(
        "SELECT d.name, d.kind, d.active, d.down_since, count(o.seq) FILTER (WHERE o.state = 'waiting'),"
        " count(o.seq) FILTER (WHERE o.state = 'dead') FROM crm_destination d"
        " LEFT JOIN crm_outbox o ON o.destination_id = d.destination_id AND o.state <> 'done'"
        " GROUP BY d.destination_id ORDER BY d.name"
    )
    return [_line(*row) for row in rows]


def _line(name: str, kind: str, active: bool, down_since: datetime | None, waiting: int, dead: int) -> str:
    standing = "stopped" if not active else f"down since {down_since:%Y-%m-%d %H:%M} UTC" if down_since else "in use"
    return f"{name}\t{kind}\t{standing}\t{waiting} waiting\t{dead} not taken"
