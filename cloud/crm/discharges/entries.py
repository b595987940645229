"""What is typed over a document before it is taken, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from cloud.crm.followups.entries import BACK, step_of
from cloud.crm.followups.models import Step
from cloud.crm.followups.templates import LONGEST_DAYS
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

FORM: Final = "take"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """``is_same``: somebody says that the document's number is this patient's."""

    discharged_on: date
    about: str
    is_same: bool
    steps: Sequence[tuple[Step, date]]


def taken(form: Form, count: int, today: date, questionnaires: Mapping[str, object]) -> Taken:
    """``discharged_on``, ``about``, ``same``, and of each of ``count`` instructions ``take_n``, ``what_n``, ``on_n``,
    ``note_n``.
    """
    refusals: dict[str, Refusal] = {}
    left = fields.day(form, "discharged_on", today - BACK, today, refusals)
    about = fields.reason(form, refusals, "about")
    wanted = [n for n in range(count) if form.get(f"take_{n}") == "yes"]
    # What is no day of a discharge is no day to count from.
    rows = [_row(form, n, left or today, questionnaires, refusals) for n in wanted]
    if not wanted:
        refusals["take_0"] = Refusal("no_instruction")
    if refusals or left is None:
        raise Refused(FORM, refusals, form)
    return Taken(
        discharged_on=left,
        about=about,
        is_same=form.get("same") == "yes",
        steps=[row for row in rows if row is not None],
    )


def _row(
    form: Form, n: int, left: date, questionnaires: Mapping[str, object], refusals: dict[str, Refusal]
) -> tuple[Step, date] | None:
    on = fields.day(form, f"on_{n}", left, left + timedelta(days=LONGEST_DAYS), refusals)
    note = fields.text(form, f"note_{n}", fields.LONGEST_REASON, refusals, may_be_empty=True)
    step = step_of(form.get(f"what_{n}", ""), 0, note, questionnaires)
    if step is None:
        refusals[f"what_{n}"] = Refusal("choose")
    return (step, on) if step is not None and on is not None else None


def aside(form: Form) -> str:
    """Why it is of no use. Refused."""
    refusals: dict[str, Refusal] = {}
    why = fields.reason(form, refusals, "why")
    if refusals:
        raise Refused("aside", refusals, form)
    return why
