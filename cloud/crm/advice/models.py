"""A piece of advice, its rule, and what was given."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from alerting.units import converted
from device_drivers.nomenclature import Unit

LONGEST: Final = 600


class Measure(StrEnum):
    GLUCOSE = "glucose"
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"


class Relation(StrEnum):
    AT_OR_ABOVE = "at_or_above"
    BELOW = "below"


# In which units a rule may be written.
UNITS: Final[Mapping[Measure, tuple[str, ...]]] = {
    Measure.GLUCOSE: ("mg/dL", "mmol/L"),
    Measure.SYSTOLIC: ("mm[Hg]",),
    Measure.DIASTOLIC: ("mm[Hg]",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The mean of a week's readings beyond a bound."""

    measure: Measure
    relation: Relation
    bound: Decimal
    unit: str

    def of(self, unit: str) -> "Rule":
        """The same for whoever measures in this unit: the bound is converted, as meters show it; never a reading."""
        own = Unit(self.unit)
        return self if unit == own else replace(self, bound=converted(self.bound, own, Unit(unit)), unit=unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """``texts`` by language. Names are display names; nothing is given before somebody but the author approved."""

    snippet_id: UUID
    name: str
    version: int
    rule: Rule
    texts: Mapping[str, str]
    article: str | None = None  # the name of an article with more to read
    written_by: str
    author_id: UUID
    written_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None

    @property
    def standing(self) -> str:
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "draft" if self.approved_at is None else "approved"

    def text(self, language: str) -> str:
        return self.texts.get(language) or self.texts["en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One that was given; ``unit``: that of the readings; ``read_at``: when it was first on the patient's screen."""

    snippet: Snippet
    mean: Decimal
    unit: str
    readings: int
    given_at: datetime
    read_at: datetime | None
