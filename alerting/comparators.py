"""One figure against one limit, in the figure's own unit; HI and LO compare, too.

A meter that shows HI has measured something above every limit that it could show; LO likewise below. Everything else
that is not a number (a failed measurement, a reserved value) says nothing and violates nothing.
"""

from decimal import Decimal

from alerting.limits import AlarmLimit, Relation
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity, QuantityState


def violates(quantity: Quantity, limit: AlarmLimit) -> bool:
    """True where the figure is beyond the limit. False, too, where nobody set a limit in the figure's unit."""
    bound = limit.values.get(quantity.unit)
    if bound is None:
        return False
    match quantity.state:
        case QuantityState.MEASURED if quantity.value is not None:
            return beyond(quantity.value, limit.relation, bound)
        case QuantityState.BELOW_RANGE:
            return limit.relation is Relation.BELOW
        case QuantityState.ABOVE_RANGE:
            return limit.relation is not Relation.BELOW
        case _:
            return False


def beyond(value: Decimal, relation: Relation, bound: Decimal) -> bool:
    """True where ``value`` stands to ``bound`` as the relation says."""
    match relation:
        case Relation.BELOW:
            return value < bound
        case Relation.ABOVE:
            return value > bound
        case Relation.AT_OR_ABOVE:
            return value >= bound


def says_something(quantity: Quantity) -> bool:
    """True for a number, HI or LO; False for what cannot be compared with any limit."""
    return quantity.state in (QuantityState.MEASURED, QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE)


def from_column(value: float, unit: Unit) -> Quantity | None:
    """A window's figure as a quantity: infinities are HI and LO, NaN is None (``alerting.windows``)."""
    if value != value:  # NaN
        return None
    if value == float("inf"):
        return Quantity(None, unit, QuantityState.ABOVE_RANGE)
    if value == float("-inf"):
        return Quantity(None, unit, QuantityState.BELOW_RANGE)
    return Quantity(rounded(value, unit), unit)


# One digit more than devices show: what is compared is what is shown, and no sum of binary fractions decides.
_STEP = {
    Unit.MG_DL: Decimal("0.1"),
    Unit.MMOL_L: Decimal("0.01"),
    Unit.MM_HG: Decimal("0.1"),
    Unit.KPA: Decimal("0.01"),
    Unit.PER_MIN: Decimal("0.1"),
}


def rounded(value: float, unit: Unit) -> Decimal:
    """A computed figure (a mean, a difference) with one digit more than devices show, halves up, no trailing zeros."""
    # Nine digits take away what binary fractions add: the mean of 17.9 and 18.1 is 18.
    exact = Decimal(repr(round(float(value), 9)))
    return _plain(exact.quantize(_STEP[unit], rounding="ROUND_HALF_UP"))


def _plain(value: Decimal) -> Decimal:
    """Without trailing zeros after the point, and never as 1.8E+2."""
    shorter = value.normalize()
    return shorter.quantize(Decimal(1)) if int(shorter.as_tuple().exponent) > 0 else shorter
