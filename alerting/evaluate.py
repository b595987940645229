"""One reading against the limits in force: which are violated, and the sentence that says why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from alerting.limits import MEASURE_OF, AlarmLimit, Measure, Priority, Relation
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Quantity, QuantityState, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why, as data. ``value`` is None for HI and LO, where ``state`` speaks."""

    measure: Measure
    value: Decimal | None
    state: QuantityState
    unit: Unit
    relation: Relation
    limit: Decimal
    source: str
    since: str | None  # ISO date from which a patient's own limit holds

    @property
    def sentence(self) -> str:
        """What the nurse reads: the value, the limit, who set it and since when."""
        value = {
            QuantityState.ABOVE_RANGE: "above the meter's range (HI)",
            QuantityState.BELOW_RANGE: "below the meter's range (LO)",
        }.get(self.state, _figure(self.value, self.unit))
        relation = {
            Relation.BELOW: "below the limit of",
            Relation.ABOVE: "above the limit of",
            Relation.AT_OR_ABOVE: "at or above the limit of",
        }[self.relation]
        since = f" since {self.since}" if self.since else ""
        return (
            f"{_name(self.measure)} {value}: {relation} {_figure(self.limit, self.unit)} (set by {self.source}{since})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A limit that the reading violates."""

    condition: str
    priority: Priority
    reason: Reason


def violations(reading: Reading, limits: Iterable[AlarmLimit]) -> tuple[Violation, ...]:
    """The violated limits, the gravest only for each measure and direction."""
    found: dict[tuple[Measure, bool], Violation] = {}
    quantities = {MEASURE_OF[c.code]: c.quantity for c in reading.components if c.code in MEASURE_OF}
    for limit in limits:
        quantity = quantities.get(limit.measure)
        if quantity is None or not _violates(quantity, limit):
            continue
        key = (limit.measure, limit.relation is Relation.BELOW)
        if key not in found or _RANK[limit.priority] < _RANK[found[key].priority]:
            found[key] = Violation(condition=limit.condition, priority=limit.priority, reason=_reason(quantity, limit))
    return tuple(found.values())


# Code and unit → the figures strictly between these two violate no limit.
Quiet = Mapping[tuple[Mdc, Unit], tuple[Decimal, Decimal]]


def quiet(limits: Iterable[AlarmLimit]) -> Quiet:
    """Where no limit is violated, worked out once for all readings: see ``is_quiet``."""
    below: dict[tuple[Measure, Unit], Decimal] = {}
    above: dict[tuple[Measure, Unit], Decimal] = {}
    for limit in limits:
        for unit, value in limit.values.items():
            key = (limit.measure, unit)
            if limit.relation is Relation.BELOW:
                below[key] = max(value, below.get(key, value))
            else:
                above[key] = min(value, above.get(key, value))
    return {
        (code, unit): (below.get((measure, unit), -_INFINITY), above.get((measure, unit), _INFINITY))
        for code, measure in MEASURE_OF.items()
        for unit in Unit
    }


def is_quiet(reading: Reading, quiet: Quiet) -> bool:
    """Whether the reading surely violates none of the limits that ``quiet`` was made of. False says nothing.

    Almost all readings are quiet: this decides for them at a quarter of the price of ``violations``.
    """
    for component in reading.components:
        quantity = component.quantity
        ends = quiet.get((component.code, quantity.unit))
        if ends is None or quantity.value is None or not ends[0] < quantity.value < ends[1]:
            return False
    return True


_INFINITY = Decimal("Infinity")
_RANK = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


def _violates(quantity: Quantity, limit: AlarmLimit) -> bool:
    value = limit.values.get(quantity.unit)
    if value is None:
        return False
    below = limit.relation is Relation.BELOW
    match quantity.state:
        case QuantityState.MEASURED if quantity.value is not None:
            if below:
                return quantity.value < value
            return quantity.value > value or (quantity.value == value and limit.relation is Relation.AT_OR_ABOVE)
        case QuantityState.BELOW_RANGE:
            return below
        case QuantityState.ABOVE_RANGE:
            return not below
        case _:
            return False


def _reason(quantity: Quantity, limit: AlarmLimit) -> Reason:
    return Reason(
        measure=limit.measure,
        value=quantity.value,
        state=quantity.state,
        unit=quantity.unit,
        relation=limit.relation,
        limit=limit.values[quantity.unit],
        source=limit.source,
        since=limit.since.date().isoformat() if limit.since else None,
    )


def _name(measure: Measure) -> str:
    return {
        Measure.GLUCOSE: "Glucose",
        Measure.KETONE: "Blood ketones",
        Measure.SYSTOLIC: "Systolic pressure",
        Measure.DIASTOLIC: "Diastolic pressure",
        Measure.PULSE: "Pulse",
    }[measure]


def _figure(value: Decimal | None, unit: Unit) -> str:
    """Written out: a device that says 18 · 10 to a nurse says 180, not 1.8E+2."""
    return f"{value:f}{_spoken(unit)}" if value is not None else f"–{_spoken(unit)}"


def _spoken(unit: Unit) -> str:
    """The unit as people write it after a figure (``72/min``, ``128 mmHg``); the coded form stays in the data."""
    return {Unit.MM_HG: " mmHg", Unit.PER_MIN: "/min"}.get(unit, f" {unit}")
