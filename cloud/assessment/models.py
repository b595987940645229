"""What a patient has measured, as the rules look at it: windows by unit, and beside each reading when it reached us."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from alerting.comparators import from_column
from alerting.limits import Measure
from alerting.remeasure import Answering, Remeasure
from alerting.sessions import MeasurementSession, session_of, session_places
from alerting.windows import Column, GlucoseWindow, PressureWindow, Times, aware, instant
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A running timer. ``remeasure`` is None where a version of ours wrote it that we cannot read.

    What began it is told by the rest: the first reading (of a session's limit, the session's first) and when.
    """

    remeasure_id: UUID
    reading_id: UUID
    condition: str
    first_at: datetime
    earliest: datetime
    due: datetime
    remeasure: Remeasure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """A session, when the last of it reached us, and the id of its first reading."""

    session: MeasurementSession
    received_at: datetime
    first_reading: UUID


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pressures:
    """Blood-pressure readings in one unit, oldest first."""

    window: PressureWindow
    received: Times
    reading_ids: Sequence[UUID]

    def sittings(self) -> Iterator[Sitting]:
        """In the order in which they began."""
        for places in session_places(self.window):
            yield Sitting(
                session=session_of(self.window.rows(places)),
                received_at=aware(self.received[places].max()),
                first_reading=self.reading_ids[int(places[0])],
            )

    def answers(self, measure: Measure, after: datetime) -> Iterator[Answering]:
        """The figures of this measure from after that time on."""
        column = self._column(measure)
        if column is not None:
            yield from _answers(*column, self.window.times, after)

    def figure(self, reading_id: UUID, measure: Measure) -> Quantity | None:
        """Of one reading; None where it is not among these, or has none."""
        column = self._column(measure)
        return _figure(*column, self.reading_ids, reading_id) if column is not None else None

    def _column(self, measure: Measure) -> tuple[Column, Unit] | None:
        columns: Mapping[Measure, tuple[Column, Unit]] = {
            Measure.SYSTOLIC: (self.window.systolic, self.window.unit),
            Measure.DIASTOLIC: (self.window.diastolic, self.window.unit),
            Measure.PULSE: (self.window.pulse, Unit.PER_MIN),
        }
        return columns.get(measure)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strips:
    """Readings of strips in one unit, oldest first: glucose, or ketones in the same columns."""

    measure: Measure
    window: GlucoseWindow
    received: Times
    reading_ids: Sequence[UUID]

    def answers(self, measure: Measure, after: datetime) -> Iterator[Answering]:
        """The figures of this measure from after that time on."""
        if measure is self.measure:
            yield from _answers(self.window.values, self.window.unit, self.window.times, after)

    def figure(self, reading_id: UUID, measure: Measure) -> Quantity | None:
        """Of one reading; None where it is not among these."""
        if measure is not self.measure:
            return None
        return _figure(self.window.values, self.window.unit, self.reading_ids, reading_id)


def _figure(column: Column, unit: Unit, reading_ids: Sequence[UUID], reading_id: UUID) -> Quantity | None:
    if reading_id not in reading_ids:
        return None
    return from_column(float(column[reading_ids.index(reading_id)]), unit)


def _answers(column: Column, unit: Unit, times: Times, after: datetime) -> Iterator[Answering]:
    first = int(np.searchsorted(times, instant(after), "right"))
    for value, time in zip(column[first:].tolist(), times[first:], strict=True):
        figure = from_column(value, unit)
        if figure is not None:
            yield Answering(figure=figure, at=aware(time))
