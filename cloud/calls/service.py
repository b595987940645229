"""What is shown of calls. They begin and end with a case: ``cloud.centre``."""

from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.calls import store
from cloud.calls.models import Call

Connection = AsyncConnection[Any]

SHOWN: Final = 8


async def last_calls(conn: Connection, patient_id: UUID) -> list[Call]:
    """Newest first; the caller has checked who asks."""
    return await store.calls(conn, patient_id, SHOWN)
