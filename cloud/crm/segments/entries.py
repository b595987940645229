"""Segments, sets of strata and tags as they are typed, read and checked. Pure; Refused with all that is wrong at once.

The form of a segment has ``name``, ``description``, ``shared`` and, for each condition by its number from 0 on,
``kind_0``, ``source_0`` and ``{field}_0`` for each field of its kind.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final
from uuid import UUID

from cloud.crm.segments.models import (
    LONGEST_TAG,
    MOST_CONDITIONS,
    MOST_STRATA,
    Choices,
    Condition,
    Kind,
    Stratum,
    Wanted,
)
from cloud.crm.segments.vocabulary import FIELDS, WITH_BOUNDS, Field, Of
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

LONGEST_NAME: Final = 80
LONGEST_DESCRIPTION: Final = 500
LONGEST_SOURCE: Final = 200
_WHOLE: Final = re.compile(r"\d{1,4}")


def typed_kinds(form: Form) -> list[tuple[int, Kind]]:
    """The conditions that a form has, by their number; what is none of ours is left out."""
    found = [(n, form.get(f"kind_{n}", "")) for n in range(MOST_CONDITIONS)]
    return [(n, Kind(kind)) for n, kind in found if kind in tuple(Kind)]


def with_another(form: Form, kind: str) -> dict[str, str]:
    """The form with one condition more; as it is where there is no room, or no such kind."""
    known = [n for n, _ in typed_kinds(form)]
    free = next((n for n in range(MOST_CONDITIONS) if n not in known), None)
    return dict(form) if free is None or kind not in tuple(Kind) else {**form, f"kind_{free}": kind}


def without(form: Form, place: int) -> dict[str, str]:
    """The form with one condition fewer; those behind it move up."""
    moved = {name: text for name, text in form.items() if _number_of(name) is None}
    for name, text in form.items():
        number = _number_of(name)
        if number is not None and number != place:
            moved[f"{name.rpartition('_')[0]}_{number - (number > place)}"] = text
    return moved


def form_of(conditions: Iterable[Condition]) -> dict[str, str]:
    """What the form would have, for conditions that are there already."""
    found: dict[str, str] = {}
    for n, condition in enumerate(conditions):
        found |= {f"kind_{n}": condition.kind.value, f"source_{n}": condition.source}
        found |= {f"{name}_{n}": text for name, text in condition.values.items()}
    return found


def segment(form: Form, choices: Choices) -> Wanted:
    """What was typed. Refused."""
    refusals: dict[str, Refusal] = {}
    name = fields.text(form, "name", LONGEST_NAME, refusals)
    description = fields.text(form, "description", LONGEST_DESCRIPTION, refusals, may_be_empty=True)
    found = _conditions(form, choices, refusals)
    if refusals:
        raise Refused("segment", refusals, form)
    return Wanted(name=name, description=description, shared=form.get("shared") == "yes", conditions=found)


def conditions(form: Form, choices: Choices) -> list[Condition]:
    """The conditions alone, for a count before anything is saved. Refused."""
    refusals: dict[str, Refusal] = {}
    found = _conditions(form, choices, refusals)
    if refusals:
        raise Refused("segment", refusals, form)
    return found


def strata(form: Form) -> list[tuple[Stratum, UUID]]:
    """``stratum_0`` and ``segment_0`` and so on: the set in its order, without what is empty. Refused."""
    found: list[tuple[Stratum, UUID]] = []
    refusals: dict[str, Refusal] = {}
    for n in range(MOST_STRATA):
        stratum, chosen = form.get(f"stratum_{n}", ""), form.get(f"segment_{n}", "")
        if not chosen:
            continue
        try:
            found.append((Stratum(stratum), UUID(chosen)))
        except ValueError:
            refusals[f"segment_{n}"] = Refusal("choose")
    if not found and not refusals:
        refusals["segment_0"] = Refusal("choose")
    if refusals:
        raise Refused("strata", refusals, form)
    return found


def tag(form: Form) -> str:
    """A short word or two, in small letters. Refused."""
    refusals: dict[str, Refusal] = {}
    found = _tag(form.get("tag", ""), "tag", refusals)
    if refusals:
        raise Refused("tag", refusals, form)
    return found


def _conditions(form: Form, choices: Choices, refusals: dict[str, Refusal]) -> list[Condition]:
    found = [_condition(form, n, choices, refusals) for n in range(MOST_CONDITIONS) if form.get(f"kind_{n}")]
    known = [one for one in found if one is not None]
    if not known and not refusals:
        refusals["kind"] = Refusal("no_condition")
    return known


def _condition(form: Form, n: int, choices: Choices, refusals: dict[str, Refusal]) -> Condition | None:
    try:
        kind = Kind(form[f"kind_{n}"])
    except ValueError:
        refusals["kind"] = Refusal("choose")
        return None
    values = {field.name: _value(form, field, n, choices, refusals) for field in FIELDS[kind]}
    given = {name: text for name, text in values.items() if text}
    if kind in WITH_BOUNDS:
        low, high = given.get("low"), given.get("high")
        if low is None and high is None:
            refusals.setdefault(f"low_{n}", Refusal("missing"))
        elif low is not None and high is not None and Decimal(low) > Decimal(high):
            refusals.setdefault(f"high_{n}", Refusal("bounds_crossed"))
    source = fields.text(form, f"source_{n}", LONGEST_SOURCE, refusals, may_be_empty=True)
    return Condition(kind=kind, values=given, source=source)


def _value(form: Form, field: Field, n: int, choices: Choices, refusals: dict[str, Refusal]) -> str:
    """As it is stored; empty where nothing was typed into a field that may be empty."""
    name = f"{field.name}_{n}"
    text = form.get(name, "").strip()
    if not text and not field.needed:
        return ""
    if field.of is Of.TAG:
        return _tag(text, name, refusals)
    if field.of in (Of.CHOICE, Of.CHOSEN):
        codes = field.codes if field.of is Of.CHOICE else [code for code, _ in choices.of.get(field.name, ())]
        if text not in codes:
            refusals[name] = Refusal("choose")
        return text
    number = fields.number(text)
    if number is None or (field.of is Of.WHOLE and not _WHOLE.fullmatch(text)):
        refusals[name] = Refusal("not_a_number")
        return ""
    if not field.low <= number <= field.high:
        refusals[name] = Refusal("out_of_range", {"low": str(field.low), "high": str(field.high)})
    return str(number)


def _tag(text: str, name: str, refusals: dict[str, Refusal]) -> str:
    found = " ".join(text.lower().split())
    if not found:
        refusals[name] = Refusal("missing")
    elif len(found) > LONGEST_TAG:
        refusals[name] = Refusal("too_long", {"most": str(LONGEST_TAG)})
    elif not all(letter.isalnum() or letter in " -" for letter in found):
        refusals[name] = Refusal("not_a_tag")
    return found


def _number_of(name: str) -> int | None:
    _, _, number = name.rpartition("_")
    return int(number) if len(number) == 1 and number.isascii() and number.isdigit() else None
