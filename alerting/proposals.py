"""A change that somebody thinks of, as data, and the limits as they would be under it. Nothing is saved by it.

A change of the programme leaves alone what a doctor has set for a patient; a change for one patient replaces that, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from alerting.regimes import OURS, Evidence, Regime, RegimeLimit, RegimesOverlap, of_programme
from device_drivers.nomenclature import Unit


class ProposalRefused(Exception):
    """The proposal cannot be tried; the message says why, and what there is instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another value for one condition in one unit."""

    condition: str
    unit: Unit
    value: Decimal


def regime_of(names: Sequence[str]) -> Regime:
    """The regimes of a programme as one. ProposalRefused for a name that nobody knows, and for two of one measure."""
    try:
        return of_programme(*names)
    except KeyError as unknown:
        raise ProposalRefused(f"There is no regime {unknown.args[0]!r}.") from None
    except RegimesOverlap as overlap:
        raise ProposalRefused(f"{overlap}.") from None


def changed(limits: Iterable[RegimeLimit], changes: Iterable[Change]) -> tuple[RegimeLimit, ...]:
    """These limits with other values. ProposalRefused for a condition or unit that none of them has.

    The value of a default in its other unit stays: a limit is published, and proposed, for each unit by itself.
    """
    found = tuple(limits)
    for change in changes:
        _check(found, change)
        found = tuple(own for limit in found for own in _with(limit, change))
    return found


def with_prescribed(defaults: Iterable[RegimeLimit], in_force: Iterable[RegimeLimit]) -> tuple[RegimeLimit, ...]:
    """These defaults, with what a doctor has set among the limits in force in its place."""
    prescribed = [limit for limit in in_force if limit.evidence is Evidence.PRESCRIBED]
    found: list[RegimeLimit] = []
    for default in defaults:
        # A limit that a doctor set speaks for one unit.
        own = [x for x in prescribed if x.condition == default.condition and x.values.keys() <= default.values.keys()]
        taken = {unit for limit in own for unit in limit.values}
        rest = {unit: value for unit, value in default.values.items() if unit not in taken}
        if rest:
            found.append(replace(default, values=rest) if taken else default)
        found += own
    return tuple(found)


def _with(limit: RegimeLimit, change: Change) -> Iterable[RegimeLimit]:
    """The limit without the unit, and the unit with its new value; in this order, as a doctor's own."""
    if limit.condition != change.condition or change.unit not in limit.values:
        yield limit
        return
    rest = {unit: value for unit, value in limit.values.items() if unit is not change.unit}
    if rest:
        yield replace(limit, values=rest)
    yield replace(
        limit, values={change.unit: change.value}, source=OURS.text, evidence=Evidence.PROPOSED, version=None, why=None
    )


def _check(limits: Sequence[RegimeLimit], change: Change) -> None:
    units = {unit for limit in limits if limit.condition == change.condition for unit in limit.values}
    if not units:
        known = ", ".join(sorted({limit.condition for limit in limits}))
        raise ProposalRefused(f"There is no condition {change.condition!r} in this programme; there are {known}.")
    if change.unit not in units:
        known = " and ".join(sorted(units))
        raise ProposalRefused(f"{change.condition} has no limit in {change.unit}; it has one in {known}.")
    if not change.value.is_finite() or change.value < 0:
        raise ProposalRefused(f"{change.value} is no value for {change.condition}: a number from 0 on is.")
