"""What people type about appointments, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from cloud.crm.appointments.models import Booking, NewHours, Plan, Wanted
from cloud.duty.models import Staff
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.visits import entries as visits
from cloud.visits.models import Way

LONGEST_PLACE: Final = 200
SHORTEST_SLOT: Final = 5
LONGEST_SLOT: Final = 240
# Whoever writes 2062 instead of 2026 hears of it.
FURTHEST: Final = timedelta(days=2 * 366)
# Longer than that nobody is told in the morning that they may come.
LONGEST_WAIT: Final = timedelta(days=366)


def hours(form: Form, people: Mapping[UUID, Staff], today: date) -> NewHours:
    """``account_id``, ``way_clinic`` …, ``place``, ``link``, ``weekday_0`` … (none: of the first day alone),
    ``starts``, ``ends``, ``slot_minutes``, ``for_patients``, ``first_day``, ``last_day`` (empty: until they are ended).
    """
    refusals: dict[str, Refusal] = {}
    person = fields.chosen(form, "account_id", people, refusals)
    ways = tuple(way for way in Way if form.get(f"way_{way}"))
    if not ways:
        refusals["ways"] = Refusal("choose")
    place = fields.text(form, "place", LONGEST_PLACE, refusals, may_be_empty=True)
    link_given = fields.link(form, "link", refusals)
    starts, ends = fields.clock(form, "starts", refusals), fields.clock(form, "ends", refusals)
    if starts is not None and ends is not None and ends <= starts:
        refusals["ends"] = Refusal("ends_before_it_begins")
    minutes = fields.whole(form, "slot_minutes", SHORTEST_SLOT, LONGEST_SLOT, refusals)
    first_day = fields.day(form, "first_day", today, today + FURTHEST, refusals)
    last_day = None
    if form.get("last_day", "").strip():
        last_day = fields.day(form, "last_day", today, today + FURTHEST, refusals)
    if first_day is not None and last_day is not None and last_day < first_day:
        refusals["last_day"] = Refusal("ends_before_it_begins")
    if refusals or person is None or starts is None or ends is None or minutes is None or first_day is None:
        raise Refused("hours", refusals, form)
    return NewHours(
        account_id=person.account_id,
        ways=ways,
        place=place,
        link=link_given,
        weekdays=tuple(day for day in range(7) if form.get(f"weekday_{day}")),
        starts=starts,
        ends=ends,
        slot_minutes=minutes,
        for_patients=bool(form.get("for_patients")),
        first_day=first_day,
        last_day=last_day,
    )


def last_day(form: Form, hours_id: UUID, today: date) -> date:
    """The last day on which hours are kept. What is over stays as it was: yesterday is the earliest."""
    refusals: dict[str, Refusal] = {}
    day = fields.day(form, "last_day", today - timedelta(days=1), today + FURTHEST, refusals)
    if day is None:
        raise Refused(f"end-{hours_id}", refusals, form)
    return day


def closure(form: Form, plan: Plan, now: datetime) -> tuple[UUID | None, datetime, datetime]:
    """``account_id`` (empty: nobody is seen by anybody), and ``starts`` and ``ends`` on the site's clock."""
    refusals: dict[str, Refusal] = {}
    person = fields.chosen(form, "account_id", plan.people, refusals) if form.get("account_id") else None
    starts, ends = (fields.moment(form, name, plan.zone, now, FURTHEST, refusals) for name in ("starts", "ends"))
    if starts is not None and ends is not None and ends <= starts:
        refusals["ends"] = Refusal("ends_before_it_begins")
    elif ends is not None and ends <= now:
        refusals["ends"] = Refusal("past")
    if refusals or starts is None or ends is None:
        raise Refused("closure", refusals, form)
    return (None if person is None else person.account_id), starts, ends


def other_time(form: Form, people: Mapping[UUID, Staff], zone: tzinfo, now: datetime) -> Booking:
    """A time outside the hours, agreed on the telephone: ``starts_at`` on the patient's clock, ``minutes``, ``way``,
    ``seen_by``, ``place``, ``link``.
    """
    refusals: dict[str, Refusal] = {}
    starts_at = None
    try:
        starts_at = visits.starts_at(form, zone, now)
    except Refused as refused:
        refusals.update(refused.refusals)
    person = fields.chosen(form, "seen_by", people, refusals)
    minutes = fields.whole(form, "minutes", SHORTEST_SLOT, LONGEST_SLOT, refusals)
    way = _way(form, refusals)
    place = fields.text(form, "place", LONGEST_PLACE, refusals, may_be_empty=True)
    link_given = fields.link(form, "link", refusals)
    if refusals or starts_at is None or person is None or minutes is None or way is None:
        raise Refused("other", refusals, form)
    return Booking(
        seen_by=person.account_id,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        way=way,
        place=place,
        link=link_given if way is Way.VIDEO else "",
    )


def wanted(form: Form, people: Mapping[UUID, Staff], today: date) -> Wanted:
    """``way``, ``seen_by`` (empty: anybody), ``first_day`` and ``last_day`` on the patient's calendar."""
    refusals: dict[str, Refusal] = {}
    way = _way(form, refusals)
    person = fields.chosen(form, "seen_by", people, refusals) if form.get("seen_by") else None
    first, last = (fields.day(form, name, today, today + FURTHEST, refusals) for name in ("first_day", "last_day"))
    if first is not None and last is not None and last < first:
        refusals["last_day"] = Refusal("ends_before_it_begins")
    elif last is not None and last > today + LONGEST_WAIT:
        refusals["last_day"] = Refusal("too_far")
    if refusals or way is None or first is None or last is None:
        raise Refused("wish", refusals, form)
    return Wanted(way=way, seen_by=None if person is None else person.account_id, first_day=first, last_day=last)


def link(form: Form) -> str:
    """Where a video consultation is, https only; empty: it is not known yet."""
    refusals: dict[str, Refusal] = {}
    given = fields.link(form, "link", refusals)
    if refusals:
        raise Refused("link", refusals, form)
    return given


def slot_key(form: Form) -> tuple[UUID, datetime] | None:
    """Whose slot and when, as a page of ours says it; None: nothing that a page of ours says."""
    whom, _, when = form.get("slot", "").partition(" ")
    try:
        starts_at = datetime.strptime(when, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return UUID(whom), starts_at
    except ValueError:
        return None


def way_in(form: Form) -> Way | None:
    """The way that was chosen; None: none of ours."""
    return _way(form, {})


def day_in(text: str, otherwise: date) -> date:
    """A day of an address; whatever is none, or years away, is the day that is shown otherwise."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return otherwise
    return day if abs(day - otherwise) <= FURTHEST else otherwise


def _way(form: Form, refusals: dict[str, Refusal]) -> Way | None:
    text = form.get("way", "")
    if text in tuple(Way):
        return Way(text)
    refusals["way"] = Refusal("choose")
    return None
