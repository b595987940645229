"""What is typed about articles and questions, read and checked. Pure; Refused with all that is wrong at once."""

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

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

LONGEST_LINK: Final = 500
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
    link = _link(form, refusals)
    titles = _texts(form, "title", LONGEST_TITLE, refusals)
    bodies = _texts(form, "body", LONGEST_BODY, refusals, may_be_empty=bool(link))
    sources = _text(form, "sources", LONGEST_SOURCES, refusals)
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
    day = None
    try:
        day = date.fromisoformat(form.get("review_on", "").strip())
    except ValueError:
        refusals["review_on"] = Refusal("not_a_date")
    if day is not None and day <= today:
        refusals["review_on"] = Refusal("past")
    elif day is not None and day > today + LONGEST_UNREAD:
        refusals["review_on"] = Refusal("too_far")
    if refusals or day is None:
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
    body = _text(form, "body", LONGEST_QUESTION, refusals)
    about_symptoms = bool(form.get("symptoms")) or red_flags.found_in(body)
    if not refusals and about_symptoms and form.get("warned") != "yes":
        refusals["body"] = Refusal("call_first")
    if refusals:
        raise Refused("ask", refusals, form)
    return Asked(body=body, about_symptoms=about_symptoms, may_publish=bool(form.get("may_publish")))


def answer(form: Form) -> str:
    """``answer``, as it is written to the patient."""
    refusals: dict[str, Refusal] = {}
    said = _text(form, "answer", LONGEST_ANSWER, refusals)
    if refusals:
        raise Refused("answer", refusals, form)
    return said


def _texts(
    form: Form, name: str, longest: int, refusals: dict[str, Refusal], *, may_be_empty: bool = False
) -> Mapping[str, str]:
    return {code: _text(form, f"{name}_{code}", longest, refusals, may_be_empty=may_be_empty) for code in LANGUAGES}


def _text(form: Form, name: str, longest: int, refusals: dict[str, Refusal], *, may_be_empty: bool = False) -> str:
    # Browsers send two letters for the end of a line.
    text = form.get(name, "").replace("\r\n", "\n").strip()
    if not text and not may_be_empty:
        refusals[name] = Refusal("missing")
    elif len(text) > longest:
        refusals[name] = Refusal("too_long", {"most": str(longest)})
    return text


def _link(form: Form, refusals: dict[str, Refusal]) -> str:
    text = form.get("link", "").strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, user = parts.hostname, parts.username
    except ValueError:
        host, user, parts = None, None, urlsplit("")
    if parts.scheme != "https" or not host or user is not None or not text.isprintable() or " " in text:
        refusals["link"] = Refusal("not_a_link")
    elif len(text) > LONGEST_LINK:
        refusals["link"] = Refusal("too_long", {"most": str(LONGEST_LINK)})
    return text
