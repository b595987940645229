"""The login roles of the cloud's processes: what migration 0001 grants to, with this clone's passwords."""

from __future__ import annotations

import psycopg
from psycopg import sql

from deploy.services.passwords import Passwords

LOCK = 0x9E15E_9057  # any number of ours: two starters at once would collide on the cluster's catalogue


def ensure(admin_url: str, passwords: Passwords) -> None:
    """Make both roles if they are missing, let them log in, and set their passwords."""
    wanted = {
        "pulsepost_ingest": passwords.pulsepost_ingest,
        "pulsepost_console": passwords.pulsepost_console,
    }
    with psycopg.connect(admin_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for role, password in wanted.items():
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            verb = sql.SQL("CREATE" if known is None else "ALTER")
            statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
            connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(password)))
