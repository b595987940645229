"""What is typed about events and groups, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Collection
from datetime import datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

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
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

LONGEST_PLACE: Final = 200
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
    title = fields.text(form, "title", LONGEST_TITLE, refusals)
    plan = fields.text(form, "plan", LONGEST_PLAN, refusals, may_be_empty=True)
    place = fields.text(form, "place", LONGEST_PLACE, refusals, may_be_empty=True)
    link = fields.link(form, "link", refusals)
    if not place and not link and not {"place", "link"} & set(refusals):
        refusals["place"] = Refusal("place_or_link")
    starts_at = fields.to_come(form, "starts_at", zone, now, FURTHEST, refusals)
    minutes = fields.whole(form, "minutes", 1, LONGEST_MINUTES, refusals)
    capacity = fields.whole(form, "capacity", 1, MOST_PLACES, refusals)
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
    name = fields.text(form, "name", LONGEST_NAME, refusals)
    about = fields.text(form, "about", LONGEST_ABOUT, refusals, may_be_empty=True)
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
    shown_as = fields.text(form, "shown_as", LONGEST_SHOWN_AS, refusals, may_be_empty=True)
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
    said = fields.text(form, "said", LONGEST_SAID, refusals, may_be_empty=True)
    if refusals:
        raise Refused("evaluation", refusals, form)
    return Evaluation(useful=marks["useful"], clear=marks["clear"], said=said)


def _audience(
    form: Form, groups: Collection[UUID], refusals: dict[str, Refusal]
) -> tuple[Audience | None, UUID | None]:
    chosen = form.get("audience", "")
    if chosen in (Audience.ALL, Audience.INVITED):
        return Audience(chosen), None
    group_id = fields.id_of(chosen)
    if group_id is None or group_id not in groups:
        refusals["audience"] = Refusal("choose")
        return None, None
    return Audience.GROUP, group_id
