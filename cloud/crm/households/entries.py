"""What is typed into the forms of a household, read and checked. Pure; Refused with all that is wrong at once."""

from datetime import date
from uuid import UUID

from cloud.crm.households.models import LONGEST_RELATION, ConsentEntry, Method, Topic
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused


def relation(form: Form, refusals: dict[str, Refusal], name: str = "relation") -> str:
    """A word or two, such as ``wife``; it may be empty."""
    return fields.line(form, name, LONGEST_RELATION, refusals, may_be_empty=True)


def member(form: Form) -> tuple[UUID, str, str]:
    """``patient_id`` of the other, ``relation`` of the other and ``own_relation`` of the patient of the page."""
    refusals: dict[str, Refusal] = {}
    found = fields.id_of(form.get("patient_id", ""))
    others, own = relation(form, refusals), relation(form, refusals, "own_relation")
    if found is None:
        refusals["patient_id"] = Refusal("choose")
    if refusals or found is None:
        raise Refused("member", refusals, form)
    return found, others, own


def search(form: Form) -> str:
    """A part of a name, at least two letters."""
    said = " ".join(form.get("name", "").split())
    if len(said) < 2:
        raise Refused("search", {"name": Refusal("missing")}, form)
    return said[:80]


def consent(form: Form, today: date) -> ConsentEntry:
    """``topic_reached`` and so on where ticked, ``said_on`` as 2026-12-31, ``method``."""
    refusals: dict[str, Refusal] = {}
    topics = tuple(topic for topic in Topic if form.get(f"topic_{topic.value}") == "1")
    oldest = date(today.year - 100, 1, 1)
    said_on = fields.day(form, "said_on", oldest, today, refusals, early="too_far", late="future")
    if form.get("method") not in tuple(Method):
        refusals["method"] = Refusal("choose")
    if refusals or said_on is None:
        raise Refused("consent", refusals, form)
    return ConsentEntry(topics=topics, said_on=said_on, method=Method(form["method"]))
