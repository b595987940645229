"""What people type about minutes and months, read and checked. Pure; Refused with all that is wrong at once."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from cloud.crm.billing.models import LIVE, Activity, Entry, Month
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from device_drivers.wall_clocks import Zones

# Longer than that nobody looks after one patient without a break (proposal).
MOST_MINUTES: Final = 240
LONGEST_NOTE: Final = 500
# Evidence of half a year ago is nobody's memory any more (proposal).
OLDEST: Final = timedelta(days=190)


def month(text: str, today: date) -> Month:
    """``2026-10``; the month of today for whatever else was sent."""
    return Month(fields.month(text) or today.replace(day=1))


def minutes(form: Form, zones: Zones, now: datetime) -> Entry:
    """``starts_at`` on the patient's clock, ``minutes``, ``activity``, ``interactive`` and ``note``."""
    refusals: dict[str, Refusal] = {}
    activity = form.get("activity", "")
    if activity not in tuple(Activity):
        refusals["activity"] = Refusal("missing")
    many = fields.whole(form, "minutes", 1, MOST_MINUTES, refusals) or 1
    starts = _moment(form.get("starts_at", ""), zones, now, timedelta(minutes=many), refusals)
    interactive = form.get("interactive") == "yes"
    if interactive and activity not in LIVE:
        refusals["interactive"] = Refusal("not_live")
    note = fields.text(form, "note", LONGEST_NOTE, refusals, may_be_empty=True)
    if refusals or starts is None:
        raise Refused("minutes", refusals, form)
    return Entry(
        starts=starts,
        ends=starts + timedelta(minutes=many),
        activity=Activity(activity),
        interactive=interactive,
        note=note,
    )


def _moment(text: str, zones: Zones, now: datetime, length: timedelta, refusals: dict[str, Refusal]) -> datetime | None:
    local = fields.wall_clock(text)
    if local is None:
        code = "not_a_moment"
    # Years first: at the edges of the calendar no zone can be reckoned with.
    elif local.year > now.year + 1:
        code = "not_yet"
    elif local.year < now.year - 1:
        code = "too_long_ago"
    else:
        found = zones.instants(local)
        if len(found) != 1:
            code = "clocks_change"
        elif found[0] + length > now:
            code = "not_yet"
        elif found[0] < now - OLDEST:
            code = "too_long_ago"
        else:
            return found[0].astimezone(UTC)
    refusals["starts_at"] = Refusal(code)
    return None
