"""A programme as people read and change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from alerting.closing import CLASSES
from alerting.regimes import RegimeLimit
from alerting.tiers import Terms, Tier
from cloud.plans.rules import OwnTerms, ProgrammeRow

# The classes of cases that a programme may allow to close by themselves.
CLOSING_CLASSES = tuple(sorted(CLASSES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A programme with what follows of it. ``unsigned``: its limits that no clinician has confirmed."""

    row: ProgrammeRow
    patients: int
    terms: Mapping[Tier, Terms]
    own: Mapping[str, OwnTerms]
    unsigned: tuple[RegimeLimit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeEntry:
    """A programme, read from a form."""

    display_name: str
    regimes: tuple[str, ...]
    late_after: timedelta
    heightened_for: timedelta
    automatic_closing: tuple[str, ...]
    alert_budget: Decimal
