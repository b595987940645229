"""What an operator does at the command line: `python -m cloud telephone`."""

import argparse
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from cloud.crm.connectors.given import Given, NotUsable, kind_of
from cloud.crm.outbox.options import CommandRefused, first_secrets, named, next_secrets, pairs
from cloud.crm.outbox.sealing import NotOpened, sealed, secrets_of
from cloud.crm.telephony.systems import KINDS, ears, keeps_for, telephony
from cloud.crm_config import CrmSettings, trusting
from cloud.db.connect import Connection, open_connection


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
        case "set":
            return _change_settings(connection, settings, options, now)
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
    given = pairs(options.set)
    secrets = first_secrets(kind_of(KINDS, options.kind), options.secret)
    system_id = uuid4()
    listens = _try(settings, options.kind, given, secrets.kept, now)
    kept = sealed(settings.key, system_id, secrets.kept)
    with named(options.name, "telephone system"):
        connection.execute(
            "INSERT INTO telephone_system (system_id, name, kind, settings, sealed, keeps_for, added_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (system_id, options.name, options.kind, Jsonb(dict(given)), kept, keeps_for(given), now),
        )
    _audit(connection, now, "telephone.add", system_id, {"kind": options.kind, "settings": sorted(given)})
    heard = [f"It may tell us of calls at POST /telephone/{system_id}/events"] if listens else []
    return "\n".join([f"{options.name} can be asked to have telephones ring.", *heard, *secrets.shown()])


def _change_settings(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    """Others stay as they are; an empty one is taken away."""
    system_id, kind, given, kept = _found(connection, options.name)
    changed = pairs(options.set)
    new = {name: value for name, value in {**given, **changed}.items() if value}
    _try(settings, kind, new, secrets_of(settings.key, system_id, kept), now)
    connection.execute(
        "UPDATE telephone_system SET settings = %s, keeps_for = %s WHERE system_id = %s",
        (Jsonb(new), keeps_for(new), system_id),
    )
    _audit(connection, now, "telephone.settings", system_id, {"settings": sorted(changed)})
    return f"The settings of {options.name} are changed."


def _change_secrets(connection: Connection, settings: CrmSettings, options: argparse.Namespace, now: datetime) -> str:
    system_id, kind, given, kept = _found(connection, options.name)
    before = secrets_of(settings.key, system_id, kept)
    secrets = next_secrets(options.name, kind_of(KINDS, kind), before, options.secret, drop_former=options.drop_former)
    _try(settings, kind, given, secrets.kept, now)
    connection.execute(
        "UPDATE telephone_system SET sealed = %s WHERE system_id = %s",
        (sealed(settings.key, system_id, secrets.kept), system_id),
    )
    _audit(connection, now, "telephone.secret", system_id, {"secrets": sorted(secrets.new)})
    return "\n".join([f"The secrets of {options.name} are changed.", *secrets.shown()])


def _try(settings: CrmSettings, kind: str, given: Mapping[str, str], kept: Mapping[str, str], now: datetime) -> bool:
    """Whether it tells us anything. NotUsable."""
    made = Given(settings=given, secrets=kept, tls=trusting(settings), now=lambda: now)
    telephony(kind, made)
    return ears(kind, made) is not None


def _found(connection: Connection, name: str) -> tuple[UUID, str, Mapping[str, str], bytes | None]:
    row = connection.execute(
        "SELECT system_id, kind, settings, sealed FROM telephone_system WHERE name = %s FOR UPDATE", (name,)
    ).fetchone()
    if row is None:
        raise CommandRefused(f"There is no telephone system named {name}: python -m cloud telephone list shows them.")
    return row[0], row[1], row[2], row[3]


def _audit(
    connection: Connection, now: datetime, action: str, system_id: UUID, detail: Mapping[str, object] | None = None
) -> None:
    connection.execute(
        "INSERT INTO audit (at, action, subject, detail) VALUES (%s, %s, %s, %s)",
        (now, action, f"telephone_system:{system_id}", Jsonb(dict(detail or {}))),
    )
