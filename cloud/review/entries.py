"""The form that asks for both sides of a change, read and checked. Pure."""

from datetime import date, timedelta
from typing import Final

from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.review.models import LENGTHS, Change

FORM: Final = "compare"
# Whoever asks for more has mistyped the year.
LONGEST_AGO: Final = timedelta(days=2 * 366)


def change(form: Form, today: date) -> Change:
    """The day of the change, the day from which its effect is looked at (else the same), and how many days. Refused."""
    refusals: dict[str, Refusal] = {}
    changed_on = _day(form, "changed_on", today, refusals)
    again_from = _day(form, "again_from", today, refusals) if form.get("again_from", "").strip() else changed_on
    days = form.get("days", "")
    if days not in {str(length) for length in LENGTHS}:
        refusals["days"] = Refusal("choose")
    if changed_on is not None and again_from is not None and again_from < changed_on:
        refusals["again_from"] = Refusal("before_the_change")
    if refusals or changed_on is None or again_from is None:
        raise Refused(FORM, refusals, form)
    return Change(changed_on=changed_on, again_from=again_from, days=int(days))


def _day(form: Form, name: str, today: date, refusals: dict[str, Refusal]) -> date | None:
    return fields.day(form, name, today - LONGEST_AGO, today, refusals, early="too_far", late="future")
