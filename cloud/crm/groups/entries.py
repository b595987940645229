"""What is typed about events and groups, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Collection
from datetime import datetime, timedelta, tzinfo
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from alerting.duty import instant_of
from cloud.crm.groups.models import (
    LONGEST_ABOUT,
    LONGEST_NAME,
    LONGEST_PLAN,
    LONGEST_SAID,
    LONGEST_SHOWN_AS,
    LONGEST_TITLE,
    MARKS,
    MOST_PLACES,
    Audience,
    Evaluation,
    Kind,
    NewEvent,
)
from cloud.language.languages import LANGUAGES
from cloud.plans.fields import Form, Refusal, Refused

LONGEST_PLACE: Final = 200
LONGEST_LINK: Final = 500
LONGEST_MINUTES: Final = 720
# Whoever writes 2062 instead of 2026 hears of it.
FURTHEST: Final = timedelta(days=2 * 366)


def event(form: Form, zone: tzinfo, now: datetime, groups: Collection[UUID]) -> NewEvent:
    """``kind``, ``title``, ``plan``, ``language``, ``place``, ``link``, ``starts_at`` on the clinic's clock,
    ``minutes``, ``capacity``, ``audience`` (all, invited, or a group's id).
    """
    refusals: dict[str, Refusal] = {}
    for name, choices in (("kind", tuple(Kind)), ("language", tuple(LANGUAGES))):
        if form.get(name, "") not in choices:
            refusals[name] = Refusal("choose")
    title = _text(form, "title", LONGEST_TITLE, refusals)
    plan = _text(form, "plan", LONGEST_PLAN, refusals, may_be_empty=True)
    place = _text(form, "place", LONGEST_PLACE, refusals, may_be_empty=True)
    link = _link(form, refusals)
    if not place and not link and not {"place", "link"} & set(refusals):
        refusals["place"] = Refusal("place_or_link")
    starts_at = _moment(form, zone, now, refusals)
    minutes = _number(form, "minutes", LONGEST_MINUTES, refusals)
    capacity = _number(form, "capacity", MOST_PLACES, refusals)
    audience, group_id = _audience(form, groups, refusals)
    if refusals or starts_at is None or minutes is None or capacity is None or audience is None:
        raise Refused("event", refusals, form)
    return NewEvent(
        kind=Kind(form["kind"]),
        title=title,
        plan=plan,
        language=form["language"],
        place=place,
        link=link,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        capacity=capacity,
        audience=audience,
        group_id=group_id,
    )


def group(form: Form, programmes: Collection[str]) -> tuple[str, str, str | None]:
    """``name``, ``about``, ``programme`` (empty: of none)."""
    refusals: dict[str, Refusal] = {}
    name = _text(form, "name", LONGEST_NAME, refusals)
    about = _text(form, "about", LONGEST_ABOUT, refusals, may_be_empty=True)
    programme = form.get("programme", "")
    if programme and programme not in programmes:
        refusals["programme"] = Refusal("choose")
    if refusals:
        raise Refused("group", refusals, form)
    return name, about, programme or None


def joining(form: Form) -> tuple[bool, str | None]:
    """``answer`` yes or no, and ``shown_as``: by which name the others may see them; empty: by none."""
    refusals: dict[str, Refusal] = {}
    if form.get("answer", "") not in ("yes", "no"):
        refusals["answer"] = Refusal("choose")
    shown_as = _text(form, "shown_as", LONGEST_SHOWN_AS, refusals, may_be_empty=True)
    if refusals:
        raise Refused("join", refusals, form)
    joins = form["answer"] == "yes"
    return joins, (shown_as or None) if joins else None


def evaluation(form: Form) -> Evaluation:
    """``useful`` and ``clear`` from 1 to 5, ``said``."""
    refusals: dict[str, Refusal] = {}
    marks = {}
    for name in ("useful", "clear"):
        text = form.get(name, "")
        if text not in {str(mark) for mark in MARKS}:
            refusals[name] = Refusal("choose")
        else:
            marks[name] = int(text)
    said = _text(form, "said", LONGEST_SAID, refusals, may_be_empty=True)
    if refusals:
        raise Refused("evaluation", refusals, form)
    return Evaluation(useful=marks["useful"], clear=marks["clear"], said=said)


def id_in(form: Form, name: str) -> UUID | None:
    """None: nothing that a page of ours says."""
    try:
        return UUID(form.get(name, ""))
    except ValueError:
        return None


def _audience(
    form: Form, groups: Collection[UUID], refusals: dict[str, Refusal]
) -> tuple[Audience | None, UUID | None]:
    chosen = form.get("audience", "")
    if chosen in (Audience.ALL, Audience.INVITED):
        return Audience(chosen), None
    group_id = id_in(form, "audience")
    if group_id is None or group_id not in groups:
        refusals["audience"] = Refusal("choose")
        return None, None
    return Audience.GROUP, group_id


def _moment(form: Form, zone: tzinfo, now: datetime, refusals: dict[str, Refusal]) -> datetime | None:
    try:
        there = datetime.fromisoformat(form.get("starts_at", "").strip())
        if there.tzinfo is not None:
            raise ValueError("a page of ours sends a wall clock")
        moment = instant_of(there.date(), there.time(), zone)
    except (ValueError, OverflowError):
        refusals["starts_at"] = Refusal("not_a_moment")
        return None
    if moment <= now:
        refusals["starts_at"] = Refusal("past")
    elif moment > now + FURTHEST:
        refusals["starts_at"] = Refusal("too_far")
    return moment


def _number(form: Form, name: str, most: int, refusals: dict[str, Refusal]) -> int | None:
    text = form.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= most):
        refusals[name] = Refusal("out_of_range", {"low": "1", "high": str(most)})
        return None
    return int(text)


def _text(form: Form, name: str, longest: int, refusals: dict[str, Refusal], *, may_be_empty: bool = False) -> str:
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
