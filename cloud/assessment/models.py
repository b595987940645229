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


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A running timer. ``remeasure`` is None where a version of ours wrote it that we cannot read."""

    remeasure_id: UUID
    reading_id: UUID
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
        columns: Mapping[Measure, tuple[Column, Unit]] = {
            Measure.SYSTOLIC: (self.window.systolic, self.window.unit),
            Measure.DIASTOLIC: (self.window.diastolic, self.window.unit),
            Measure.PULSE: (self.window.pulse, Unit.PER_MIN),
        }
        if measure in columns:
            yield from _answers(*columns[measure], self.window.times, after)


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


def _answers(column: Column, unit: Unit, times: Times, after: datetime) -> Iterator[Answering]:
    first = int(np.searchsorted(times, instant(after), "right"))
    for value, time in zip(column[first:].tolist(), times[first:], strict=True):
        figure = from_column(value, unit)
        if figure is not None:
            yield Answering(figure=figure, at=aware(time))
