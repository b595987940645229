"""What people type about visits, read and checked. Pure; Refused with all that is wrong at once."""

from datetime import UTC, date, datetime, timedelta, tzinfo
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
    by_day = _day(form.get("by_day", ""))
    if by_day is None:
        refusals["by_day"] = Refusal("not_a_date")
    elif by_day < today:
        refusals["by_day"] = Refusal("past")
    elif by_day > today + AHEAD:
        refusals["by_day"] = Refusal("too_far")
    why = fields.reason(form, refusals, "why")
    if refusals or by_day is None:
        raise Refused("visit", refusals, form)
    return Asked(way=Way(way), by_day=by_day, why=why)


def starts_at(form: Form, zone: tzinfo, now: datetime) -> datetime:
    """``starts_at`` as the patient's clocks will show it. A time that they skip or show twice is asked for again."""
    try:
        local = datetime.fromisoformat(form.get("starts_at", "").strip())
    except ValueError:
        raise _refused(form, "not_a_moment") from None
    if local.tzinfo is not None:
        raise _refused(form, "not_a_moment")
    # Years first: at the edges of the calendar no zone can be reckoned with.
    if local.year < now.year:
        raise _refused(form, "past")
    if local.year > now.year + 2:
        raise _refused(form, "too_far")
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise _refused(form, "clocks_change")
    if first <= now:
        raise _refused(form, "past")
    if first > now + AHEAD:
        raise _refused(form, "too_far")
    return first.astimezone(UTC)


def _refused(form: Form, code: str) -> Refused:
    return Refused("arrange", {"starts_at": Refusal(code)}, form)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
