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
    day = day_of(form, "discharged_on", today - BACK, today, refusals)
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
    day = day_of(form, "begins_on", today - BACK, today + BACK, refusals)
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
    day = day_of(form, "due_on", today, today + timedelta(days=LONGEST_DAYS), refusals)
    made = step_of(form.get("what", ""), 0, form.get("note", ""), questionnaires)
    if made is None:
        refusals["what"] = Refusal("choose")
    if len(form.get("note", "")) > fields.LONGEST_REASON:
        refusals["note"] = Refusal("too_long", {"most": str(fields.LONGEST_REASON)})
    owner = next((account_id for account_id in team if str(account_id) == form.get("owner", "")), None)
    if form.get("owner", "") and owner is None:
        refusals["owner"] = Refusal("choose")
    if refusals or day is None or made is None:
        raise Refused("one", refusals, form)
    return made, day, owner


def end(form: Form) -> tuple[State, str]:
    """``state`` done or skipped; why it was skipped."""
    why = form.get("why", "").strip()
    refusals: dict[str, Refusal] = {}
    if form.get("state", "") not in (State.DONE, State.SKIPPED):
        refusals["state"] = Refusal("choose")
    elif form["state"] == State.SKIPPED and not why:
        refusals["why"] = Refusal("no_reason")
    if len(why) > fields.LONGEST_REASON:
        refusals["why"] = Refusal("too_long", {"most": str(fields.LONGEST_REASON)})
    if refusals:
        raise Refused("end", refusals, form)
    return State(form["state"]), why


def _row(form: Form, n: int, questionnaires: Mapping[str, object], refusals: dict[str, Refusal]) -> Step | None:
    days, note = form.get(f"days_{n}", "").strip(), form.get(f"note_{n}", "").strip()
    if not (days.isascii() and days.isdigit() and len(days) <= 3 and int(days) <= LONGEST_DAYS):
        refusals[f"days_{n}"] = Refusal("out_of_range", {"low": "0", "high": str(LONGEST_DAYS)})
        return None
    if len(note) > fields.LONGEST_REASON:
        refusals[f"note_{n}"] = Refusal("too_long", {"most": str(fields.LONGEST_REASON)})
    made = step_of(form[f"what_{n}"], int(days), note, questionnaires)
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


def day_of(form: Form, name: str, first: date, last: date, refusals: dict[str, Refusal]) -> date | None:
    try:
        day = date.fromisoformat(form.get(name, "").strip())
    except ValueError:
        refusals[name] = Refusal("not_a_date")
        return None
    if day < first:
        refusals[name] = Refusal("past")
    elif day > last:
        refusals[name] = Refusal("too_far")
    return day
