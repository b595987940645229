"""Each patient's newest figures, kept for segments by the jobs: with the rules that the review goes by.

Every five minutes whoever's readings have come since, each night everybody: what is measured late, and what time alone
changes. Nothing of before a patient's activation counts (``histories_of``).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np

from alerting.adherence import adherence
from alerting.averages import HomeAverage
from alerting.glycaemia import GlucoseSummary, summary
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.limits import Measure
from alerting.regimes import Regime, controlled
from alerting.windows import DAY_STARTS, Times
from cloud.crm.figures.counting import last_average
from cloud.db.connect import Connection
from cloud.plans import rules
from cloud.plans.store import PROGRAMMES
from cloud.what_if.histories import histories_of
from device_drivers.readings import Kind

AT_ONCE: Final = 200
"""Patients whose readings are in memory at a time."""
LOOKED_BACK: Final = timedelta(days=30)
# Those of the review.
GLUCOSE_DAYS: Final = 14
ADHERENCE_DAYS: Final = 28
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def changed(connection: Connection, at: datetime) -> list[UUID]:
    """Whose readings of the last two days came after their figures were worked out, and who has none yet."""
    return [patient_id for (patient_id,) in connection.execute(_CHANGED, {"at": at})]


def everybody(connection: Connection) -> list[UUID]:
    """All but training patients."""
    return [patient_id for (patient_id,) in connection.execute(_EVERYBODY)]


def in_parts(patients: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for first in range(0, len(patients), AT_ONCE):
        yield patients[first : first + AT_ONCE]


def measure(connection: Connection, patients: Sequence[UUID], at: datetime) -> None:
    """The figures of these patients as they are at ``at``; a handful of patients (``in_parts``) at a time."""
    regimes = {
        row.programme_id: rules.regime(row.regimes) for row in rules.by_id(connection.execute(PROGRAMMES)).values()
    }
    programmes: dict[UUID, str] = dict(
        connection.execute(_PROGRAMMES, {"patients": list(patients), "at": at}).fetchall()
    )
    for patient_id, history in histories_of(connection, patients, at, LOOKED_BACK.days):
        figures = figures_of(history, regimes[programmes[patient_id]], at)
        connection.execute(_KEEP, {"patient_id": patient_id, "at": at, **figures})


def figures_of(history: History, regime: Regime, at: datetime) -> dict[str, Any]:
    """The columns of ``patient_measures`` but the patient and the time. Pure."""
    average = last_average(history.pressure, at - LOOKED_BACK)
    glucose = _glucose(history, at)
    due, made = _adherence(history, at)
    return {
        "control": _control(average, regime),
        **_pressure(average),
        "glucose": glucose.figures.mean if glucose is not None and glucose.figures is not None else None,
        "glucose_unit": glucose.unit if glucose is not None and glucose.figures is not None else None,
        "due": due,
        "made": made,
        "last_reading_at": _last_reading(history),
    }


def _control(average: HomeAverage | None, regime: Regime) -> str:
    if not regime.control:
        return "no_target"
    if average is None:
        return "not_enough"
    systolic, diastolic = average.figures.get(Measure.SYSTOLIC), average.figures.get(Measure.DIASTOLIC)
    if systolic is None or diastolic is None:
        return "not_enough"
    return "controlled" if controlled(regime, systolic, diastolic, average.unit) else "not_controlled"


def _pressure(average: HomeAverage | None) -> dict[str, Any]:
    found = average.figures if average is not None else {}
    if average is None or Measure.SYSTOLIC not in found or Measure.DIASTOLIC not in found:
        return dict.fromkeys(("systolic", "diastolic", "pressure_unit", "pressure_on"))
    return {
        "systolic": found[Measure.SYSTOLIC],
        "diastolic": found[Measure.DIASTOLIC],
        "pressure_unit": average.unit,
        "pressure_on": average.last_day,
    }


def _glucose(history: History, at: datetime) -> GlucoseSummary | None:
    """In the unit that was measured in last, which the review has first."""
    own = [one.own for one in history.glucose if len(one.own)]
    if not own:
        return None
    window = max(own, key=lambda one: one.times[-1])
    today = (at.astimezone(history.start.tzinfo or UTC) - DAY_STARTS).date()
    return summary(window.of_days(today - timedelta(days=GLUCOSE_DAYS - 1), today))


def _adherence(history: History, at: datetime) -> tuple[int, int]:
    """Due and made, of all schedules together."""
    found = [
        adherence(schedule, _times(history, schedule.kind), at - timedelta(days=ADHERENCE_DAYS), at)
        for schedule in history.schedules
    ]
    return sum(one.due for one in found), sum(one.made for one in found)


def _times(history: History, kind: Kind) -> Times:
    """When the patient measured this, in whatever unit, oldest first."""
    own: Mapping[Kind, Sequence[PressureSeries | GlucoseSeries]] = {
        Kind.BLOOD_PRESSURE: history.pressure,
        Kind.GLUCOSE: history.glucose,
        Kind.KETONE: history.ketone,
    }
    found = [_own(one) for one in own.get(kind, ())]
    return np.sort(np.concatenate(found)) if found else np.array([], dtype="datetime64[us]")


def _own(series: PressureSeries | GlucoseSeries) -> Times:
    return series.own.times if isinstance(series, GlucoseSeries) else series.window.times


def _last_reading(history: History) -> datetime | None:
    """Of any kind; None: none within the time that was looked at."""
    last = [times[-1] for times in map(_own, history.series) if len(times)]
    return None if not last else _EPOCH + timedelta(microseconds=int(max(last).astype("int64")))


_CHANGED: Final = """
SELECT p.patient_id FROM patient p LEFT JOIN patient_measures m USING (patient_id)
WHERE NOT p.training AND (m.patient_id IS NULL OR m.patient_id IN (
    SELECT n.patient_id FROM (
        SELECT patient_id, max(stored_at) AS stored_at FROM (
            SELECT patient_id, stored_at FROM glucose WHERE effective_time > %(at)s - interval '2 days'
            UNION ALL SELECT patient_id, stored_at FROM ketone WHERE effective_time > %(at)s - interval '2 days'
            UNION ALL SELECT patient_id, stored_at FROM blood_pressure
                      WHERE effective_time > %(at)s - interval '2 days') of_both
        GROUP BY patient_id) n
    JOIN patient_measures k USING (patient_id)
    -- What was on its way while figures were worked out is looked at once more.
    WHERE n.stored_at > k.counted_at - interval '1 minute'))
