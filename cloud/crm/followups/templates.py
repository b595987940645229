"""Reads ``plans/*.toml``, strictly: id, version, title, steps = [{ what, after_days, questionnaire, note }]."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from cloud.crm.followups.models import Plan, Step, What

FOLDER: Final = Path(__file__).parent / "plans"
LONGEST_DAYS: Final = 365


class BadPlan(Exception):
    """It cannot be used; the message says why."""


def parse(text: str) -> Plan:
    """A plan from its TOML. BadPlan."""
    try:
        data = tomllib.loads(text)
        made = Plan(
            plan_id=data.pop("id"),
            version=data.pop("version"),
            title=data.pop("title"),
            steps=tuple(_step(one) for one in data.pop("steps")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadPlan(f"missing or of the wrong kind: {error}") from error
    if data or not made.steps:
        raise BadPlan(f"unknown: {', '.join(data)}" if data else "there are no steps")
    return made


@cache
def all_plans() -> tuple[Plan, ...]:
    """Those that come with this software, by their file's name. BadPlan."""
    return tuple(parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml")))


def plan(plan_id: str) -> Plan | None:
    return next((one for one in all_plans() if one.plan_id == plan_id), None)


def texts() -> list[str]:
    """All that is read of them, for the translators."""
    return [text for one in all_plans() for text in (one.title, *(step.note for step in one.steps if step.note))]


def _step(data: dict[str, Any]) -> Step:
    made = Step(**{**data, "what": What(data["what"])})
    if not 0 <= made.after_days <= LONGEST_DAYS or (made.what is What.QUESTIONNAIRE) != bool(made.questionnaire):
        raise ValueError(f"step {data}")
    return made
