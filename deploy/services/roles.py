"""The login roles of the cloud's processes: what migration 0001 grants to, with this clone's passwords.

Made before any migration runs, so that two migrations of two databases at once do not collide on the cluster's roles.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from deploy.services.errors import WrongSetting
from deploy.services.passwords import Passwords

LOCK = 0x7075_6C73  # a number of ours: two starters at once would collide on the cluster's catalogue


def ensure(admin_url: str, passwords: Passwords, *, ours: bool) -> None:
    """Let the roles log in with our passwords; make those that are missing.

    Raises:
        WrongSetting: in a cluster that is not `ours`, a role can log in already, with a password we do not know.
            Somebody's processes may be using it: it is left as it is.
    """
    wanted = passwords.of_roles
    with psycopg.connect(admin_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for role, password in wanted.items():
            _ensure(connection, role, password, ours=ours)


def _ensure(connection: psycopg.Connection, role: str, password: str, *, ours: bool) -> None:
    known = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if known is not None and known[0]:
        if _logs_in(connection, role, password):
            return
        if not ours:
            raise WrongSetting(
                f"role {role} of the given cluster has a password that is not in .local/services/passwords.json: "
                "put it there, or give another cluster"
            )
    verb = sql.SQL("CREATE" if known is None else "ALTER")
    statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(password)))


def _logs_in(connection: psycopg.Connection, role: str, password: str) -> bool:
    try:
        psycopg.connect(connection.info.dsn, user=role, password=password, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True
