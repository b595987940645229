"""What is typed about articles and questions, read and checked. Pure; Refused with all that is wrong at once."""

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final

from cloud.crm.education import red_flags
from cloud.crm.education.models import (
    LONGEST_ANSWER,
    LONGEST_BODY,
    LONGEST_QUESTION,
    LONGEST_SOURCES,
    LONGEST_TITLE,
    Asked,
    Condition,
    Draft,
    Topic,
)
from cloud.language.languages import LANGUAGES
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

# Nobody knows now what is right after that.
LONGEST_UNREAD: Final = timedelta(days=3 * 366)


def draft(form: Form, about: Collection[str] = ()) -> Draft:
    """``name``, ``topic``, ``condition``, ``link``, ``sources``, and ``title_en``, ``body_en`` and so on.

    ``about``: what must not be in it, as it would say of whom it speaks.
    """
    refusals: dict[str, Refusal] = {}
    name = form.get("name", "").strip()
    if not re.fullmatch(r"[a-z0-9_]{1,60}", name):
        refusals["name"] = Refusal("not_an_id")
    for field, choices in (("topic", tuple(Topic)), ("condition", tuple(Condition))):
        if form.get(field, "") not in choices:
            refusals[field] = Refusal("choose")
    link = fields.link(form, "link", refusals)
    titles = _texts(form, "title", LONGEST_TITLE, refusals)
    bodies = _texts(form, "body", LONGEST_BODY, refusals, may_be_empty=bool(link))
    sources = fields.text(form, "sources", LONGEST_SOURCES, refusals)
    for code in LANGUAGES:
        for field, text in ((f"title_{code}", titles[code]), (f"body_{code}", bodies[code])):
            if field not in refusals and names_one_of(text, about):
                refusals[field] = Refusal("says_of_whom")
    if refusals:
        raise Refused("article", refusals, form)
    return Draft(
        name=name,
        topic=Topic(form["topic"]),
        condition=Condition(form["condition"]),
        titles=titles,
        bodies=bodies,
        link=link,
        sources=sources,
    )


def names_one_of(text: str, about: Collection[str]) -> bool:
    """Whether one of these stands in it, in whatever case and spacing."""
    flat = "".join(text.casefold().split())
    return any(part and "".join(part.casefold().split()) in flat for part in about)


def identifying(display_name: str, phones: Collection[str]) -> list[str]:
    """What would say of whom a text speaks: the name and its parts, and telephone numbers. Not all there is: a person
    reads it before it is approved."""
    parts = [part for part in re.split(r"[\s,.;-]+", display_name) if len(part) >= 3 or not part.isascii()]
    return [display_name, *parts, *phones]


def review_on(form: Form, today: date) -> date:
    """By when an article is read again."""
    refusals: dict[str, Refusal] = {}
    day = fields.day(form, "review_on", today + timedelta(days=1), today + LONGEST_UNREAD, refusals)
    if day is None:
        raise Refused("approve", refusals, form)
    return day


def why(form: Form) -> str:
    """Why an article is taken out."""
    refusals: dict[str, Refusal] = {}
    said = fields.reason(form, refusals, "why")
    if refusals:
        raise Refused("retire", refusals, form)
    return said


def question(form: Form) -> Asked:
    """``body``, ``symptoms`` and ``may_publish``; ``warned`` as the page that warned sends it.

    Refused with ``call_first`` where it is about symptoms and whoever asks was not told yet whom to call.
    """
    refusals: dict[str, Refusal] = {}
    body = fields.text(form, "body", LONGEST_QUESTION, refusals)
    about_symptoms = bool(form.get("symptoms")) or red_flags.found_in(body)
    if not refusals and about_symptoms and form.get("warned") != "yes":
        refusals["body"] = Refusal("call_first")
    if refusals:
        raise Refused("ask", refusals, form)
    return Asked(body=body, about_symptoms=about_symptoms, may_publish=bool(form.get("may_publish")))


def answer(form: Form) -> str:
    """``answer``, as it is written to the patient."""
    refusals: dict[str, Refusal] = {}
    said = fields.text(form, "answer", LONGEST_ANSWER, refusals)
    if refusals:
        raise Refused("answer", refusals, form)
    return said


def _texts(
    form: Form, name: str, longest: int, refusals: dict[str, Refusal], *, may_be_empty: bool = False
) -> Mapping[str, str]:
    return {
        code: fields.text(form, f"{name}_{code}", longest, refusals, may_be_empty=may_be_empty) for code in LANGUAGES
    }
