"""Fields of forms, read and checked: what is wrong is said at the field, by a code with its figures. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

Form = Mapping[str, str]

LONGEST_REASON: Final = 500
_NUMBER: Final = re.compile(r"\d{1,4}([.,]\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a field was not taken: a code with its figures; the page has the words."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """What was typed cannot be taken. ``refusals`` by field, and the form with what was ``typed``, to be mended."""

    def __init__(self, form: str, refusals: Mapping[str, Refusal], typed: Form) -> None:
        super().__init__(f"{form}: {', '.join(refusals)}")
        self.form = form
        self.refusals = refusals
        self.typed = typed


def number(text: str) -> Decimal | None:
    """A number of at most four digits and two decimals; a comma is as good as a point."""
    text = text.strip()
    return Decimal(text.replace(",", ".")) if text.isascii() and _NUMBER.fullmatch(text) else None


def reason(form: Form, refusals: dict[str, Refusal], name: str = "reason") -> str:
    """A text that must be there; what is wrong with it is added to ``refusals``."""
    said = form.get(name, "").strip()
    if not said:
        refusals[name] = Refusal("no_reason")
    elif len(said) > LONGEST_REASON:
        refusals[name] = Refusal("too_long", {"most": str(LONGEST_REASON)})
    return said
