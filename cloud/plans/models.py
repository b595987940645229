"""What holds for a patient: the programme with its promises, and the limits in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from alerting.regimes import RegimeLimit
from alerting.tiers import TERMS, Terms, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One programme as data. ``automatic_closing`` names the classes of cases that may close by themselves."""

    programme_id: str
    display_name: str
    regimes: tuple[str, ...]
    late_after: timedelta
    heightened_for: timedelta
    automatic_closing: frozenset[str]
    alert_budget: Decimal  # manual cases per patient and day
    terms: Mapping[Tier, Terms] = field(default_factory=lambda: TERMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRules:
    """What one patient's readings are held against. Patients who differ in nothing share one object."""

    programme: Programme
    limits: tuple[RegimeLimit, ...]
    heightened_until: datetime | None
