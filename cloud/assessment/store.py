"""All SQL of assessing: whose turn it is, what they measured, and which timers run."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

import numpy as np

from alerting.limits import Measure
from alerting.reasons import Answer, LimitReason
from alerting.remeasure import Remeasure
from alerting.windows import Column, Flags, GlucoseWindow, PressureWindow, Times, instant
from cloud.alerts.due import Due, What
from cloud.alerts.reasons import from_json
from cloud.assessment.models import Pressures, Strips, Timer
from cloud.db.connect import Connection, one
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState
from device_drivers.wall_clocks import Zones


def waiting(connection: Connection, at: datetime, but: Collection[UUID], most: int) -> list[UUID]:
    """Patients whose turn it is, at most so many; those with a timer or a new reading before the daily reviews."""
    rows = connection.execute(_WAITING, {"at": at, "but": list(but), "most": most})
    return [patient_id for (patient_id,) in rows]


def take(connection: Connection, patient_id: UUID, at: datetime) -> list[Due]:
    """What is due of this patient, locked until the commit; nothing where somebody else is at it."""
    locked = connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 8))", (str(patient_id),))
    if not one(locked.fetchone())[0]:
        return []
    return [
        Due(patient_id=patient_id, what=What(what), due_at=due_at, since=since, heard_since=heard_since)
        for what, due_at, since, heard_since in connection.execute(_TAKE, (patient_id, at))
    ]


def done(connection: Connection, taken: Sequence[Due]) -> None:
    """Take these rows away."""
    connection.execute(
        "DELETE FROM assessment_due WHERE patient_id = %s AND what = ANY(%s)",
        (taken[0].patient_id, [due.what.value for due in taken]),
    )


def put_off(connection: Connection, patient_id: UUID, at: datetime, until: datetime) -> None:
    """What is due of this patient is not looked at before then."""
    connection.execute(
        "UPDATE assessment_due SET due_at = %s WHERE patient_id = %s AND due_at <= %s", (until, patient_id, at)
    )


def review_daily(connection: Connection, patient_id: UUID, at: datetime) -> None:
    """Have the patient's day looked at then, unless a review is planned."""
    connection.execute(
        "INSERT INTO assessment_due (patient_id, what, due_at, since, heard_since)"
        " VALUES (%(patient)s, 'day', %(at)s, %(at)s, %(at)s) ON CONFLICT (patient_id, what) DO NOTHING",
        {"patient": patient_id, "at": at},
    )


def running(connection: Connection, patient_id: UUID) -> list[Timer]:
    """The patient's timers that wait, oldest first."""
    rows = connection.execute(
        "SELECT remeasure_id, reading_id, condition, first, first_at, earliest, due FROM remeasure"
        " WHERE patient_id = %s AND answer = 'waiting' ORDER BY first_at, condition",
        (patient_id,),
    )
    return [
        Timer(
            remeasure_id=i,
            reading_id=reading_id,
            condition=condition,
            first_at=first_at,
            earliest=earliest,
            due=due,
            remeasure=_remeasure(first, first_at, earliest, due),
        )
        for i, reading_id, condition, first, first_at, earliest, due in rows
    ]


def answered(connection: Connection, remeasure_id: UUID, answer: Answer, at: datetime, case_id: UUID | None) -> None:
    """What became of a timer, and the case that followed."""
    connection.execute(
        "UPDATE remeasure SET answer = %s, answered_at = %s, case_id = %s WHERE remeasure_id = %s",
        (answer, at, case_id, remeasure_id),
    )


def pressures(connection: Connection, patient_id: UUID, since: datetime, zones: Zones) -> list[Pressures]:
    """The patient's own readings from then on, one for each unit."""
    by_unit: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(_PRESSURES, (patient_id, since)):
        by_unit[row[3]].append(row)
    return [_pressures(Unit(unit), rows, zones) for unit, rows in by_unit.items()]


def glucose(connection: Connection, patient_id: UUID, since: datetime, zones: Zones) -> list[Strips]:
    """The patient's own readings from then on, one for each unit."""
    return _strips(connection, _GLUCOSE, Measure.GLUCOSE, patient_id, since, zones)


def ketones(connection: Connection, patient_id: UUID, since: datetime, zones: Zones) -> list[Strips]:
    """The patient's own readings from then on, one for each unit."""
    return _strips(connection, _KETONES, Measure.KETONE, patient_id, since, zones)


