"""All SQL of asking for a later look: the timers of "measure again", and whose sessions are to be assessed when.

Whoever needs several of these rows takes them in the order of their key, and before any case: the ingest asks in the
transaction that stores, and the jobs process (``cloud.assessment``) takes the rows away.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from alerting.remeasure import Remeasure
from cloud.alerts.reasons import to_json
from cloud.db.connect import Connection, as_rows


class What(StrEnum):
    """What there is to look at."""

    PRESSURE = "pressure"  # sessions, once they are closed
    GLUCOSE = "glucose"  # what repeats within a day or a week
    REMEASURE = "remeasure"  # running timers: an answer came, or one is due
    DAY = "day"  # averages, trends and rhythm of the patient's day that is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A look at what one patient has measured from ``since`` on, as far as it reached us from ``heard_since`` on."""

    patient_id: UUID
    what: What
    due_at: datetime
    since: datetime
    heard_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A timer to be set. ``reading_id`` is the first reading's; of a session's limit, the session's first."""

    patient_id: UUID
    reading_id: str
    remeasure: Remeasure


def start(connection: Connection, timers: Iterable[Timer]) -> None:
    """Set these timers; one that runs or ran for the same reading and condition stays as it is."""
    rows = [
        {
            "patient_id": timer.patient_id,
            "condition": timer.remeasure.limit.condition,
            "measure": timer.remeasure.limit.measure,
            "reading_id": timer.reading_id,
            "first": to_json(timer.remeasure.first),
            "first_at": timer.remeasure.first_at,
            "earliest": timer.remeasure.earliest,
            "due": timer.remeasure.due,
        }
        for timer in timers
    ]
    if rows:
        connection.execute(_START, (as_rows(rows),))


def ask(
    connection: Connection,
    wanted: Iterable[Due],
    starting: Collection[UUID],
    measured: Collection[UUID],
    at: datetime,
) -> None:
    """One row for each patient and kind, at the earlier of both times.

    ``starting`` have a timer that was set just now, and ``measured`` may have answered one that runs: it is looked at.
    """
    rows = [
        {"patient_id": d.patient_id, "what": d.what, "due_at": d.due_at, "since": d.since, "heard_since": d.heard_since}
        for d in wanted
    ]
    rows += [
        {"patient_id": patient_id, "what": What.REMEASURE, "due_at": at, "since": at, "heard_since": at}
        for patient_id in starting
    ]
    if rows or measured:
        connection.execute(
            _ASK, {"rows": as_rows(rows), "measured": list(measured), "starting": list(starting), "at": at}
        )


_START = """
INSERT INTO remeasure (patient_id, condition, measure, reading_id, first, first_at, earliest, due)
SELECT patient_id, condition, measure, reading_id, first, first_at, earliest, due
FROM json_to_recordset(%s::json) AS r(patient_id uuid, condition text, measure text, reading_id uuid, first jsonb,
                                      first_at timestamptz, earliest timestamptz, due timestamptz)
ORDER BY reading_id, condition
ON CONFLICT (reading_id, condition) DO NOTHING
"""

_ASK = """
INSERT INTO assessment_due AS d (patient_id, what, due_at, since, heard_since)
SELECT patient_id, what, due_at, since, heard_since
FROM json_to_recordset(%(rows)s::json) AS r(patient_id uuid, what text, due_at timestamptz, since timestamptz,
                                            heard_since timestamptz)
UNION ALL
SELECT DISTINCT patient_id, 'remeasure', %(at)s::timestamptz, %(at)s::timestamptz, %(at)s::timestamptz
FROM remeasure
WHERE answer = 'waiting' AND patient_id = ANY(%(measured)s) AND NOT patient_id = ANY(%(starting)s)
ORDER BY 1, 2
ON CONFLICT (patient_id, what) DO UPDATE SET
    due_at = least(d.due_at, excluded.due_at),
    since = least(d.since, excluded.since),
    heard_since = least(d.heard_since, excluded.heard_since)
"""
