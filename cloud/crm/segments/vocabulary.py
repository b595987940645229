"""The closed vocabulary of segments: which fields each kind of condition has, in which bounds. Pure.

What is not here cannot be asked. A patient's sex is not recorded anywhere, so nothing asks for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerting.tiers import Tier
from cloud.crm.segments.models import Kind
from device_drivers.nomenclature import Unit


class Of(StrEnum):
    """What is typed into a field."""

    WHOLE = "whole"  # a whole number within bounds
    NUMBER = "number"  # a number within bounds
    CHOICE = "choice"  # one of the field's own codes
    CHOSEN = "chosen"  # one of what there is: programmes, plans, colleagues, languages
    TAG = "tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """``unit``: what a number is in, as texts.SEGMENT_UNITS says it; ``codes``: of a choice; ``needed``: not empty."""

    name: str
    of: Of
    low: int = 0
    high: int = 0
    unit: str = ""
    codes: Sequence[str] = ()
    needed: bool = True


PRESSURE_UNITS: Final = (Unit.MM_HG.value, Unit.KPA.value)
GLUCOSE_UNITS: Final = (Unit.MG_DL.value, Unit.MMOL_L.value)
CONTROL: Final = ("controlled", "not_controlled", "not_enough", "no_target")
GRAVEST_FIRST: Final = (Tier.EMERGENCY, Tier.URGENT, Tier.SAME_SHIFT, Tier.ROUTINE, Tier.RETROSPECTIVE)

_MANY: Final = Field(name="many", of=Of.WHOLE, low=1, high=99)
_TIER: Final = Field(name="tier", of=Of.CHOICE, codes=tuple(tier.value for tier in GRAVEST_FIRST))
_DAYS: Final = Field(name="days", of=Of.WHOLE, low=1, high=365, unit="days")

FIELDS: Final[Mapping[Kind, Sequence[Field]]] = {
    Kind.PROGRAMME: (Field(name="programme", of=Of.CHOSEN),),
    Kind.PLAN: (Field(name="plan", of=Of.CHOSEN),),
    Kind.TAG: (Field(name="tag", of=Of.TAG),),
    Kind.AGE: (
        Field(name="low", of=Of.WHOLE, low=0, high=130, unit="years", needed=False),
        Field(name="high", of=Of.WHOLE, low=0, high=130, unit="years", needed=False),
    ),
    Kind.CONTROL: (Field(name="is", of=Of.CHOICE, codes=CONTROL),),
    Kind.PRESSURE: (
        Field(name="measure", of=Of.CHOICE, codes=("systolic", "diastolic")),
        Field(name="low", of=Of.NUMBER, low=1, high=400, needed=False),
        Field(name="high", of=Of.NUMBER, low=1, high=400, needed=False),
        Field(name="unit", of=Of.CHOICE, codes=PRESSURE_UNITS),
    ),
    Kind.GLUCOSE: (
        Field(name="low", of=Of.NUMBER, low=1, high=1000, needed=False),
        Field(name="high", of=Of.NUMBER, low=1, high=1000, needed=False),
        Field(name="unit", of=Of.CHOICE, codes=GLUCOSE_UNITS),
    ),
    Kind.LAST_READING: (Field(name="relation", of=Of.CHOICE, codes=("at_least", "at_most")), _DAYS),
    Kind.OPEN_CASES: (_MANY, _TIER),
    Kind.CASES: (_MANY, _TIER, _DAYS),
    Kind.ADHERENCE: (
        Field(name="relation", of=Of.CHOICE, codes=("below", "at_or_above")),
        Field(name="percent", of=Of.WHOLE, low=1, high=100, unit="percent"),
    ),
    Kind.DISCHARGE: (_DAYS,),
    Kind.HEIGHTENED: (),
    Kind.CARER: (Field(name="carer", of=Of.CHOSEN),),
    Kind.LANGUAGE: (Field(name="language", of=Of.CHOSEN),),
    Kind.HOUSEHOLD: (Field(name="is", of=Of.CHOICE, codes=("with_others", "alone_or_unknown")),),
}
# Of these at least one bound has to be there.
WITH_BOUNDS: Final = frozenset({Kind.AGE, Kind.PRESSURE, Kind.GLUCOSE})


def tiers_from(tier: str) -> list[str]:
    """This tier and the graver ones."""
    return [one.value for one in GRAVEST_FIRST[: GRAVEST_FIRST.index(Tier(tier)) + 1]]
