"""The database's own speed: binary COPY of rows that the ingest has stored, into the same tables of a twin database.

Two ways, both in one transaction over both tables. ``from_rows``: Python values that psycopg encodes, row by row, which
is the fastest that our driver can store a reading. ``from_octets``: the same COPY stream prepared beforehand, which is
the server alone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.types.json import Jsonb

from cloud.db.connect import one
from deploy.bench import clock
from deploy.bench.homes import Database


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns by name: the twin's tables are the same, but nobody promises their order."""

    name: LiteralString
    columns: LiteralString
    types: tuple[str, ...]

    @property
    def rows(self) -> LiteralString:
        return f"SELECT {self.columns} FROM {self.name} WHERE stored_at > %s"  # noqa: S608 -- names of ours

    @property
    def put(self) -> LiteralString:
        return f"COPY {self.name} ({self.columns}) FROM STDIN (FORMAT binary)"


_TABLES = (
    _Table(
        "ledger",
        "reading_id, fate, reason, gateway_id, device_id, session_id, kind, reported_time, raw, read_at, received_at,"
        " stored_at",
        ("uuid", "text", "text", "text", "text", "uuid", "text", "text", "bytea", *("timestamptz",) * 3),
    ),
    _Table(
        "glucose_observation",
        "effective_time, reading_id, patient_id, device_id, user_index, code, value, unit, state, bound, sample,"
        " context, annotations, reported_time, time_quality, received_at, stored_at",
        ("timestamptz", "uuid", "uuid", "text", "int2", "int4", "numeric", "text", "text", "numeric", "text", "jsonb",
         "text[]", "text", "text", "timestamptz", "timestamptz"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Copied:
    """Readings a second, the commit included."""

    from_rows: float
    from_octets: float


def copy_since(since: datetime, source: Database, twin: Database) -> Copied:
    """Copy what was stored after ``since`` (the database's own time), both ways; the second replaces the first."""
    with psycopg.connect(source.admin_url) as connection:
        rows = [_rows(connection, table, since) for table in _TABLES]
        octets = [_octets(connection, table, since) for table in _TABLES]
    readings = len(rows[0])
    with psycopg.connect(twin.admin_url) as connection:
        begun = clock.monotonic()
        for table, of_table in zip(_TABLES, octets, strict=True):
            with connection.cursor().copy(table.put) as copy:
                copy.write(of_table)
        from_octets_s = clock.monotonic() - begun
        connection.rollback()  # the second way stores the same rows
        begun = clock.monotonic()
        for table, values in zip(_TABLES, rows, strict=True):
            with connection.cursor().copy(table.put) as copy:
                copy.set_types(table.types)
                for row in values:
                    copy.write_row(row)
        connection.commit()
        from_rows_s = clock.monotonic() - begun
    return Copied(from_rows=readings / from_rows_s, from_octets=readings / from_octets_s)


def _rows(connection: psycopg.Connection[Any], table: _Table, since: datetime) -> list[tuple[Any, ...]]:
    found = connection.execute(table.rows, (since,)).fetchall()
    return [tuple(Jsonb(value) if isinstance(value, dict) else value for value in row) for row in found]


def _octets(connection: psycopg.Connection[Any], table: _Table, since: datetime) -> bytes:
    with connection.cursor().copy(f"COPY ({table.rows}) TO STDOUT (FORMAT binary)", (since,)) as copy:
        return b"".join(bytes(octets) for octets in copy)


def database_now(database: Database) -> datetime:
    """The clock that ``stored_at`` is taken from."""
    with psycopg.connect(database.admin_url) as connection:
        now: datetime = one(connection.execute("SELECT clock_timestamp()").fetchone())[0]
        return now
