"""From rows to what holds: programmes by their content, and the rules of a patient. Pure, but for the operator's log.

Equal content gives the same object, so that what is worked out of it once serves every patient and every batch.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from alerting.limits import Priority
from alerting.regimes import Override, Regime, RegimesOverlap, in_force, of_programme
from alerting.tiers import TERMS, Terms, Tier
from cloud.plans.models import PatientRules, Programme
from device_drivers.nomenclature import Unit

log = logging.getLogger(__name__)

STANDARD = "standard"
# Of patients who are not real, and of nobody else: the database sees to it.
TRAINING = "training"
# What holds where a programme's own regimes cannot be used together, or at all.
STANDARD_REGIMES = ("esc2024", "ada")


class OwnTerms(NamedTuple):
    """A programme's promises of one tier; None: the default's."""

    tier: str
    acknowledge_within: timedelta | None
    contact_within: timedelta | None
    escalate_after: timedelta | None
    lease: timedelta | None


class ProgrammeRow(NamedTuple):
    """A programme as it is stored, and what tells two of different content apart."""

    programme_id: str
    display_name: str
    regimes: tuple[str, ...]
    late_after: timedelta
    heightened_for: timedelta
    automatic_closing: frozenset[str]
    alert_budget: Decimal
    terms: tuple[OwnTerms, ...]


class LimitRow(NamedTuple):
    """The newest version of a patient's own limit. ``set_by`` is a display name."""

    limit_id: UUID
    condition: str
    unit: str
    value: Decimal
    priority: str
    reason: str
    set_by: str
    set_at: datetime
    expires_at: datetime | None
    version: int


def may_follow(programme_id: str, next_id: str) -> bool:
    """Whether a patient of one programme may join the next: in and out of training there is no way."""
    return (programme_id == TRAINING) == (next_id == TRAINING)


def by_id(rows: Iterable[tuple[Any, ...]]) -> Mapping[str, ProgrammeRow]:
    """The rows of ``store.PROGRAMMES``, one for each of a programme's own terms, as programmes by their id."""
    found: dict[str, ProgrammeRow] = {}
    for programme_id, name, regimes, late, heightened, closing, budget, *terms in rows:
        row = found.get(programme_id) or ProgrammeRow(
            programme_id, name, tuple(regimes), late, heightened, frozenset(closing), budget, ()
        )
        found[programme_id] = row if terms[0] is None else row._replace(terms=(*row.terms, OwnTerms(*terms)))
    return found


# A programme that somebody changes leaves its former content behind: a few at a time are in use.
@lru_cache(maxsize=256)
def programme(row: ProgrammeRow) -> Programme:
    """The programme with its own terms over the defaults; one of equal content is the same object."""
    terms = dict(TERMS)
    for own in row.terms:
        terms[Tier(own.tier)] = _terms(TERMS[Tier(own.tier)], own)
    return Programme(
        programme_id=row.programme_id,
        display_name=row.display_name,
        regimes=row.regimes,
        late_after=row.late_after,
        heightened_for=row.heightened_for,
        automatic_closing=row.automatic_closing,
        alert_budget=row.alert_budget,
        terms=terms,
    )


@lru_cache(maxsize=256)
def regime(names: tuple[str, ...]) -> Regime:
    """The regimes as one. Where they cannot be used, the standard ones hold, and the operator hears of it."""
    try:
        return of_programme(*names)
    except (KeyError, RegimesOverlap) as error:
        # Written past the console, or by another version of the software: no reading may go unjudged for it.
        log.error("the regimes %s cannot be used (%s): %s hold instead", names, str(error), STANDARD_REGIMES)
        return of_programme(*STANDARD_REGIMES)


@lru_cache(maxsize=256)
def shared(row: ProgrammeRow) -> PatientRules:
    """What holds for every patient of this programme who has nothing of their own."""
    return PatientRules(programme=programme(row), limits=regime(row.regimes).limits, heightened_until=None)


def own(row: ProgrammeRow, limits: Sequence[LimitRow], heightened_until: datetime | None, at: datetime) -> PatientRules:
    """What holds for a patient with limits or a heightened period; the shared rules where neither counts any more."""
    speaking = tuple(
        limit for limit in limits if limit.set_at <= at and (limit.expires_at is None or limit.expires_at > at)
    )
    if heightened_until is not None and heightened_until <= at:
        heightened_until = None
    if not speaking and heightened_until is None:
        return shared(row)
    return _own(row, speaking, heightened_until)


@lru_cache(maxsize=8192)
def _own(row: ProgrammeRow, speaking: tuple[LimitRow, ...], heightened_until: datetime | None) -> PatientRules:
    """Of limits that all hold now, so that what holds does not depend on the time any more."""
    of = regime(row.regimes)
    known = overrides(of, speaking)
    return PatientRules(
        programme=programme(row),
        limits=in_force(of, known, max(limit.set_at for limit in known)) if known else of.limits,
        heightened_until=heightened_until,
    )


def overrides(of: Regime, limits: Iterable[LimitRow]) -> list[Override]:
    """The limits that the regime knows. Of another the default holds, and the operator hears of it."""
    units = {(limit.condition, unit) for limit in of.limits for unit in limit.values}
    found = []
    for row in limits:
        if (row.condition, row.unit) in units:
            found.append(_override(row))
        else:
            log.error("alarm limit %s has a condition or unit that %s lacks and is not applied", row.limit_id, of.name)
    return found


def _override(row: LimitRow) -> Override:
    return Override(
        condition=row.condition,
        unit=Unit(row.unit),
        value=row.value,
        priority=Priority(row.priority),
        set_by=row.set_by,
        set_at=row.set_at,
        expires_at=row.expires_at,
        reason=row.reason,
        version=row.version,
    )


def _terms(default: Terms, own: OwnTerms) -> Terms:
    return Terms(
        acknowledge_within=own.acknowledge_within or default.acknowledge_within,
        contact_within=own.contact_within or default.contact_within,
        escalate_after=own.escalate_after or default.escalate_after,
        escalate_to=default.escalate_to,
        lease=own.lease or default.lease,
        pages=default.pages,
        working_time=default.working_time,
        source=default.source,
    )
