"""Commands as the ingest works on them: which are due, what gateways say of theirs, and whose time is over."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from cloud.commands.models import FIRST_AGAIN, GRACE, LAST_AGAIN, Outgoing, Told
from cloud.db.connect import Connection, as_rows

MOST_AT_ONCE: Final = 100


def take_due(connection: Connection, now: datetime) -> list[Outgoing]:
    """Those to be published now, each to one of us; published or not, they are due again after a pause.

    For a gateway that is away the broker keeps what was published once. Nothing for one that was revoked.
    """
    with connection.cursor(row_factory=class_row(Outgoing)) as cursor:
        cursor.execute(_TAKE_DUE, {"now": now, "first": FIRST_AGAIN, "last": LAST_AGAIN, "most": MOST_AT_ONCE})
        return cursor.fetchall()


def record_told(connection: Connection, told: Iterable[Told]) -> None:
    """What gateways say of their commands; another's, what is known already and what has ended changes nothing."""
    newest: dict[str, Told] = {}
    for one in sorted(told, key=lambda t: t.step):
        newest[f"{one.gateway_id} {one.command_id}"] = one
    if newest:
        connection.execute(_RECORD_TOLD, (as_rows(list(newest.values())),))


def expire(connection: Connection, now: datetime) -> int:
    """End those whose time is over; how many."""
    return connection.execute(_EXPIRE, {"now": now, "grace": GRACE}).rowcount


_TAKE_DUE: Final = """
WITH due AS (
    SELECT c.command_id, c.body || coalesce(s.secret, '{}') AS body
    FROM gateway_command c
    JOIN gateway g USING (gateway_id)
    LEFT JOIN gateway_command_secret s USING (command_id)
    WHERE c.publish_at <= %(now)s AND c.expires_at > %(now)s AND g.revoked_at IS NULL
      AND (c.published = 0 OR g.state = 'online')
    ORDER BY c.publish_at LIMIT %(most)s FOR UPDATE OF c SKIP LOCKED
)
UPDATE gateway_command c SET
    stage = 'published',
    published_at = %(now)s,
    published = c.published + 1,
    publish_at = %(now)s + least(%(first)s * power(2, least(c.published, 20)), %(last)s)
FROM due WHERE c.command_id = due.command_id
RETURNING c.command_id, c.gateway_id, c.kind, c.expires_at, due.body
"""

# Locked in order first.
_RECORD_TOLD: Final = """
WITH told AS MATERIALIZED (
    SELECT r.*
    FROM json_to_recordset(%s::json) AS r(
        command_id uuid, gateway_id text, stage text, step integer, at timestamptz, reason text, detail jsonb)
    JOIN gateway_command c USING (command_id, gateway_id)
    WHERE r.step > c.step AND c.stage IN ('waiting', 'published', 'underway', 'expired')
    ORDER BY command_id FOR NO KEY UPDATE OF c
)
UPDATE gateway_command c SET
    stage = told.stage,
    step = told.step,
    reason = told.reason,
    detail = told.detail,
    answered_at = told.at,
    publish_at = NULL
FROM told
WHERE c.command_id = told.command_id AND told.step > c.step
"""

_EXPIRE: Final = """
UPDATE gateway_command SET stage = 'expired', publish_at = NULL
WHERE stage IN ('waiting', 'published') AND expires_at <= %(now)s
   OR stage = 'underway' AND expires_at <= %(now)s - %(grace)s
"""
