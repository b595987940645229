"""All SQL of the audit trail."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from cloud.db.connect import Connection


def record(
    connection: Connection,
    *,
    at: datetime,
    account_id: UUID | None,
    action: str,
    subject: str,
    patient_id: UUID | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """One row; ``subject`` is ``kind:id``, never a name. The caller commits, with the deed itself."""
    connection.execute(
        "INSERT INTO audit (at, account_id, action, subject, patient_id, detail) VALUES (%s, %s, %s, %s, %s, %s)",
        (at, account_id, action, subject, patient_id, Jsonb(dict(detail or {}))),
    )
