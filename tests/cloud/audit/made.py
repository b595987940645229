"""An audit with a few rows, and somebody who may do anything with it."""

from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from cloud.audit.models import Broken, Head, Whole
from cloud.audit.service import verify
from tests.cloud.made import NOW

Superuser = psycopg.Connection[Any]


def written(connection: Superuser, account_id: UUID | None, patient_id: UUID | None, rows: int = 5) -> None:
    """So many deeds, each in a transaction of its own where the connection commits by itself."""
    for number in range(rows):
        connection.execute(
            """INSERT INTO audit (at, account_id, action, subject, patient_id, detail)
               VALUES (%s, %s, 'patient.read', %s, %s, '{"number": 1.50, "said": "Ünïcode; 3:x"}')""",
            (NOW, account_id, f"patient:{number}", patient_id),
        )


def tamper(connection: Superuser, *statements: LiteralString) -> None:
    """As somebody who owns the database and takes the triggers away meanwhile."""
    with connection.transaction():
        for table in ("audit", "audit_link"):
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(sql.Identifier(table)))
        for statement in statements:
            connection.execute(statement)
        for table in ("audit", "audit_link"):
            connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER ALL").format(sql.Identifier(table)))


def verdict(connection: Superuser, *heads: Head) -> Broken | Whole:
    """What the verifier says in the end."""
    with connection.transaction():
        *_, last = verify(connection, heads)
    assert not isinstance(last, int)
    return last


def found_at(connection: Superuser, *heads: Head) -> tuple[str, int | None, int | None]:
    """What is broken: fault, place, row."""
    said = verdict(connection, *heads)
    assert isinstance(said, Broken), said
    return said.fault.value, said.position, said.audit_id


def found_after(connection: Superuser, *statements: LiteralString) -> tuple[str, int | None, int | None]:
    """The same while somebody has done this; then it is as if they had not."""
    with connection.transaction(force_rollback=True):
        tamper(connection, *statements)
        return found_at(connection)
