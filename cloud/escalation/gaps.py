"""All SQL of gaps: roles of which nobody could be told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cloud.db.connect import Connection
from cloud.duty.gaps import CALL_PAGES_OFF
from cloud.escalation.models import OpenGap

_OF_GAP = "gap_id, role, why, opened_at, acknowledged_at, next_at, paged"


def run_into(connection: Connection, role: str, why: str, case_id: UUID, at: datetime) -> tuple[UUID, bool]:
    """The open gap of this role, opened if there is none; and whether the case is new to it."""
    connection.execute(
        """INSERT INTO duty_gap (role, why, opened_at, next_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (role, why) WHERE resolved_at IS NULL DO NOTHING""",
        (role, why, at, at),
    )
    # Locked: nobody resolves it before the case is in it.
    row = connection.execute(
        "SELECT gap_id FROM duty_gap WHERE role = %s AND why = %s AND resolved_at IS NULL FOR UPDATE", (role, why)
    ).fetchone()
    if row is None:
        # Resolved between the two statements: the case is looked at again anyway.
        return run_into(connection, role, why, case_id, at)
    gap_id: UUID = row[0]
    added = connection.execute(
        "INSERT INTO duty_gap_case (gap_id, case_id, at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (gap_id, case_id, at),
    )
    return gap_id, added.rowcount == 1


def open_gaps(connection: Connection) -> Sequence[OpenGap]:
    """Locked, but for those that another process tends just now."""
    rows = connection.execute(
        f"SELECT {_OF_GAP} FROM duty_gap WHERE resolved_at IS NULL ORDER BY gap_id FOR UPDATE SKIP LOCKED"  # noqa: S608
    )
    names = _OF_GAP.split(", ")
    return [OpenGap(**dict(zip(names, row, strict=True))) for row in rows]


def waiting_cases(connection: Connection, gap_id: UUID) -> Sequence[tuple[UUID, UUID]]:
    """Cases that ran into the gap and that nobody has taken: their ids, and their patients'."""
    rows = connection.execute(
        """SELECT c.case_id, c.patient_id FROM duty_gap_case g JOIN alert_case c USING (case_id)
           WHERE g.gap_id = %s AND c.state IN ('raised', 'escalated') ORDER BY c.case_id""",
        (gap_id,),
    )
    return [(row[0], row[1]) for row in rows]


def resolve(connection: Connection, gap_id: UUID, at: datetime) -> None:
    """Somebody is on duty again; pages of the gap that are still on their way are called off."""
    connection.execute(CALL_PAGES_OFF, {"gap_id": gap_id})
    connection.execute("UPDATE duty_gap SET resolved_at = %s, next_at = NULL WHERE gap_id = %s", (at, gap_id))


def told_again(connection: Connection, gap_id: UUID, next_at: datetime) -> None:
    """The lead nurses were told once more, and will be at that time."""
    connection.execute("UPDATE duty_gap SET paged = paged + 1, next_at = %s WHERE gap_id = %s", (next_at, gap_id))
