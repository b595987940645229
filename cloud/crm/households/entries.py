"""What is typed into the forms of a household, read and checked. Pure; Refused with all that is wrong at once."""

from datetime import date
from uuid import UUID

from cloud.crm.households.models import LONGEST_RELATION, ConsentEntry, Method, Topic
from cloud.plans.fields import Form, Refusal, Refused


def relation(form: Form, refusals: dict[str, Refusal], name: str = "relation") -> str:
    """A word or two, such as ``wife``; it may be empty."""
    said = " ".join(form.get(name, "").split())
    if len(said) > LONGEST_RELATION:
        refusals[name] = Refusal("too_long", {"most": str(LONGEST_RELATION)})
    return said


def member(form: Form) -> tuple[UUID, str, str]:
    """``patient_id`` of the other, ``relation`` of the other and ``own_relation`` of the patient of the page."""
    refusals: dict[str, Refusal] = {}
    found = _uuid(form.get("patient_id", ""))
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
    said_on = _day(form.get("said_on", ""))
    if said_on is None:
        refusals["said_on"] = Refusal("not_a_day")
    elif said_on > today:
        refusals["said_on"] = Refusal("future")
    elif said_on.year < today.year - 100:
        refusals["said_on"] = Refusal("too_far")
    if form.get("method") not in tuple(Method):
        refusals["method"] = Refusal("choose")
    if refusals or said_on is None:
        raise Refused("consent", refusals, form)
    return ConsentEntry(topics=topics, said_on=said_on, method=Method(form["method"]))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-12-31") else None
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
