"""Reads ``eligibility/``, ``schedules/`` and ``checklists/*.toml``, strictly: what is unknown or missing is refused.

eligibility  id, version, title, programmes, signed_by (optional), [[questions]] id, text, why,
             answers = [{ id, text, effect = "none"|"asks_doctor"|"excludes" }]
schedules    id, version, title, programmes, slots = [{ kind, at, before_h, after_h, weekdays (optional) }]
checklists   kind, version, title, readings, [[items]] id, text

``programmes`` empty: for every programme that has none of its own.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from cloud.admission.models import Answer, Checklist, Effect, EligibilityForm, Item, Question, Template
from cloud.planning.models import SlotEntry
from device_drivers.readings import Kind

HERE: Final = Path(__file__).parent
WEEK: Final = tuple(range(7))


class BadForm(Exception):
    """The file cannot be used; the message says where."""


class _OfProgrammes(Protocol):
    @property
    def programmes(self) -> frozenset[str]: ...


_T = TypeVar("_T")
_P = TypeVar("_P", bound=_OfProgrammes)


def parse_eligibility(text: str) -> EligibilityForm:
    """BadForm where it cannot be filled in, or can exclude nobody."""
    form = _parsed(text, _eligibility)
    _distinct(form.form_id, [question.question_id for question in form.questions])
    for question in form.questions:
        _distinct(question.question_id, [answer.answer_id for answer in question.answers])
        if len(question.answers) < 2:
            raise BadForm(f"{question.question_id}: a question has at least two answers")
    if not any(answer.effect is Effect.EXCLUDES for question in form.questions for answer in question.answers):
        raise BadForm(f"{form.form_id}: no answer excludes anybody")
    return form


def parse_template(text: str) -> Template:
    """BadForm where nothing would be measured."""
    template = _parsed(text, _template)
    if not template.slots:
        raise BadForm(f"{template.template_id}: nothing is measured")
    return template


def parse_checklist(text: str) -> Checklist:
    """BadForm where it asks for nothing."""
    checklist = _parsed(text, _checklist)
    _distinct(checklist.kind, [item.item_id for item in checklist.items])
    if not checklist.items or checklist.readings < 1:
        raise BadForm(f"{checklist.kind}: at least one point and one reading")
    return checklist


@cache
def eligibility_forms() -> tuple[EligibilityForm, ...]:
    """Those that come with this version."""
    return _all("eligibility", parse_eligibility)


@cache
def templates() -> tuple[Template, ...]:
    """Those that come with this version."""
    return _all("schedules", parse_template)


@cache
def checklists() -> Mapping[str, Checklist]:
    """By the kind of measurement; BadForm: one lacks a list."""
    found = {checklist.kind: checklist for checklist in _all("checklists", parse_checklist)}
    if lacking := {kind.value for kind in Kind} - set(found):
        raise BadForm(f"nothing says how to teach {', '.join(sorted(lacking))}")
    return found


def form_of(programme_id: str) -> EligibilityForm:
    """The form of this programme."""
    return for_programme(eligibility_forms(), programme_id)[0]


def for_programme(found: Sequence[_P], programme_id: str) -> Sequence[_P]:
    """Those of this programme; where it has none of its own, those of every other."""
    own = [one for one in found if programme_id in one.programmes]
    return own or [one for one in found if not one.programmes]


def chosen(found: Iterable[Template], template_id: str) -> Template | None:
    """The template of this id among those offered; None: there is none."""
    return next((one for one in found if one.template_id == template_id), None)


def texts() -> Iterable[tuple[str, str]]:
    """File and English text of all that is read of them, for the translators."""
    for form in eligibility_forms():
        name = f"cloud/admission/eligibility/{form.form_id}.toml"
        for question in form.questions:
            yield from ((name, text) for text in (question.text, question.why, *(a.text for a in question.answers)))
        yield name, form.title
    for template in templates():
        yield f"cloud/admission/schedules/{template.template_id}.toml", template.title
    for checklist in checklists().values():
        name = f"cloud/admission/checklists/{checklist.kind}.toml"
        yield from ((name, text) for text in (checklist.title, *(item.text for item in checklist.items)))


def _all(folder: str, parse: Callable[[str], _T]) -> tuple[_T, ...]:
    return tuple(parse(path.read_text(encoding="utf-8")) for path in sorted((HERE / folder).glob("*.toml")))


def _parsed(text: str, make: Callable[[dict[str, Any]], _T]) -> _T:
    try:
        data = tomllib.loads(text)
        made = make(data)
    except (KeyError, TypeError, ValueError) as error:
        raise BadForm(f"missing or of the wrong kind: {error}") from error
    if data:
        raise BadForm(f"unknown: {', '.join(data)}")
    return made


def _eligibility(data: dict[str, Any]) -> EligibilityForm:
    return EligibilityForm(
        form_id=data.pop("id"),
        version=data.pop("version"),
        title=data.pop("title"),
        programmes=frozenset(data.pop("programmes")),
        signed_by=data.pop("signed_by", None),
        questions=tuple(_question(one) for one in data.pop("questions")),
    )


def _question(data: Mapping[str, Any]) -> Question:
    return Question(
        question_id=data["id"],
        text=data["text"],
        why=data["why"],
        answers=tuple(
            Answer(answer_id=one["id"], text=one["text"], effect=Effect(one.get("effect", "none")))
            for one in data["answers"]
        ),
    )


def _template(data: dict[str, Any]) -> Template:
    return Template(
        template_id=data.pop("id"),
        version=data.pop("version"),
        title=data.pop("title"),
        programmes=frozenset(data.pop("programmes")),
        slots=tuple(
            SlotEntry(
                kind=Kind(one["kind"]),
                at=time.fromisoformat(one["at"]),
                weekdays=tuple(one.get("weekdays", WEEK)),
                before=timedelta(hours=one["before_h"]),
                after=timedelta(hours=one["after_h"]),
            )
            for one in data.pop("slots")
        ),
    )


def _checklist(data: dict[str, Any]) -> Checklist:
    return Checklist(
        kind=Kind(data.pop("kind")).value,
        version=data.pop("version"),
        title=data.pop("title"),
        readings=data.pop("readings"),
        items=tuple(Item(item_id=one["id"], text=one["text"]) for one in data.pop("items")),
    )


def _distinct(name: str, ids: Sequence[str]) -> None:
    if len(ids) != len(set(ids)):
        raise BadForm(f"{name}: an id of its own each")
