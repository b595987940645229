"""What people type about visits, read and checked. Pure; Refused with all that is wrong at once."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.visits.models import Asked, Way

# Further ahead a slip in the year is more likely than a plan.
AHEAD: Final = timedelta(days=366)


def asked(form: Form, today: date) -> Asked:
    """``way``, ``by_day`` from today on, and ``why``."""
    refusals: dict[str, Refusal] = {}
    way = form.get("way", "")
    if way not in tuple(Way):
        refusals["way"] = Refusal("missing")
    by_day = fields.day(form, "by_day", today, today + AHEAD, refusals)
    why = fields.reason(form, refusals, "why")
    if refusals or by_day is None:
        raise Refused("visit", refusals, form)
    return Asked(way=Way(way), by_day=by_day, why=why)


def starts_at(form: Form, zone: tzinfo, now: datetime) -> datetime:
    """``starts_at`` as the patient's clocks will show it. A time that they skip or show twice is asked for again."""
    refusals: dict[str, Refusal] = {}
    found = fields.to_come(form, "starts_at", zone, now, AHEAD, refusals)
    if found is None:
        raise Refused("arrange", refusals, form)
    return found
