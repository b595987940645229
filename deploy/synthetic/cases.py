"""The cases of a synthetic year: what single readings said, as people would have worked them.

The rules are the cloud's (``alerting.pipeline``) with a programme's limits: on single readings over the whole span,
without measuring again, and on averages, trends and rhythm in the last REVIEWED mornings of every REVIEWED_PATIENTS-th
patient, as though those of the others had been dealt with lately and rested: all of it would take ten times as long. A
case is closed by the nurse after WORKED_WITHIN; whose time is not over at the end of the span is open, every second one
in the nurse's hands. Rows are written as they stand then, not act by act: nothing was audited, and nobody was paged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from alerting import life, pipeline
from alerting.closing import SAID_AGAIN_AFTER, rested
from alerting.dispositions import WITHOUT_NOTE
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.life import Life
from alerting.lifecycle import Event
from alerting.limits import Measure, Relation
from alerting.regimes import ESC_2024, Figure, of_programme
from alerting.replayed import figures_of
from alerting.synthetic.truth import PatientYear
from alerting.tiers import PRIORITY_OF, TERMS, Tier
from alerting.windows import Column
from cloud.alerts.models import CaseEvent, Episode, PatientFinding, continued, opened
from cloud.db.connect import Connection, as_rows
from device_drivers.nomenclature import Unit

# A centre that is behind by as much as one is on a Monday (assumption).
WORKED_WITHIN: Mapping[Tier, timedelta] = {
    Tier.EMERGENCY: timedelta(hours=1),
    Tier.URGENT: timedelta(hours=4),
    Tier.SAME_SHIFT: timedelta(days=2),
    Tier.ROUTINE: timedelta(days=7),
    Tier.RETROSPECTIVE: timedelta(days=7),
}
REVIEWED = 7
REVIEWED_PATIENTS = 4
_ALL = of_programme(ESC_2024.name, "ada").limits
_SINGLE = tuple(
    replace(limit, confirm=None) for limit in _ALL if limit.figure is Figure.READING and limit.times == 1
)  # fmt: skip


@dataclass(slots=True)
class Rows:
    """What a batch of patients adds to the three tables, as JSON values."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def write(self, connection: Connection) -> None:
        """Insert them; the caller commits."""
        for statement, rows in ((_CASES, self.cases), (_ALERTS, self.alerts), (_EVENTS, self.events)):
            connection.execute(statement, (as_rows(rows),))


@dataclass(slots=True)
class _Worked:
    """A case, and when each of its findings came."""

    episode: Episode
    times: list[datetime]
    closes_at: datetime


def add(rows: Rows, year: PatientYear, patient_id: UUID, nurse: UUID, reading_id: Callable[[datetime], UUID]) -> None:
    """The cases of one patient; ``reading_id`` gives it by the time of measurement."""
    for number, one in enumerate(_worked(year, patient_id, reading_id)):
        _write(rows, one, nurse, number, year.history.end)


def _worked(year: PatientYear, patient_id: UUID, reading_id: Callable[[datetime], UUID]) -> list[_Worked]:
    """In the order in which they were opened."""
    latest: dict[str, _Worked] = {}
    found: list[_Worked] = []
    for at, one in sorted(_found(year, patient_id, reading_id), key=lambda pair: pair[0]):
        tier, condition = one.finding.tier, one.finding.condition
        before = latest.get(condition)
        if before is not None and at < before.closes_at:
            before.episode = continued(before.episode, [one], at)
            if len(before.episode.events) > len(before.times):
                before.times.append(at)
            if before.episode.events[-1].event == Event.WORSEN:
                before.closes_at = at + WORKED_WITHIN[tier]
        elif before is None or rested(before.closes_at, before.episode.case.life.tier, tier, at):
            latest[condition] = made = _Worked(opened(uuid4(), one, at), [at], at + WORKED_WITHIN[tier])
            found.append(made)
    return found


def _found(
    year: PatientYear, patient_id: UUID, reading_id: Callable[[datetime], UUID]
) -> Iterator[tuple[datetime, PatientFinding]]:
    """Each finding, and when it came up."""
    for figures, about, received_at in figures_of(_beyond(year.history)):
        for finding in pipeline.on_reading(figures, _SINGLE, about, received_at).findings:
            of = reading_id(about).hex
            yield received_at, PatientFinding(patient_id=patient_id, finding=finding, terms=TERMS, reading_id=of)
    if year.number % REVIEWED_PATIENTS == 0:
        for at, finding in _reviews(year.history):
            yield at, PatientFinding(
                patient_id=patient_id, finding=finding, terms=TERMS, again_after=SAID_AGAIN_AFTER
            )  # fmt: skip


def _reviews(history: History) -> Iterator[tuple[datetime, pipeline.Finding]]:
    """At six in the patient's morning."""
    zone = history.start.tzinfo
    last = datetime.combine(history.end.astimezone(zone).date(), time(6), tzinfo=zone)
    for at in (last - timedelta(days=n) for n in reversed(range(1, REVIEWED + 1))):
        yesterday = at.date() - timedelta(days=1)
        for pressure in history.pressure:
            rows = pressure.window.between(at - max(pipeline.PRESSURE_LOOK_BACK, pipeline.RHYTHM_LOOK_BACK), at)
            yield from ((at, one) for one in pipeline.daily_pressure(rows, _ALL, yesterday, at))
        for strips in history.glucose:
            within = strips.own.between(at - pipeline.GLUCOSE_LOOK_BACK, at)
            yield from ((at, one) for one in pipeline.daily_glucose(within, _ALL, at))


