"""All SQL of who was to measure and did not, by each patient's own schedule; and the working out of it.

Schedules of thousands are read at each turn and worked out seldom: while nothing is missing, a new reading can only put
the next step off, so a patient is looked at again when that step is due, or when the schedule was changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from alerting.adherence import Pause, Schedule, Silence, Slot, silence
from alerting.reasons import SilenceReason
from alerting.vigilance import watch
from alerting.windows import Times, instant
from cloud.db.connect import Connection, as_rows
from device_drivers.readings import Kind

# Whoever measured nothing for longer is silent since then, as far as we say.
LOOK_BACK = timedelta(days=60)
# Where no further step is to come: how many were missed is counted anew so often.
COUNT_AGAIN_AFTER = timedelta(hours=1)

Key = tuple[UUID, str]


class Row(NamedTuple):
    """A patient's schedule of one kind, as it is stored; equal rows say the same."""

    patient_id: UUID
    kind: str
    time_zone: str
    heightened_until: datetime | None
    slots: str  # JSON: [at, weekdays, before_s, after_s, since, until] of each
    pauses: str | None  # JSON: [start, end] of each

    @property
    def key(self) -> Key:
        return self.patient_id, self.kind


class Heard(NamedTuple):
    """When the patient last measured this kind, and when a person last closed the case of a silence."""

    measured_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A measurement of the schedule that did not come. ``since``: from when on it is expected."""

    patient_id: UUID
    kind: str
    reason: SilenceReason
    since: datetime
    measured_at: datetime | None

    @property
    def key(self) -> Key:
        return self.patient_id, self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    row: Row
    heard: Heard
    overdue: Overdue | None
    again_at: datetime

    def is_quiet(self, row: Row, now: datetime) -> bool:
        """Nothing was missing, and nothing can be yet."""
        return self.overdue is None and self.row == row and now < self.again_at

    def holds(self, row: Row, heard: Heard, now: datetime) -> bool:
        return self.row == row and self.heard == heard and now < self.again_at


@dataclass(slots=True)
class Memory:
    """What was worked out of whose schedule; of those who have one."""

    looked: dict[Key, _Looked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """``overdue``: missed for as long as the first step asks. ``measured``: who misses nothing, among those looked at
    in this turn, with their newest measurement."""

    overdue: Sequence[Overdue]
    measured: Mapping[UUID, datetime]


def turn(connection: Connection, memory: Memory, now: datetime) -> Turn:
    """Everybody's schedule, as far as anything can have changed; ``memory`` is brought up to date."""
    rows = [Row(*row) for row in connection.execute(SCHEDULES, {"now": now, "patient_id": None})]
    known = memory.looked
    memory.looked = {}
    awake: list[Row] = []
    for row in rows:
        looked = known.get(row.key)
        if looked is not None and looked.is_quiet(row, now):
            memory.looked[row.key] = looked
        else:
            awake.append(row)
    heard = _heard(connection, awake, now)
    for row in awake:
        looked = known.get(row.key)
        if looked is None or not looked.holds(row, heard[row.key], now):
            looked = _look(row, heard[row.key], now)
        memory.looked[row.key] = looked
    found = [looked.overdue for looked in memory.looked.values() if looked.overdue is not None]
    late = {one.patient_id for one in found}
    return Turn(overdue=found, measured=_measured((row, heard[row.key]) for row in awake if row.patient_id not in late))


def _measured(looked: Iterable[tuple[Row, Heard]]) -> Mapping[UUID, datetime]:
    newest: dict[UUID, datetime] = {}
    for row, (at, _) in looked:
        if at is not None:
            newest[row.patient_id] = max(at, newest.get(row.patient_id, at))
    return newest


def _look(row: Row, heard: Heard, now: datetime) -> _Looked:
    found, again_at = missing(row, heard, now)
    return _Looked(row=row, heard=heard, overdue=found, again_at=again_at or now + COUNT_AGAIN_AFTER)


def missing(row: Row, heard: Heard, now: datetime) -> tuple[Overdue | None, datetime | None]:
    """What is missing by now, and when the next step of it is to be taken. Pure."""
    schedule = _schedule(row, heard.closed_at)
    taken = _NEVER if heard.measured_at is None else np.array([instant(heard.measured_at)], dtype="datetime64[us]")
    found: Silence = silence(schedule, taken, watch(row.heightened_until, now), now, LOOK_BACK)
    if found.reason is None:
        return None, found.next_at
    return (
        Overdue(
            patient_id=row.patient_id,
            kind=row.kind,
            reason=found.reason,
            since=schedule.since,
            measured_at=heard.measured_at,
        ),
        found.next_at,
    )


_NEVER: Times = np.array([], dtype="datetime64[us]")


def schedule_of(row: Row) -> Schedule:
    """The schedule that a row holds; nothing was due before its first slot began."""
    return _schedule(row, None)


def _schedule(row: Row, closed_at: datetime | None) -> Schedule:
    slots = _slots(row.slots)
    since = min(slot.since for slot in slots if slot.since is not None)
    return Schedule(
        kind=Kind(row.kind),
        zone=_zone(row.time_zone),
        slots=slots,
        since=max(since, closed_at) if closed_at is not None else since,
        pauses=_pauses(row.pauses),
    )


