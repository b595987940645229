"""What an operator does at the command line: `python -m cloud crm`."""

import argparse
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from cloud.crm.connectors.given import Given, NotUsable, kind_of
from cloud.crm.connectors.offered import KINDS, connector
from cloud.crm.outbox.options import CommandRefused, first_secrets, named, next_secrets, pairs
from cloud.crm.outbox.sealing import NotOpened, sealed, secrets_of
from cloud.crm_config import CrmSettings, trusting
from cloud.db.connect import Connection, open_connection

# What stands in an event because a setting let it out (0023_crm_outbox.sql, 0028_voices.sql).
LET_OUT: Final[Mapping[str, Sequence[str]]] = {
    "values": ("sentence",),
    "names": ("name",),
    "phones": ("phone", "number"),
    "surveys": ("answers",),
}


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
        case deed:
            _set_active(connection, options, now)
            on = "again, also what waited" if deed == "start" else "nothing from now on; what waited for it is kept"
            return f"{options.name} is told {on}"


def _add(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    kind = kind_of(KINDS, options.kind)
    given = pairs(options.set)
    secrets = first_secrets(kind, options.secret)
    destination_id = uuid4()
    _try(settings, options.kind, given, secrets.kept, now)
    kept = sealed(settings.key, destination_id, secrets.kept)
    with named(options.name, "CRM"):
        connection.execute(
            "INSERT INTO crm_destination (destination_id, name, kind, settings, sealed, added_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (destination_id, options.name, options.kind, Jsonb(dict(given)), kept, now),
        )
    _audit(connection, now, "crm.add", destination_id, {"kind": options.kind, "settings": sorted(given)})
    heard = [f"It may tell us at POST /crm/inbound/{destination_id}"] if kind.listen is not None else []
    return "\n".join([f"{options.name} is told what happens from now on.", *heard, *secrets.shown()])


def _change_settings(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    """Others stay as they are; an empty one is taken away. What may no longer leave is taken out of what waits."""
    destination_id, kind, given, kept = _found(connection, options.name)
    changed = pairs(options.set)
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
    destination_id, kind, given, kept = _found(connection, options.name)
    before = secrets_of(settings.key, destination_id, kept)
    secrets = next_secrets(options.name, kind_of(KINDS, kind), before, options.secret, drop_former=options.drop_former)
    _try(settings, kind, given, secrets.kept, now)
    # Where it was shut for the former ones, nobody waits for the next probe.
    connection.execute(
        "UPDATE crm_destination SET sealed = %s, not_before = NULL WHERE destination_id = %s",
        (sealed(settings.key, destination_id, secrets.kept), destination_id),
    )
    _audit(connection, now, "crm.secret", destination_id, {"secrets": sorted(secrets.new)})
    return "\n".join([f"The secrets of {options.name} are changed.", *secrets.shown()])


def _try(settings: CrmSettings, kind: str, given: Mapping[str, str], kept: Mapping[str, str], now: datetime) -> None:
    """NotUsable."""
    connector(kind, Given(settings=given, secrets=kept, tls=trusting(settings), now=lambda: now))


def _found(connection: Connection, name: str) -> tuple[UUID, str, Mapping[str, str], bytes | None]:
    row = connection.execute(
        "SELECT destination_id, kind, settings, sealed FROM crm_destination WHERE name = %s", (name,)
    ).fetchone()
    if row is None:
        raise CommandRefused(f"There is no CRM named {name}: python -m cloud crm list shows them.")
    return row[0], row[1], row[2], row[3]


def _set_active(connection: Connection, options: argparse.Namespace, now: datetime) -> None:
    destination_id, *_ = _found(connection, options.name)
    connection.execute(
        "UPDATE crm_destination SET active = %s, failures = 0, failing = NULL, down_since = NULL, down_why = NULL,"
        " not_before = NULL, probes = 0 WHERE destination_id = %s",
        (options.deed == "start", destination_id),
    )
    _audit(connection, now, f"crm.{options.deed}", destination_id)


def _audit(
    connection: Connection,
    now: datetime,
    action: str,
    destination_id: UUID,
    detail: Mapping[str, object] | None = None,
) -> None:
    connection.execute(
        "INSERT INTO audit (at, action, subject, detail) VALUES (%s, %s, %s, %s)",
        (now, action, f"crm_destination:{destination_id}", Jsonb(dict(detail or {}))),
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
