"""Reads ``scripts/*.toml``, strictly: a script that leads nowhere, in a circle, or past its questions is refused.

id, version, title, conditions, first, signed_by (optional), changed (from the second version on)
[questions.<id>]  text, answers = [{ id, text, to }]
[ends.<id>]       text, and disposition or escalate_to

A new version takes the place of the one before, which goes to ``scripts/earlier``: cases were worked by it.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from alerting.dispositions import Disposition
from cloud.triage.models import Answer, End, Question, Script

FOLDER: Final = Path(__file__).parent / "scripts"
EARLIER: Final = FOLDER / "earlier"
ESCALATES_TO: Final = ("doctor", "lead_nurse")


class BadScript(Exception):
    """The script cannot be walked through; the message says where."""


def parse(text: str) -> Script:
    """A script from its TOML. BadScript where anything is unknown, missing or unreachable."""
    try:
        data = tomllib.loads(text)
        script = Script(
            script_id=data.pop("id"),
            version=data.pop("version"),
            title=data.pop("title"),
            conditions=frozenset(data.pop("conditions")),
            first=data.pop("first"),
            signed_by=data.pop("signed_by", None),
            questions={name: _question(name, one) for name, one in data.pop("questions").items()},
            ends={name: _end(name, one) for name, one in data.pop("ends").items()},
            changed=data.pop("changed", ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadScript(f"missing or of the wrong kind: {error}") from error
    if data:
        raise BadScript(f"unknown: {', '.join(data)}")
    if (script.version == 1) != (script.changed == ""):
        raise BadScript("from the second version on, and no earlier, a script says what changed")
    _check(script)
    return script


@cache
def all_scripts() -> tuple[Script, ...]:
    """Those that come with this version, by their file's name. BadScript: two speak of one condition."""
    found = tuple(parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml")))
    conditions = [condition for script in found for condition in script.conditions]
    if len(conditions) != len(set(conditions)):
        raise BadScript("two scripts speak of one condition")
    return found


@cache
def all_versions() -> tuple[Script, ...]:
    """Those in force and all before them, by id, the newest first. BadScript: an earlier one is none."""
    earlier = [parse(path.read_text(encoding="utf-8")) for path in sorted(EARLIER.glob("*.toml"))]
    now = {script.script_id: script.version for script in all_scripts()}
    for script in earlier:
        if script.version >= now.get(script.script_id, 0):
            raise BadScript(f"{script.script_id} {script.version} is not earlier than the one in force")
    found = sorted((*all_scripts(), *earlier), key=lambda one: (one.script_id, -one.version))
    if len({(one.script_id, one.version) for one in found}) != len(found):
        raise BadScript("two of one id and version")
    return tuple(found)


def version_of(script_id: str, version: int) -> Script | None:
    """None: this software does not have it."""
    return next((one for one in all_versions() if (one.script_id, one.version) == (script_id, version)), None)


def script_for(condition: str) -> Script | None:
    """The script of this condition; None where there is none."""
    return next((script for script in all_scripts() if condition in script.conditions), None)


def texts(script: Script) -> list[str]:
    """All that is read of it, for the translators."""
    return [
        script.title,
        *((script.changed,) if script.changed else ()),
        *(text for one in script.questions.values() for text in (one.text, *(answer.text for answer in one.answers))),
        *(end.text for end in script.ends.values()),
    ]


def _question(name: str, data: Mapping[str, Any]) -> Question:
    answers = tuple(Answer(answer_id=one["id"], text=one["text"], to=one["to"]) for one in data["answers"])
    return Question(question_id=name, text=data["text"], answers=answers)


def _end(name: str, data: Mapping[str, Any]) -> End:
    disposition = data.get("disposition")
    return End(
        end_id=name,
        text=data["text"],
        disposition=Disposition(disposition) if disposition is not None else None,
        escalate_to=data.get("escalate_to"),
    )


def _check(script: Script) -> None:
    for end in script.ends.values():
        if (end.disposition is None) == (end.escalate_to is None) or end.escalate_to not in (None, *ESCALATES_TO):
            raise BadScript(f"{end.end_id}: an end closes the case or escalates it to one of {', '.join(ESCALATES_TO)}")
    seen: set[str] = set()
    _follow(script, script.first, (), seen)
    if unreached := ({*script.questions, *script.ends} - seen):
        raise BadScript(f"nothing leads to {', '.join(sorted(unreached))}")


def _follow(script: Script, name: str, before: tuple[str, ...], seen: set[str]) -> None:
    if name in before:
        raise BadScript(f"{name} leads back to itself")
    seen.add(name)
    if name in script.ends:
        return
    if name not in script.questions:
        raise BadScript(f"{before[-1] if before else 'first'} leads to {name}, which does not exist")
    answers = script.questions[name].answers
    if len(answers) < 2 or len({answer.answer_id for answer in answers}) != len(answers):
        raise BadScript(f"{name}: a question has at least two answers, each with an id of its own")
    for answer in answers:
        _follow(script, answer.to, (*before, name), seen)
