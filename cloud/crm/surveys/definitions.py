"""Reads ``forms/*.toml``: written as questionnaires are (``cloud.crm.questionnaires.definitions``), with a ``mark`` of
1 to 5 at each answer, and without a flag or a concern. One to three questions: whoever is asked more answers none.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from cloud.crm.questionnaires.definitions import BadQuestionnaire, read
from cloud.crm.surveys.models import Survey

FOLDER: Final = Path(__file__).parent / "forms"
MOST_QUESTIONS: Final = 3


def parse(text: str) -> Survey:
    """A survey from its TOML. BadQuestionnaire."""
    try:
        data = tomllib.loads(text)
        marks = {(q["id"], one["id"]): _mark(one) for q in data["questions"] for one in q["answers"]}
    except (KeyError, TypeError, ValueError) as error:
        raise BadQuestionnaire(f"missing or of the wrong kind: {error}") from error
    form = read(data)
    if len(form.questions) > MOST_QUESTIONS:
        raise BadQuestionnaire(f"more than {MOST_QUESTIONS} questions")
    if any(choice.flag or choice.concern for question in form.questions for choice in question.choices):
        raise BadQuestionnaire("an answer of a survey raises nothing: ask that in a questionnaire")
    return Survey(form=form, marks=marks)


@cache
def all_versions() -> tuple[Survey, ...]:
    """Those that come with this software. BadQuestionnaire: two of one id and version."""
    found = tuple(parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml")))
    if len({(one.form.questionnaire_id, one.form.version) for one in found}) != len(found):
        raise BadQuestionnaire("two of one id and version")
    return found


def asked_on(day: date) -> Mapping[str, Survey]:
    """Of each the version that is asked on this day."""
    found: dict[str, Survey] = {}
    for one in sorted(all_versions(), key=lambda each: (each.form.since, each.form.version)):
        if one.form.since <= day:
            found[one.form.questionnaire_id] = one
    return found


def version_of(survey: str, version: int) -> Survey | None:
    """None: this software does not have it."""
    return next((o for o in all_versions() if (o.form.questionnaire_id, o.form.version) == (survey, version)), None)


def texts() -> list[str]:
    """All that is read of them, for the translators."""
    return [
        text
        for one in (each.form for each in all_versions())
        for text in (
            one.title,
            one.intro,
            *(said for q in one.questions for said in (q.text, *(choice.text for choice in q.choices))),
        )
    ]


def _mark(answer: dict[str, Any]) -> int:
    mark = answer.pop("mark")
    if not isinstance(mark, int) or not 1 <= mark <= 5:
        raise ValueError(f"{mark!r} is no mark")
    return mark