ORDER BY p.patient_id
"""
_EVERYBODY: Final = "SELECT patient_id FROM patient WHERE NOT training ORDER BY patient_id"
_PROGRAMMES: Final = """
SELECT p.patient_id, coalesce(m.programme_id, 'standard')
FROM patient p LEFT JOIN patient_programme m ON m.patient_id = p.patient_id AND m.valid @> %(at)s::timestamptz
WHERE p.patient_id = ANY(%(patients)s)
"""
# A last reading of long ago is looked for once, and then kept.
_KEEP: Final = """
INSERT INTO patient_measures (patient_id, control, systolic, diastolic, pressure_unit, pressure_on, glucose,
                              glucose_unit, due, made, last_reading_at, counted_at)
VALUES (%(patient_id)s, %(control)s, %(systolic)s, %(diastolic)s, %(pressure_unit)s, %(pressure_on)s, %(glucose)s,
        %(glucose_unit)s, %(due)s, %(made)s, coalesce(%(last_reading_at)s::timestamptz, (
            SELECT max(o.at) FROM (
                SELECT max(effective_time) AS at FROM glucose WHERE patient_id = %(patient_id)s
                UNION ALL SELECT max(effective_time) FROM ketone WHERE patient_id = %(patient_id)s
                UNION ALL SELECT max(effective_time) FROM blood_pressure WHERE patient_id = %(patient_id)s) o
            WHERE NOT EXISTS (SELECT FROM patient_measures WHERE patient_id = %(patient_id)s))), %(at)s)
ON CONFLICT (patient_id) DO UPDATE SET
    control = excluded.control, systolic = excluded.systolic, diastolic = excluded.diastolic,
    pressure_unit = excluded.pressure_unit, pressure_on = excluded.pressure_on, glucose = excluded.glucose,
    glucose_unit = excluded.glucose_unit, due = excluded.due, made = excluded.made,
    last_reading_at = greatest(excluded.last_reading_at, patient_measures.last_reading_at),
    counted_at = excluded.counted_at
"""
