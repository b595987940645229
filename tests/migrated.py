"""A database brought to the head of the migrations."""

from __future__ import annotations

from pathlib import Path

import psycopg

SQL = Path(__file__).resolve().parents[1] / "cloud" / "db" / "migrations" / "sql"


def migrate(admin_url: str) -> None:
    """Run every migration, in order."""
    with psycopg.connect(admin_url) as connection:
        for file in sorted(SQL.glob("*.sql")):
            connection.execute(file.read_bytes())
