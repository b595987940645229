"""The wrong-person rule: does a blood pressure look like this patient's own, where others use the cuff, too?

A reading is asked about ("was it you?") where its systolic or diastolic pressure lies far from the median of the
patient's last readings. Everything here is a proposal of this project; no source gives it:

``LAST``     20 readings, the newest before the one in question
``WITHIN``   of the last 60 days: older ones say little of today
``NEEDED``   10 of them; with fewer nothing is asked, and everything counts
far          30 mm[Hg] systolic or 20 mm[Hg] diastolic (4.0 and 2.7 kPa), or four times the patient's own spread where
             that is more (1.4826 times the median absolute deviation, which one odd reading cannot widen)

What was asked about does not become history before somebody says that it was the patient. Glucose is not judged: one
person's lies as far apart as two persons'. The rule knows nobody else's readings, and calls nobody sick.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from alerting.limits import Measure
from alerting.reasons import UnfamiliarReason
from alerting.regimes import Evidence, Source
from alerting.windows import Column, Times, instant
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity

LAST: Final = 20
NEEDED: Final = 10
WITHIN: Final = timedelta(days=60)
SPREADS: Final = 4
# Of a normal distribution the standard deviation is so many times the median absolute deviation.
DEVIATIONS: Final = 1.4826
FAR: Final[Mapping[Measure, Mapping[Unit, Decimal]]] = {
    Measure.SYSTOLIC: {Unit.MM_HG: Decimal(30), Unit.KPA: Decimal("4.0")},
    Measure.DIASTOLIC: {Unit.MM_HG: Decimal(20), Unit.KPA: Decimal("2.7")},
}
SOURCE: Final = Source(text="wrong-person rule: proposal of this project", evidence=Evidence.PROPOSED)
# Finer than any cuff shows, and coarser than what binary fractions leave over.
_STEP: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two pressures of a reading, in one unit, and when they were measured (aware)."""

    at: datetime
    unit: Unit
    systolic: Decimal
    diastolic: Decimal


@dataclass(slots=True)
class _History:
    """What counts as the patient's own in one unit, ascending in time; grows with what is judged to be."""

    times: Times
    systolic: Column
    diastolic: Column

    def before(self, at: datetime) -> "_History":
        """The last readings before this moment."""
        end = int(np.searchsorted(self.times, instant(at), "left"))
        begin = max(int(np.searchsorted(self.times, instant(at - WITHIN), "left")), end - LAST)
        return _History(self.times[begin:end], self.systolic[begin:end], self.diastolic[begin:end])

    def add(self, pair: Pair) -> None:
        """One more, after all that are as old or older."""
        place = int(np.searchsorted(self.times, instant(pair.at), "right"))
        self.times = np.insert(self.times, place, instant(pair.at))
        self.systolic = np.insert(self.systolic, place, float(pair.systolic))
        self.diastolic = np.insert(self.diastolic, place, float(pair.diastolic))


def unfamiliar(own: Iterable[Pair], new: Sequence[Pair]) -> list[UnfamiliarReason | None]:
    """For each of ``new`` (in any order) why it is to be asked about, or None where it counts.

    ``own`` are the patient's counted readings, in any order and unit. The new ones are judged from the oldest on: one
    that counts is history for the next, so that it does not matter in how many pieces a cuff's memory arrives.
    """
    known = [*own]
    histories = {unit: _history([pair for pair in known if pair.unit is unit]) for unit in {p.unit for p in new}}
    said: list[UnfamiliarReason | None] = [None] * len(new)
    for place in sorted(range(len(new)), key=lambda n: new[n].at):
        pair = new[place]
        history = histories[pair.unit]
        said[place] = _judge(history.before(pair.at), pair)
        if said[place] is None:
            history.add(pair)
    return said


def _history(pairs: Iterable[Pair]) -> _History:
    ascending = sorted(pairs, key=lambda pair: pair.at)
    return _History(
        np.array([instant(pair.at) for pair in ascending], dtype="datetime64[us]"),
        np.array([float(pair.systolic) for pair in ascending], dtype=np.float64),
        np.array([float(pair.diastolic) for pair in ascending], dtype=np.float64),
    )


def _judge(history: _History, pair: Pair) -> UnfamiliarReason | None:
    """The pressure that is furthest off, by what is far for it; None where neither is."""
    if len(history.times) < NEEDED:
        return None
    doubts = [
        _doubt(measure, column, figure, pair.unit)
        for measure, column, figure in (
            (Measure.SYSTOLIC, history.systolic, pair.systolic),
            (Measure.DIASTOLIC, history.diastolic, pair.diastolic),
        )
        if pair.unit in FAR[measure]
    ]
    far = [doubt for doubt in doubts if doubt.difference >= doubt.far]
    return max(far, key=lambda doubt: doubt.difference / doubt.far, default=None)


def _doubt(measure: Measure, column: Column, figure: Decimal, unit: Unit) -> UnfamiliarReason:
    median = float(np.median(column))
    spread = SPREADS * DEVIATIONS * float(np.median(np.abs(column - median)))
    usual = _rounded(median)
    return UnfamiliarReason(
        measure=measure,
        figure=Quantity(figure, unit),
        usual=usual,
        difference=abs(figure - usual),
        far=max(FAR[measure][unit], _rounded(spread)),
        readings=len(column),
        within=WITHIN,
        source=SOURCE,
    )


def _rounded(value: float) -> Decimal:
    """To a hundredth, without the zeros that say nothing."""
    found = Decimal(value).quantize(_STEP).normalize()
    return found if found.as_tuple().exponent in range(-2, 1) else found.quantize(Decimal(1))
