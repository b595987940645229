"""All SQL of the audit trail: one statement, and it inserts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb


async def record(
    connection: AsyncConnection[Any],
    *,
    at: datetime,
    account_id: UUID | None,
    action: str,
    subject: str,
    patient_id: UUID | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """One row, committed by the caller with the deed itself.

    ``subject`` is ``kind:id``, and ``detail`` holds codes and ids: never a name, never a measured value.
    """
    await connection.execute(
        "INSERT INTO audit (at, account_id, action, subject, patient_id, detail) VALUES (%s, %s, %s, %s, %s, %s)",
        (at, account_id, action, subject, patient_id, Jsonb(dict(detail or {}))),
    )
