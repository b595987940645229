"""What is typed about follow-ups, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from cloud.crm.followups.models import Discharge, State, Step, What
from cloud.crm.followups.templates import LONGEST_DAYS, all_plans
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

# Instructions that a form has room for.
ROWS: Final = 6
# A summary of longer ago asks for nothing any more.
BACK: Final = timedelta(days=90)
SENT: Final = "questionnaire:"


def discharge(form: Form, today: date, questionnaires: Mapping[str, object]) -> Discharge:
    """``discharged_on``, ``about``, and up to ROWS of ``what_n``, ``days_n``, ``note_n``."""
    refusals: dict[str, Refusal] = {}
    day = fields.day(form, "discharged_on", today - BACK, today, refusals)
    about = fields.reason(form, refusals, "about")
    steps = [
        step
        for n in range(ROWS)
        if form.get(f"what_{n}", "") and (step := _row(form, n, questionnaires, refusals)) is not None
    ]
    if not steps and not refusals:
        refusals["what_0"] = Refusal("no_instruction")
    if refusals or day is None:
        raise Refused("discharge", refusals, form)
    return Discharge(discharged_on=day, about=about, steps=steps)


def plan(form: Form, today: date) -> tuple[str, date]:
    """``plan`` and ``begins_on``."""
    refusals: dict[str, Refusal] = {}
    day = fields.day(form, "begins_on", today - BACK, today + BACK, refusals)
    if form.get("plan", "") not in {one.plan_id for one in all_plans()}:
        refusals["plan"] = Refusal("choose")
    if refusals or day is None:
        raise Refused("plan", refusals, form)
    return form["plan"], day


def one(
    form: Form, today: date, questionnaires: Mapping[str, object], team: Mapping[UUID, str]
) -> tuple[Step, date, UUID | None]:
    """``what``, ``due_on``, ``note`` and ``owner`` (empty: the care team)."""
    refusals: dict[str, Refusal] = {}
    day = fields.day(form, "due_on", today, today + timedelta(days=LONGEST_DAYS), refusals)
    note = fields.text(form, "note", fields.LONGEST_REASON, refusals, may_be_empty=True)
    made = step_of(form.get("what", ""), 0, note, questionnaires)
    if made is None:
        refusals["what"] = Refusal("choose")
    owner = next((account_id for account_id in team if str(account_id) == form.get("owner", "")), None)
    if form.get("owner", "") and owner is None:
        refusals["owner"] = Refusal("choose")
    if refusals or day is None or made is None:
        raise Refused("one", refusals, form)
    return made, day, owner


def end(form: Form) -> tuple[State, str]:
    """``state`` done or skipped; why it was skipped."""
    refusals: dict[str, Refusal] = {}
    why = fields.text(form, "why", fields.LONGEST_REASON, refusals, may_be_empty=True)
    if form.get("state", "") not in (State.DONE, State.SKIPPED):
        refusals["state"] = Refusal("choose")
    elif form["state"] == State.SKIPPED and not why:
        refusals["why"] = Refusal("no_reason")
    if refusals:
        raise Refused("end", refusals, form)
    return State(form["state"]), why


def _row(form: Form, n: int, questionnaires: Mapping[str, object], refusals: dict[str, Refusal]) -> Step | None:
    days = fields.whole(form, f"days_{n}", 0, LONGEST_DAYS, refusals)
    if days is None:
        return None
    note = fields.text(form, f"note_{n}", fields.LONGEST_REASON, refusals, may_be_empty=True)
    made = step_of(form[f"what_{n}"], days, note, questionnaires)
    if made is None:
        refusals[f"what_{n}"] = Refusal("choose")
    return made


def step_of(what: str, days: int, note: str, questionnaires: Mapping[str, object]) -> Step | None:
    if what.startswith(SENT):
        named = what.removeprefix(SENT)
        known = named in questionnaires
        return Step(what=What.QUESTIONNAIRE, after_days=days, questionnaire=named, note=note.strip()) if known else None
    if what not in (What.CALL, What.VISIT, What.CHECK):
        return None
    return Step(what=What(what), after_days=days, note=note.strip())
