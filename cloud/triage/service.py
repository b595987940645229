"""Where somebody stands in the script of a case. Steps are taken with the case locked: ``cloud.centre``."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.triage import store
from cloud.triage.models import Script, Triage, Walk
from cloud.triage.scripts import script_for

Connection = AsyncConnection[Any]


async def triage(conn: Connection, case_id: UUID, condition: str) -> Triage | None:
    """The script of the condition and how far somebody is; None: there is none. The caller has checked.

    A walk through another version of the script is begun anew: its questions may be others.
    """
    script = script_for(condition)
    return None if script is None else standing(script, await store.latest(conn, case_id))


def standing(script: Script, walk: Walk | None) -> Triage:
    """What comes now."""
    if walk is None or (walk.script, walk.version) != (script.script_id, script.version):
        return Triage(script=script, walk=None, answered=(), question=script.questions[script.first], end=None)
    place = script.first
    answered: list[tuple[str, str]] = []
    for step in walk.path:
        question = script.questions[step["question"]]
        answer = next(one for one in question.answers if one.answer_id == step["answer"])
        answered.append((question.text, answer.text))
        place = answer.to
    return Triage(
        script=script,
        walk=walk,
        answered=answered,
        question=script.questions.get(place),
        end=script.ends.get(place),
    )


def summary(answered: Sequence[tuple[str, str]]) -> str:
    """The answers in one line, for the note of whoever acts on them."""
    return "; ".join(f"{question} {answer}" for question, answer in answered)
