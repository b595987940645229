"""All SQL of what homes are told. It reads plans and who uses which device, and writes commands that name nobody."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cloud.db.connect import Connection
from cloud.fleet.schedules import SCHEDULES, Row
from cloud.homes.models import EXPIRES_AFTER, KIND, Said, Use


def is_mine(connection: Connection) -> bool:
    """Whether this transaction, and no other one, tells homes now."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('homes', 0))").fetchone()
    return row is not None and bool(row[0])


def uses(connection: Connection, now: datetime) -> list[Use]:
    """Every home that was ever heard of, and who is known to use which of its devices."""
    return [Use(*row) for row in connection.execute(_USES, {"now": now})]


def schedules(connection: Connection, now: datetime) -> list[Row]:
    """Everybody's schedule, with its pauses."""
    return [Row(*row) for row in connection.execute(SCHEDULES, {"now": now, "patient_id": None})]


def said(connection: Connection) -> dict[str, Said]:
    """What each home was sent last."""
    with connection.cursor(row_factory=class_row(Said)) as cursor:
        return {one.gateway_id: one for one in cursor.execute(_SAID, {"kind": KIND})}


def bodies(connection: Connection, command_ids: Collection[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
    """What these commands say."""
    if not command_ids:
        return {}
    return dict(connection.execute(_BODIES, (list(command_ids),)).fetchall())


def tell(connection: Connection, told: Sequence[tuple[str, Mapping[str, Any]]], now: datetime) -> None:
    """Send these homes these bodies; what they were sent before is called off, and what has ended is removed."""
    homes = [gateway_id for gateway_id, _ in told]
    connection.execute(_CALL_OFF, {"homes": homes, "kind": KIND})
    connection.execute(_REMOVE, {"homes": homes, "kind": KIND})
    with connection.cursor() as cursor:
        cursor.executemany(
            _TELL,
            [
                {"gateway_id": gateway_id, "kind": KIND, "body": Jsonb(body), "now": now, "until": now + EXPIRES_AFTER}
                for gateway_id, body in told
            ],
        )


_USES: Final = """
SELECT g.gateway_id, h.name, a.user_index, a.patient_id
FROM gateway g
LEFT JOIN (known_home h JOIN device_assignment a ON a.assignment_id = h.assignment_id
                                                    AND a.valid @> %(now)s::timestamptz)
    ON h.gateway_id = g.gateway_id
WHERE g.revoked_at IS NULL AND g.last_seen_at IS NOT NULL
"""

_SAID: Final = """
SELECT g.gateway_id, c.command_id, c.stage, c.created_at
FROM gateway g
CROSS JOIN LATERAL (SELECT command_id, stage, created_at FROM gateway_command c
                    WHERE c.gateway_id = g.gateway_id AND c.kind = %(kind)s
                    ORDER BY c.created_at DESC LIMIT 1) c
"""

_BODIES: Final = "SELECT command_id, body FROM gateway_command WHERE command_id = ANY(%s)"

_CALL_OFF: Final = """
UPDATE gateway_command SET stage = 'expired', publish_at = NULL, reason = 'there is a newer one'
WHERE gateway_id = ANY(%(homes)s) AND kind = %(kind)s AND stage IN ('waiting', 'published')
"""

_REMOVE: Final = """
DELETE FROM gateway_command
WHERE gateway_id = ANY(%(homes)s) AND kind = %(kind)s AND stage IN ('done', 'failed', 'refused', 'expired')
"""

_TELL: Final = """
INSERT INTO gateway_command (gateway_id, kind, body, created_at, expires_at, publish_at)
VALUES (%(gateway_id)s, %(kind)s, %(body)s, %(now)s, %(until)s, %(now)s)
"""