@lru_cache(maxsize=8192)
def _slots(text: str) -> tuple[Slot, ...]:
    return tuple(
        Slot(
            at=time.fromisoformat(at),
            weekdays=frozenset(weekdays),
            before=timedelta(seconds=before),
            after=timedelta(seconds=after),
            since=_moment(since),
            until=_moment(until),
        )
        for at, weekdays, before, after, since, until in msgspec.json.decode(text)
    )


@lru_cache(maxsize=1024)
def _pauses(text: str | None) -> tuple[Pause, ...]:
    listed = msgspec.json.decode(text) if text else ()
    return tuple(Pause(start=_moment(start) or _EVER, end=_moment(end)) for start, end in listed)


_EVER = datetime.min.replace(tzinfo=UTC)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    """UTC where nobody here knows the zone: expected an hour off is better than not at all."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def _heard(connection: Connection, rows: Sequence[Row], now: datetime) -> Mapping[Key, Heard]:
    """Of each of these patients and kinds."""
    measured: dict[Key, datetime | None] = {}
    for kind, query in LAST_MEASURED.items():
        patients = [row.patient_id for row in rows if row.kind == kind]
        if patients:
            found = connection.execute(query, {"patients": patients, "floor": now - LOOK_BACK, "now": now})
            measured.update({(patient_id, kind): at for patient_id, at in found})
    patients = [row.patient_id for row in rows]
    closed: dict[UUID, datetime] = {}
    if patients:
        closed.update(dict(connection.execute(LAST_CLOSED, {"patients": patients}).fetchall()))
    return {row.key: Heard(measured.get(row.key), closed.get(row.patient_id)) for row in rows}


def record_steps(connection: Connection, found: Iterable[Overdue], at: datetime) -> None:
    """Write down each step that a silence has reached, once: reminders of patients are taken from there."""
    rows = [
        {
            "patient_id": one.patient_id,
            "kind": one.kind,
            "missed_since": one.reason.missed_since,
            "step": one.reason.step,
            "heightened": one.reason.heightened,
            "at": at,
        }
        for one in found
    ]
    if rows:
        connection.execute(_RECORD, (as_rows(rows),))


# Who has a schedule now, with what has gone out of it lately. Pauses that have been over for long matter no more.
# Nothing is expected of somebody whom nobody watches, and nothing from before somebody did.
SCHEDULES = """
SELECT s.patient_id, s.kind, p.time_zone, max(m.heightened_until),
       json_agg(json_build_array(s.at, s.weekdays, extract(epoch FROM s.before), extract(epoch FROM s.after),
                                 extract(epoch FROM greatest(lower(s.valid), w.watched_from)),
                                 extract(epoch FROM upper(s.valid)))
                ORDER BY s.at, s.slot_id)::text,
       max(q.pauses)
FROM measurement_slot s
JOIN patient p USING (patient_id)
LEFT JOIN participation w ON w.patient_id = s.patient_id AND w.is_newest
LEFT JOIN patient_programme m ON m.patient_id = s.patient_id AND m.valid @> %(now)s::timestamptz
LEFT JOIN (SELECT patient_id, json_agg(json_build_array(extract(epoch FROM lower(valid)),
                                                        extract(epoch FROM upper(valid))) ORDER BY pause_id)::text
                              AS pauses
           FROM measurement_pause WHERE upper_inf(valid) OR upper(valid) > %(now)s - interval '60 days'
           GROUP BY patient_id) q ON q.patient_id = s.patient_id
WHERE (upper_inf(s.valid) OR upper(s.valid) > %(now)s - interval '60 days')
  AND (%(patient_id)s::uuid IS NULL OR s.patient_id = %(patient_id)s)
  AND (w.patient_id IS NULL OR w.watched_from IS NOT NULL)
GROUP BY s.patient_id, s.kind, p.time_zone
HAVING bool_or(s.valid @> %(now)s::timestamptz)
"""

_LAST_MEASURED = """
SELECT asked.patient_id,
       (SELECT o.effective_time FROM {view} o
        WHERE o.patient_id = asked.patient_id AND o.sample = 'patient'
          AND o.effective_time > %(floor)s AND o.effective_time <= %(now)s
        ORDER BY o.effective_time DESC LIMIT 1)
FROM unnest(%(patients)s::uuid[]) AS asked(patient_id)
"""
LAST_MEASURED: Mapping[str, Any] = {
    kind.value: _LAST_MEASURED.format(view=view)
    for kind, view in ((Kind.GLUCOSE, "glucose"), (Kind.KETONE, "ketone"), (Kind.BLOOD_PRESSURE, "blood_pressure"))
}

LAST_CLOSED = """
SELECT patient_id, max(coalesce(resolved_at, changed_at)) FROM alert_case
WHERE patient_id = ANY(%(patients)s) AND condition = 'missing_measurement' AND state IN ('resolved', 'expired')
GROUP BY patient_id
"""

_RECORD = """
INSERT INTO measurement_silence (patient_id, kind, missed_since, step, reached_at, heightened)
SELECT patient_id, kind, missed_since, step, at, heightened
FROM json_to_recordset(%s::json) AS r(patient_id uuid, kind text, missed_since timestamptz, step text,
                                      heightened boolean, at timestamptz)
ON CONFLICT DO NOTHING
"""
