"""Scenes for teaching: the last weeks of a synthetic patient, moved so that what is to be found has just happened.

A scene is cut out of a synthetic year and moved by whole days: patients measure at the hours at which they do. Of each
the truth is known, and whether somebody had to act on it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.histories import GlucoseSeries, PressureSeries
from alerting.synthetic.truth import CrisisKind, PatientYear, Truth
from alerting.windows import aware, instant
from device_drivers.nomenclature import Unit

# What came before, for averages and for the chart.
WEEKS_BEFORE: Final = timedelta(days=28)
# It has just happened: late enough to have been sent, early enough to be no late reading (six hours).
_NOT_BEFORE, _NOT_AFTER = timedelta(hours=5), timedelta(minutes=5)
_INTO_A_WORSENING: Final = timedelta(days=10)
_QUIET_FOR: Final = np.timedelta64(3, "D")


class Kind(StrEnum):
    """What a scene is about."""

    CRISIS = "crisis"
    WORSENING = "worsening"
    FALSE_ALARM = "false_alarm"  # a true peak that was gone minutes later, or a measurement that went wrong
    ORDINARY = "ordinary"


# Whether somebody had to do something for the patient.
NEEDS_SOMEBODY: Final = frozenset({Kind.CRISIS, Kind.WORSENING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """``at``: when it happened, or began; ``moved``: by how much all times of ``year`` are to be put forward.

    Only what ``year`` has between ``since`` and ``until`` (its own times) is of the scene.
    """

    kind: Kind
    crisis: CrisisKind | None
    year: PatientYear
    moved: timedelta
    since: datetime
    until: datetime
    at: datetime

    @property
    def series(self) -> PressureSeries | GlucoseSeries:
        """The readings, with the times of the year."""
        [series] = self.year.history.series
        times = series.window.times
        rows = (times > instant(self.since)) & (times <= instant(self.until))
        if isinstance(series, PressureSeries):
            return PressureSeries(window=series.window.rows(rows), received=series.received[rows])
        return GlucoseSeries(
            window=series.window.rows(rows), received=series.received[rows], samples=series.samples[rows]
        )


def scenes(years: Iterable[PatientYear], kind: Kind, now: datetime) -> Iterator[Scene]:
    """At most one of each year in which there is such a thing at such an hour, or on any day."""
    for year in years:
        for at, crisis, age in _happenings(year, kind):
            moved = _whole_days(at, now) if age is None else timedelta(days=(now - age - at).days)
            until = now - moved
            if until - WEEKS_BEFORE < year.history.start or until > year.history.end:
                continue
            if age is None and not _NOT_AFTER <= now - (at + moved) <= _NOT_BEFORE:
                continue
            scene = Scene(
                kind=kind,
                crisis=crisis,
                year=year,
                moved=moved,
                since=until - WEEKS_BEFORE,
                until=until,
                at=at + moved,
            )
            if _is_pure(scene):
                yield scene
                break


def _happenings(year: PatientYear, kind: Kind) -> Iterator[tuple[datetime, CrisisKind | None, timedelta | None]]:
    """When, of which kind, and how long ago it is to have been (None: lately, at its own hour)."""
    match kind:
        case Kind.CRISIS:
            yield from ((crisis.last_at, crisis.kind, None) for crisis in year.crises)
        case Kind.WORSENING:
            yield from ((spell.start.astimezone(UTC), None, _INTO_A_WORSENING) for spell in year.worsenings)
        case Kind.FALSE_ALARM:
            of = np.isin(year.truth, (Truth.TRANSIENT, Truth.ARTEFACT)) & _alarming(year)
            yield from ((aware(at), None, None) for at in year.times[of])
        case Kind.ORDINARY:
            yield (year.history.start + timedelta(days=60)).astimezone(UTC), None, timedelta()


def _alarming(year: PatientYear) -> NDArray[np.bool_]:
    """Readings that somebody may be frightened by: systolic pressures from 170 mmHg on."""
    [series] = year.history.series
    if not isinstance(series, PressureSeries):
        return np.zeros(len(series.window), dtype=np.bool_)
    return series.window.systolic >= (170.0 if series.window.unit is Unit.MM_HG else 22.7)


def _whole_days(at: datetime, now: datetime) -> timedelta:
    """The most by which it still lies before now."""
    return timedelta(days=(now - at).days)


def _is_pure(scene: Scene) -> bool:
    """Nothing else has just happened that would be the truth as well."""
    year = scene.year
    lately = (year.times > instant(scene.until) - _QUIET_FOR) & (year.times <= instant(scene.until))
    truths = set(year.truth[lately].tolist())
    if not truths:
        return False
    others = {int(Truth.CRISIS), int(Truth.WORSENING)}
    match scene.kind:
        case Kind.CRISIS:
            return int(Truth.CRISIS) in truths
        case Kind.WORSENING:
            return int(Truth.WORSENING) in truths and int(Truth.CRISIS) not in truths
        case Kind.FALSE_ALARM:
            return truths.isdisjoint(others)
        case Kind.ORDINARY:
            return truths == {int(Truth.ORDINARY)}
