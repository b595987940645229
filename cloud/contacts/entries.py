"""What people type into the forms of an emergency card, read and checked. Refused has all that is wrong."""

import re
from typing import Final

from cloud.contacts import numbers
from cloud.contacts.models import CardEntry, ContactEntry
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

LONGEST: Final = 500
MOST_PHONES: Final = 4
PLACES: Final = range(1, 10)
_EMERGENCY_NUMBER: Final = re.compile(r"\+?\d{2,15}")


def card(form: Form, region: str | None) -> CardEntry:
    """``phones`` are separated by commas or lines; a number without its country is one of ``region``."""
    refusals: dict[str, Refusal] = {}
    address = fields.text(form, "address", LONGEST, refusals)
    emergency = re.sub(r"[\s()./-]", "", form.get("emergency_number", ""))
    if not emergency.isascii() or not _EMERGENCY_NUMBER.fullmatch(emergency):
        refusals["emergency_number"] = Refusal("not_an_emergency_number")
    entry = CardEntry(
        address=address,
        door_notes=fields.text(form, "door_notes", LONGEST, refusals, may_be_empty=True),
        emergency_number=emergency,
        speaks=fields.text(form, "speaks", LONGEST, refusals, may_be_empty=True),
        phones=phones(form, region, refusals, needed=False),
        notes=fields.text(form, "notes", LONGEST, refusals, may_be_empty=True),
    )
    if refusals:
        raise Refused("card", refusals, form)
    return entry


def contact(form: Form, region: str | None) -> ContactEntry:
    """A contact person; ``place`` 1 is called first, ``may_be_told`` is yes or no and never guessed."""
    refusals: dict[str, Refusal] = {}
    place = fields.whole(form, "place", PLACES[0], PLACES[-1], refusals)
    if form.get("may_be_told") not in ("yes", "no"):
        refusals["may_be_told"] = Refusal("choose")
    name = fields.text(form, "name", LONGEST, refusals)
    relation = fields.text(form, "relation", LONGEST, refusals)
    found = phones(form, region, refusals, needed=True)
    if refusals or place is None:
        raise Refused("contact", refusals, form)
    return ContactEntry(
        place=place, name=name, relation=relation, phones=found, may_be_told=form["may_be_told"] == "yes"
    )


def phones(form: Form, region: str | None, refusals: dict[str, Refusal], *, needed: bool) -> list[str]:
    """The numbers of the field ``phones``, E.164, each once."""
    typed = [part for part in re.split(r"[,;\n]", form.get("phones", "")) if part.strip()]
    found = [numbers.e164(part, region) for part in typed]
    known = [number for number in dict.fromkeys(found) if number]
    if None in found or (needed and not known):
        refusals["phones"] = Refusal("not_a_phone")
    elif len(known) > MOST_PHONES:
        refusals["phones"] = Refusal("too_many", {"most": str(MOST_PHONES)})
    return known
