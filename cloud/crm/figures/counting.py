"""Counting a month of all patients by programme, as a job: with the rules that the pages go by, some at a time.

A patient counts in the programme at the end of the month, while somebody watches, and with nothing of before their
activation (``histories_of``). Control is a home average of the week that ends with the last day on which the patient
measured, against the target of the programme's own regime; adherence is of what was due by the patient's own schedule.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from alerting.adherence import adherence
from alerting.averages import HomeAverage, home_average
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.limits import Measure
from alerting.regimes import Regime, controlled
from alerting.windows import Times, instant
from alerting.windows import days as days_of
from cloud.db.connect import Connection
from cloud.plans import rules
from cloud.plans.store import PROGRAMMES
from cloud.what_if.histories import histories_of
from device_drivers.readings import Kind

AT_ONCE: Final = 200
"""Patients whose readings are in memory at a time."""
_LOOK_BACK: Final = timedelta(days=7)
# What is due can be made up for as long as a plan may say (cloud.planning.entries): later it is made, or missed.
_LONGEST_TOLERANCE: Final = timedelta(hours=12)


@dataclass(slots=True)
class Tally:
    """The sums of a programme."""

    patients: int = 0
    measured: int = 0
    averaged: int = 0
    controlled: int = 0
    scheduled: int = 0
    due: int = 0
    made: int = 0
    readings: int = 0
    cases: int = 0


def months_to_count(connection: Connection, at: datetime) -> list[tuple[date, datetime, datetime]]:
    """The month that runs and, until all that was due in it was settled, the one before: first day, start and end."""
    [(now, *bounds)] = connection.execute(_MONTHS, {"at": at})
    running = (now, bounds[1], at)
    before = ((now - timedelta(days=1)).replace(day=1), bounds[0], bounds[1])
    row = connection.execute(
        "SELECT FROM figures_month WHERE month = %s AND counted_at >= %s LIMIT 1",
        (before[0], bounds[1] + _LONGEST_TOLERANCE),
    ).fetchone()
    return [before, running] if row is None else [running]


def count(connection: Connection, month: date, start: datetime, end: datetime, at: datetime) -> None:
    """One month, from ``start`` to ``end``; what was counted of it before is replaced."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    regimes = {
        row.programme_id: rules.regime(row.regimes) for row in rules.by_id(connection.execute(PROGRAMMES)).values()
    }
    members: list[tuple[UUID, str]] = connection.execute(_MEMBERS, {"end": end}).fetchall()
    for some in _some(members):
        of = dict(some)
        # A week before the month fills the first averages.
        span = (end - start) + _LOOK_BACK
        for patient_id, history in histories_of(connection, list(of), end, int(span.days) + 1):
            programme_id = of[patient_id]
            _add(tallies[programme_id], history, regimes[programme_id], (start, end, min(end, at - _LONGEST_TOLERANCE)))
    for programme_id, cases in connection.execute(_CASES, {"start": start, "end": end}):
        tallies[programme_id].cases = cases
    for programme_id, tally in tallies.items():
        connection.execute(_KEEP, {"month": month, "programme_id": programme_id, "at": at, **_columns(tally)})


def _some(members: Sequence[tuple[UUID, str]]) -> Iterator[Sequence[tuple[UUID, str]]]:
    for first in range(0, len(members), AT_ONCE):
        yield members[first : first + AT_ONCE]


def _columns(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in Tally.__slots__}


def _add(tally: Tally, history: History, regime: Regime, span: tuple[datetime, datetime, datetime]) -> None:
    """``span``: from when, until when, and until when what was due is settled."""
    start, end, settled = span
    taken = {kind: _taken(series, start, end) for kind, series in _by_kind(history).items()}
    readings = sum(len(times) for times in taken.values())
    tally.patients += 1
    tally.measured += readings > 0
    tally.readings += readings
    verdict = _is_controlled(history.pressure, regime, start)
    tally.averaged += verdict is not None
    tally.controlled += verdict is True
    found = [
        adherence(schedule, _times_of(history, schedule.kind), start, settled)
        for schedule in history.schedules
        if settled > start
    ]
    due = sum(one.due for one in found)
    tally.scheduled += due > 0
    tally.due += due
    tally.made += sum(one.made for one in found)


