"""Where no limit on single readings speaks, worked out once: almost all readings are decided by a glance at it.

A quarter of the price of comparing with each limit, and it decides nothing but that there is nothing to decide.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from alerting.limits import MEASURE_OF, AlarmLimit, Measure, Relation
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Reading

# Code and unit → the figures strictly between these two are beyond no limit.
Quiet = Mapping[tuple[Mdc, Unit], tuple[Decimal, Decimal]]

_INFINITY = Decimal("Infinity")


def quiet(limits: Iterable[AlarmLimit]) -> Quiet:
    """Between which figures none of these limits is violated."""
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
    """Whether the reading surely violates none of the limits that ``quiet`` was made of. False says nothing."""
    for component in reading.components:
        quantity = component.quantity
        ends = quiet.get((component.code, quantity.unit))
        if ends is None or quantity.value is None or not ends[0] < quantity.value < ends[1]:
            return False
    return True
