"""The readings that are measured for test on the way in, and whether one is beyond a limit. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from alerting.limits import Measure
from alerting.pipeline import on_reading
from alerting.reasons import Reason
from alerting.regimes import RegimeLimit
from alerting.sentences import sentence
from alerting.tiers import Tier, graver
from cloud.admission.models import Beyond, Facts, Judged, TestReading
from cloud.admission.steps import confirmed
from cloud.alerts.reasons import to_json
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity, QuantityState

# Nothing of a test reading is so late that it would not be said.
_NEVER_LATE: Final = timedelta(days=365)
_WARNED: Final = frozenset({Tier.EMERGENCY, Tier.URGENT})
_MEASURES: Final[Mapping[str, Sequence[Measure]]] = {
    Kind.GLUCOSE.value: (Measure.GLUCOSE,),
    Kind.KETONE.value: (Measure.KETONE,),
    Kind.BLOOD_PRESSURE.value: (Measure.SYSTOLIC, Measure.DIASTOLIC, Measure.PULSE),
}


def judged(facts: Facts, limits: Iterable[RegimeLimit]) -> list[Judged]:
    """The test readings with the gravest limit that each is beyond: shown to whoever takes the patient in. Pure.

    No case follows from it: nobody watches yet, and a first measurement is often one of somebody who learns.
    """
    limits, seen = tuple(limits), confirmed(facts)
    return [
        Judged(reading=one, beyond=_beyond(one, limits), confirmed=one.reading_id in seen) for one in facts.readings
    ]


def warns(readings: Iterable[Judged]) -> bool:
    """Whether one is beyond a limit that calls somebody at once, later."""
    return any(one.beyond is not None and one.beyond.tier in _WARNED for one in readings)


def _beyond(reading: TestReading, limits: Iterable[RegimeLimit]) -> Beyond | None:
    units = {Measure.PULSE: Unit.PER_MIN}
    figures = {
        measure: Quantity(value, units.get(measure, Unit(reading.unit)))
        if value is not None
        else Quantity(None, Unit(reading.unit), QuantityState(reading.state), bound=reading.bound)
        for measure, value in zip(_MEASURES[reading.kind], reading.values, strict=True)
        if value is not None or reading.state != QuantityState.MEASURED
    }
    said = on_reading(figures, limits, reading.effective_time, reading.effective_time, _NEVER_LATE)
    found: list[tuple[Tier, str, Reason]] = [(one.tier, one.condition, one.reason) for one in said.findings]
    found += [(one.limit.tier, one.limit.condition, one.first) for one in said.timers]
    if not found:
        return None
    gravest = found[0]
    for one in found[1:]:
        if graver(gravest[0], one[0]) is not gravest[0]:
            gravest = one
    tier, condition, reason = gravest
    return Beyond(tier=tier.value, condition=condition, sentence=sentence(reason), reason=to_json(reason))
