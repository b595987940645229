"""Whether a rule speaks: the mean of a patient's week. Pure. All figures are proposals of this project."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from cloud.crm.advice.models import Relation, Rule

WITHIN: Final = timedelta(days=7)
# Fewer say too little of a week; they come from at least so many days (cf. alerting.sufficiency).
NEEDED_READINGS: Final = 6
NEEDED_DAYS: Final = 3
# The same advice is of no more use sooner.
REST: Final = timedelta(days=28)


class Mean(NamedTuple):
    """Of how many readings."""

    value: Decimal
    readings: int


def mean_beyond(rule: Rule, readings: Sequence[tuple[date, Decimal]]) -> Mean | None:
    """The mean where the rule speaks; None: it does not, or there are too few. ``readings``: day, value in its unit."""
    if len(readings) < NEEDED_READINGS or len({day for day, _ in readings}) < NEEDED_DAYS:
        return None
    total = sum((value for _, value in readings), Decimal(0))
    mean = (total / len(readings)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    beyond = mean >= rule.bound if rule.relation is Relation.AT_OR_ABOVE else mean < rule.bound
    return Mean(mean, len(readings)) if beyond else None
