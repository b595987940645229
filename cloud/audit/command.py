"""``python -m cloud audit verify|head``: is the audit as it was written, and where does it end."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cloud.audit import service, store
from cloud.audit.models import Broken, Head, Whole
from cloud.db.connect import open_connection

SAY_EVERY = 50_000
NONE_YET = "the audit has no row yet"


class CommandRefused(Exception):
    """The command cannot be done as it was given; the message says what to give."""


def run(database_url: str, options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """0: whole. 1: broken, and the first broken row is named. CommandRefused. Progress goes to stderr."""
    if options.deed == "head":
        with open_connection(database_url, "pulsepost audit head", autocommit=True) as connection:
            say(str(store.head(connection) or NONE_YET))
        return 0
    return _verify(database_url, _since(options.since), _heads(options.heads), say)


def _verify(database_url: str, since: datetime | None, heads: list[Head], say: Callable[[str], None]) -> int:
    with open_connection(database_url, "pulsepost audit verify") as connection:
        # The largest chain takes longer than any statement of the wards.
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        connection.commit()
        store.look_only(connection)
        for found in service.verify(connection, heads, since):
            if isinstance(found, Broken):
                say(broken(found))
                return 1
            if isinstance(found, Whole):
                say(whole(found, since, len(heads)))
            elif found % SAY_EVERY == 0:
                sys.stderr.write(f"place {found} is whole\n")
    return 0


def broken(found: Broken) -> str:
    """One line: what, where, which row, and why it is thought so."""
    where = f"place {found.position}" if found.position is not None else "no place"
    row = f", row {found.audit_id}" if found.audit_id is not None else ""
    return f"BROKEN: {found.fault} at {where}{row}: {found.said}."


def whole(found: Whole, since: datetime | None, heads: int) -> str:
    """What was found whole, and what it was compared with."""
    from_when = f" linked since {since:%Y-%m-%d %H:%M} UTC" if since else ""
    lines = [f"whole: {found.rows} rows{from_when}, compared with {heads} heads that were written down"]
    if not heads:
        lines.append("without --heads nobody notices that the newest rows were taken away, or all of it written anew")
    lines.append(str(found.head or NONE_YET))
    return "\n".join(lines)


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise CommandRefused(
            f"--since {text}: give a day or a time, such as 2026-11-01 or 2026-11-01T08:00Z."
        ) from None
    return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)


def _heads(path: Path | None) -> list[Head]:
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CommandRefused(f"--heads {path}: {error.strerror}. Give the file with the lines of audit head.") from None
    heads = list(service.heads_in(text))
    if not heads:
        raise CommandRefused(f"--heads {path}: no line of it says `audit head <place> <hash>`.")
    return heads
