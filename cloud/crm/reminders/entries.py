"""What is typed about reminders, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Collection
from datetime import time
from uuid import UUID

from cloud.crm.reminders.models import Kind
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused


def choice(form: Form) -> tuple[Kind, bool]:
    """``kind`` and ``on``: yes or no."""
    if form.get("kind", "") not in tuple(Kind) or form.get("on", "") not in ("yes", "no"):
        raise Refused("remind", {"kind": Refusal("choose")}, form)
    return Kind(form["kind"]), form["on"] == "yes"


def dose(form: Form, known: Collection[UUID]) -> tuple[UUID, time]:
    """``medication`` and ``at`` (HH:MM)."""
    refusals: dict[str, Refusal] = {}
    medication = fields.chosen(form, "medication", {one: one for one in known}, refusals)
    at = fields.clock(form, "at", refusals)
    if medication is None or at is None:
        raise Refused("dose", refusals, form)
    return medication, at