def _remeasure(first: Mapping[str, object], first_at: datetime, earliest: datetime, due: datetime) -> Remeasure | None:
    reason = from_json(first)
    if not isinstance(reason, LimitReason) or reason.limit.confirm is None:
        return None
    return Remeasure(first=reason, first_at=first_at, earliest=earliest, due=due)


def _pressures(unit: Unit, rows: Sequence[Any], zones: Zones) -> Pressures:
    times, received, reading_ids, _, devices, states, systolic, diastolic, pulse, irregular, moved = zip(
        *rows, strict=True
    )
    names = sorted(set(devices))
    return Pressures(
        window=PressureWindow(
            unit=unit,
            times=_utc(times),
            local=_local(times, zones),
            devices=np.array([names.index(name) for name in devices], dtype=np.int64),
            systolic=_column(systolic, states),
            diastolic=_column(diastolic, states),
            pulse=np.array([_NAN if value is None else float(value) for value in pulse], dtype=np.float64),
            irregular=_flags(irregular),
            moved=_flags(moved),
        ),
        received=_utc(received),
        reading_ids=reading_ids,
    )


def _strips(
    connection: Connection,
    query: LiteralString,
    measure: Measure,
    patient_id: UUID,
    since: datetime,
    zones: Zones,
) -> list[Strips]:
    by_unit: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query, (patient_id, since)):
        by_unit[row[3]].append(row)
    found = []
    for unit, rows in by_unit.items():
        times, received, reading_ids, _, states, values, fasting = zip(*rows, strict=True)
        window = GlucoseWindow(
            unit=Unit(unit),
            times=_utc(times),
            local=_local(times, zones),
            values=_column(values, states),
            fasting=_flags(fasting),
        )
        found.append(Strips(measure=measure, window=window, received=_utc(received), reading_ids=reading_ids))
    return found


_NAN, _INFINITY = float("nan"), float("inf")
_OFF_SCALE = {QuantityState.ABOVE_RANGE.value: _INFINITY, QuantityState.BELOW_RANGE.value: -_INFINITY}


def _column(values: Iterable[Decimal | None], states: Iterable[str]) -> Column:
    """HI is +inf, LO is -inf, and what is no figure at all is NaN."""
    return np.array(
        [_OFF_SCALE.get(s, _NAN) if v is None else float(v) for v, s in zip(values, states, strict=True)],
        dtype=np.float64,
    )


def _flags(values: Iterable[bool]) -> Flags:
    return np.array(list(values), dtype=np.bool_)


def _utc(times: Iterable[datetime]) -> Times:
    return np.array([instant(time) for time in times], dtype="datetime64[us]")


def _local(times: Iterable[datetime], zones: Zones) -> Times:
    return np.array([instant(time + zones.offset(time)) for time in times], dtype="datetime64[us]")


_WAITING = """
SELECT patient_id FROM assessment_due
WHERE due_at <= %(at)s AND NOT patient_id = ANY(%(but)s)
GROUP BY patient_id
ORDER BY bool_and(what = 'day'), min(due_at)
LIMIT %(most)s
"""

# Whoever stores a reading of this patient just now asks again: what they hold is skipped, and taken with the next turn.
_TAKE = """
SELECT what, due_at, since, heard_since FROM assessment_due
WHERE patient_id = %s AND due_at <= %s
ORDER BY what
FOR UPDATE SKIP LOCKED
"""

_PRESSURES: LiteralString = """
SELECT effective_time, received_at, reading_id, unit, device_id || coalesce(' ' || user_index, ''), state,
       systolic, diastolic, pulse, 'irregular_pulse' = ANY(annotations), 'body_movement' = ANY(annotations)
FROM blood_pressure
WHERE patient_id = %s AND effective_time >= %s AND sample = 'patient'
ORDER BY effective_time, reading_id
"""

_GLUCOSE: LiteralString = """
SELECT effective_time, received_at, reading_id, unit, state, value,
       coalesce(context ->> 'meal' = 'fasting', false) OR 'fasting' = ANY(annotations)
FROM glucose
WHERE patient_id = %s AND effective_time >= %s AND sample = 'patient'
ORDER BY effective_time, reading_id
"""

_KETONES: LiteralString = """
SELECT effective_time, received_at, reading_id, unit, state, value, false
FROM ketone
WHERE patient_id = %s AND effective_time >= %s AND sample = 'patient'
ORDER BY effective_time, reading_id
"""