def last_average(series: Sequence[PressureSeries], start: datetime) -> HomeAverage | None:
    """Of the week that ends with the last day on which the patient measured, by the unit that they measured in last.

    None: no reading since ``start``. It may be of too few readings.
    """
    measured = [one.window for one in series if len(one.window) and one.window.times[-1] >= instant(start)]
    if not measured:
        return None
    window = max(measured, key=lambda one: one.times[-1])
    return home_average(window, days_of(window.local)[-1].item())


def _is_controlled(series: Sequence[PressureSeries], regime: Regime, start: datetime) -> bool | None:
    """None: no reading in the month, not enough, or no target."""
    average = last_average(series, start)
    if average is None:
        return None
    systolic, diastolic = average.figures.get(Measure.SYSTOLIC), average.figures.get(Measure.DIASTOLIC)
    if systolic is None or diastolic is None:
        return None
    return controlled(regime, systolic, diastolic, average.unit)


def _by_kind(history: History) -> dict[Kind, Sequence[PressureSeries | GlucoseSeries]]:
    return {Kind.BLOOD_PRESSURE: history.pressure, Kind.GLUCOSE: history.glucose, Kind.KETONE: history.ketone}


def _times_of(history: History, kind: Kind) -> Times:
    """When the patient measured this, in whatever unit, oldest first."""
    own = [
        one.own.times if isinstance(one, GlucoseSeries) else one.window.times for one in _by_kind(history).get(kind, ())
    ]
    return np.sort(np.concatenate(own)) if own else np.array([], dtype="datetime64[us]")


def _taken(series: Sequence[PressureSeries | GlucoseSeries], start: datetime, end: datetime) -> Times:
    own = [one.own.times if isinstance(one, GlucoseSeries) else one.window.times for one in series]
    times: Times = np.concatenate(own) if own else np.array([], dtype="datetime64[us]")
    return times[(times >= instant(start)) & (times < instant(end))]


_MONTHS: Final = """
SELECT date_trunc('month', (%(at)s::timestamptz AT TIME ZONE zone))::date,
       (date_trunc('month', (%(at)s::timestamptz AT TIME ZONE zone)) - interval '1 month') AT TIME ZONE zone,
       date_trunc('month', (%(at)s::timestamptz AT TIME ZONE zone)) AT TIME ZONE zone
FROM (SELECT known_zone(time_zone) AS zone FROM duty_site) site
"""
_MEMBERS: Final = """
SELECT p.patient_id, coalesce(m.programme_id, 'standard')
FROM patient p
LEFT JOIN patient_programme m
    ON m.patient_id = p.patient_id AND m.valid @> %(end)s::timestamptz - interval '1 microsecond'
WHERE NOT p.training
  AND NOT EXISTS (SELECT FROM participation x
                  WHERE x.patient_id = p.patient_id AND x.is_newest
                    AND (x.watched_from IS NULL OR x.watched_from >= %(end)s))
ORDER BY p.patient_id
"""
_CASES: Final = """
SELECT coalesce(m.programme_id, 'standard'), count(*)
FROM alert_case c JOIN patient p ON p.patient_id = c.patient_id AND NOT p.training
LEFT JOIN patient_programme m ON m.patient_id = c.patient_id AND m.valid @> c.opened_at
WHERE c.opened_at >= %(start)s AND c.opened_at < %(end)s AND c.closed_automatically IS NULL
GROUP BY 1
"""
_KEEP: Final = """
INSERT INTO figures_month (month, programme_id, patients, measured, averaged, controlled, scheduled, due, made,
                           readings, cases, counted_at)
VALUES (%(month)s, %(programme_id)s, %(patients)s, %(measured)s, %(averaged)s, %(controlled)s, %(scheduled)s, %(due)s,
        %(made)s, %(readings)s, %(cases)s, %(at)s)
ON CONFLICT (month, programme_id) DO UPDATE SET
    patients = excluded.patients, measured = excluded.measured, averaged = excluded.averaged,
    controlled = excluded.controlled, scheduled = excluded.scheduled, due = excluded.due, made = excluded.made,
    readings = excluded.readings, cases = excluded.cases, counted_at = excluded.counted_at
"""