def _beyond(history: History) -> History:
    """Only the readings with a figure beyond some limit: the rules need not look at the others."""
    return replace(
        history,
        pressure=tuple(_pressures(series) for series in history.pressure),
        glucose=tuple(_strips(series) for series in history.glucose),
    )


def _pressures(series: PressureSeries) -> PressureSeries:
    rows = series.window
    some = (
        _violating(rows.systolic, Measure.SYSTOLIC, rows.unit)
        | _violating(rows.diastolic, Measure.DIASTOLIC, rows.unit)
        | _violating(rows.pulse, Measure.PULSE, Unit.PER_MIN)
    )
    return PressureSeries(window=rows.rows(some), received=series.received[some])


def _strips(series: GlucoseSeries) -> GlucoseSeries:
    some = _violating(series.window.values, Measure.GLUCOSE, series.window.unit)
    return GlucoseSeries(
        window=series.window.rows(some), received=series.received[some], samples=series.samples[some]
    )  # fmt: skip


def _violating(values: Column, measure: Measure, unit: Unit) -> NDArray[np.bool_]:
    """Generously: what lies at a limit is looked at."""
    some = np.zeros(len(values), dtype=np.bool_)
    for limit in _SINGLE:
        if limit.measure is measure and unit in limit.values:
            value = float(limit.values[unit])
            some |= values <= value if limit.relation is Relation.BELOW else values >= value
    return some


# Rows ---------------------------------------------------------------------------------------------------------------


def _write(rows: Rows, worked: _Worked, nurse: UUID, number: int, end: datetime) -> None:
    """``number`` tells every second one."""
    episode, closes_at = worked.episode, worked.closes_at
    case_id, now, changed_at = episode.case.case_id, episode.case.life, worked.times[-1]
    found = list(zip(episode.events, worked.times, strict=True))
    rows.alerts += [_alert(case_id, event.cause, at) for event, at in found]
    rows.events += [_raised(case_id, event, at) for event, at in found]
    is_closed = closes_at < end
    if is_closed or number % 2:
        was, changed_at = now, changed_at + (min(closes_at, end) - changed_at) * 0.75
        # Whoever has it at the end has just done something: the lease is whole.
        now = life.acknowledged(was, nurse, end, TERMS[was.tier].lease)
        rows.events.append(_done(case_id, Event.ACKNOWLEDGE, was, now, nurse, changed_at))
    if is_closed:
        was, now, changed_at = now, life.resolved(now), closes_at
        rows.events.append(_done(case_id, Event.RESOLVE, was, now, nurse, changed_at))
    first, speaks = episode.events[0].cause, episode.speaks or episode.events[0].cause
    rows.cases.append(
        {
            "case_id": case_id,
            "patient_id": first.patient_id,
            "condition": first.finding.condition,
            "priority": PRIORITY_OF[now.tier],
            "sentence": speaks.sentence,
            "reason": speaks.reason,
            "opened_at": worked.times[0],
            "changed_at": changed_at,
            "resolved_at": closes_at if is_closed else None,
            "disposition": WITHOUT_NOTE[number % len(WITHOUT_NOTE)] if is_closed else None,
            **{name: getattr(now, name) for name in _LIFE},
        }
    )


def _alert(case_id: UUID, cause: PatientFinding, at: datetime) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "patient_id": cause.patient_id,
        "condition": cause.finding.condition,
        "priority": PRIORITY_OF[cause.tier],
        "tier": cause.tier,
        "reading_id": cause.reading_id,
        "effective_time": cause.finding.at,
        "reason": cause.reason,
        "sentence": cause.sentence,
        "raised_at": at,
    }


def _raised(case_id: UUID, event: CaseEvent, at: datetime) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "at": at,
        "actor": None,
        "event": event.event,
        "from_state": event.from_state,
        "to_state": event.to_state,
        "data": {"reading_id": event.cause.reading_id, "tier": event.cause.tier},
    }


def _done(case_id: UUID, event: Event, was: Life, now: Life, nurse: UUID, at: datetime) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "at": at,
        "actor": nurse,
        "event": event,
        "from_state": was.state,
        "to_state": now.state,
        "data": {},
    }


_LIFE = (
    "state", "tier", "raised_at", "deadline", "contact_by", "next_at", "round", "owner", "lease_until",
)  # fmt: skip

_CASES = """
INSERT INTO alert_case (case_id, patient_id, condition, priority, sentence, reason, opened_at, changed_at, resolved_at,
                        disposition, state, tier, raised_at, deadline, contact_by, next_at, round, owner, lease_until)
SELECT * FROM json_to_recordset(%s::json) AS r(
    case_id uuid, patient_id uuid, condition text, priority text, sentence text, reason jsonb, opened_at timestamptz,
    changed_at timestamptz, resolved_at timestamptz, disposition text, state text, tier text, raised_at timestamptz,
    deadline timestamptz, contact_by timestamptz, next_at timestamptz, round integer, owner uuid,
    lease_until timestamptz)
"""

_ALERTS = """
INSERT INTO alert (case_id, patient_id, condition, priority, tier, reading_id, effective_time, reason, sentence,
                   raised_at)
SELECT * FROM json_to_recordset(%s::json) AS r(
    case_id uuid, patient_id uuid, condition text, priority text, tier text, reading_id uuid,
    effective_time timestamptz, reason jsonb, sentence text, raised_at timestamptz)
"""

_EVENTS = """
INSERT INTO case_event (case_id, at, actor, event, from_state, to_state, data)
SELECT * FROM json_to_recordset(%s::json) AS r(
    case_id uuid, at timestamptz, actor uuid, event text, from_state text, to_state text, data jsonb)
"""
