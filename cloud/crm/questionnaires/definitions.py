"""Reads ``forms/*.toml``, strictly: a questionnaire with an unknown key, a lone answer or a double id is refused.

id, version, since, title, intro
[[questions]] id, text, answers = [{ id, text, flag (of RedFlag) or concern (of Concern), or neither }]

What was sent keeps its version: an older file stays where it is, and a later one is asked from its day on.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from alerting.reasons import Concern, RedFlag
from cloud.crm.questionnaires.models import Choice, Question, Questionnaire

FOLDER: Final = Path(__file__).parent / "forms"


class BadQuestionnaire(Exception):
    """It cannot be asked; the message says where."""


def parse(text: str) -> Questionnaire:
    """A questionnaire from its TOML. BadQuestionnaire."""
    try:
        return read(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadQuestionnaire(f"no TOML: {error}") from error


def read(data: dict[str, Any]) -> Questionnaire:
    """The same from what TOML says, which is used up. BadQuestionnaire."""
    try:
        made = Questionnaire(
            questionnaire_id=data.pop("id"),
            version=data.pop("version"),
            since=_day(data.pop("since")),
            title=data.pop("title"),
            intro=data.pop("intro"),
            questions=tuple(_question(one) for one in data.pop("questions")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadQuestionnaire(f"missing or of the wrong kind: {error}") from error
    if data:
        raise BadQuestionnaire(f"unknown: {', '.join(data)}")
    ids = [one.question_id for one in made.questions]
    if not ids or len(set(ids)) != len(ids):
        raise BadQuestionnaire("there are no questions, or two of one id")
    return made


@cache
def all_versions() -> tuple[Questionnaire, ...]:
    """Those that come with this software. BadQuestionnaire: two of one id and version."""
    found = tuple(parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml")))
    if len({(one.questionnaire_id, one.version) for one in found}) != len(found):
        raise BadQuestionnaire("two of one id and version")
    return found


def asked_on(day: date) -> Mapping[str, Questionnaire]:
    """Of each the version that is asked on this day."""
    found: dict[str, Questionnaire] = {}
    for one in sorted(all_versions(), key=lambda each: (each.since, each.version)):
        if one.since <= day:
            found[one.questionnaire_id] = one
    return found


def version_of(questionnaire_id: str, version: int) -> Questionnaire | None:
    """None: this software does not have it."""
    return next((o for o in all_versions() if (o.questionnaire_id, o.version) == (questionnaire_id, version)), None)


def texts() -> list[str]:
    """All that is read of them, for the translators."""
    return [
        text
        for one in all_versions()
        for text in (
            one.title,
            one.intro,
            *(said for q in one.questions for said in (q.text, *(choice.text for choice in q.choices))),
        )
    ]


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise ValueError(f"{value!r} is no day")
    return value


def _question(data: dict[str, Any]) -> Question:
    choices = tuple(_choice(dict(one)) for one in data["answers"])
    if set(data) != {"id", "text", "answers"} or len({one.answer_id for one in choices}) != len(choices):
        raise ValueError(f"question {data.get('id')}")
    if len(choices) < 2:
        raise ValueError(f"question {data['id']} has one answer")
    return Question(question_id=data["id"], text=data["text"], choices=choices)


def _choice(data: dict[str, Any]) -> Choice:
    flag, concern = data.pop("flag", None), data.pop("concern", None)
    made = Choice(
        answer_id=data.pop("id"),
        text=data.pop("text"),
        flag=RedFlag(flag) if flag else None,
        concern=Concern(concern) if concern else None,
    )
    if data or (flag and concern):
        raise ValueError(f"answer {made.answer_id}")
    return made
