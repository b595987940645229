"""What people type into the forms of the roster, read and checked. Every refusal is said at its field.

Each function gives the entry, or raises Refused with all that is wrong at once. Pure: today and the zone come in.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from alerting.duty import DutyRole, Hours
from cloud.contacts.numbers import e164, region_of
from cloud.duty.models import MAY_BE, AwayEntry, HolidayRow, NewShift, SiteEntry, Staff
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.zones.store import zone as zone_of

WEEKDAYS: Final = range(7)
LONGEST_NAME: Final = 80
# Whoever writes 2062 instead of 2026 hears of it.
FURTHEST: Final = timedelta(days=5 * 366)
LAST_IN_ORDER: Final = 9
ORDERS: Final = frozenset(str(order) for order in range(1, LAST_IN_ORDER + 1))


def shifts(form: Form, staff: Mapping[UUID, Staff], today: date) -> Sequence[NewShift]:
    """One shift for each weekday, from ``first_day`` on; or, without a weekday, one of ``first_day`` alone."""
    refusals: dict[str, Refusal] = {}
    role = _role(form, refusals)
    person = fields.chosen(form, "account_id", staff, refusals)
    if role is not None and person is not None and person.role not in MAY_BE[role]:
        refusals["account_id"] = Refusal("not_for_this_role")
    starts, ends = fields.clock(form, "starts", refusals), fields.clock(form, "ends", refusals)
    first_day = fields.day(form, "first_day", today, today + FURTHEST, refusals)
    last_day = None
    if form.get("last_day", "").strip():
        last_day = fields.day(form, "last_day", today, today + FURTHEST, refusals)
    weekdays: list[int] = [day for day in WEEKDAYS if form.get(f"weekday_{day}")]
    if first_day is not None and last_day is not None and last_day < first_day:
        refusals["last_day"] = Refusal("ends_before_it_begins")
    elif weekdays and first_day and last_day and not _any_comes(weekdays, first_day, last_day):
        refusals["last_day"] = Refusal("no_such_weekday")
    order = form.get("order", "1").strip()
    if order not in ORDERS:
        refusals["order"] = Refusal("out_of_range", {"low": "1", "high": str(LAST_IN_ORDER)})
    days: Sequence[int | None] = weekdays or [None]
    if refusals or role is None or person is None or starts is None or ends is None or first_day is None:
        raise Refused("shift", refusals, form)
    return [
        NewShift(
            role=role,
            account_id=person.account_id,
            weekday=weekday,
            hours=Hours(starts=starts, ends=ends),
            first_day=first_day,
            last_day=last_day,
            order=int(order),
        )
        for weekday in days
    ]


def last_day(form: Form, today: date) -> date:
    """The last day on which a shift still begins. What is over stays as it was: yesterday is the earliest."""
    refusals: dict[str, Refusal] = {}
    day = fields.day(form, "last_day", today - timedelta(days=1), today + FURTHEST, refusals)
    if day is None:
        [first, *_] = form.get("shift_ids", "").split() or [""]
        raise Refused(f"end-{first}", refusals, form)
    return day


def shift_ids(form: Form) -> Sequence[UUID]:
    """The shifts to be ended; what is no id is nobody's shift."""
    found = [fields.id_of(text) for text in form.get("shift_ids", "").split()]
    return [shift_id for shift_id in found if shift_id is not None]


def absence(form: Form, staff: Mapping[UUID, Staff], zone: tzinfo, now: datetime) -> AwayEntry:
    """Somebody is away between two wall-clock times of the site; ``cover`` stands in."""
    refusals: dict[str, Refusal] = {}
    person = fields.chosen(form, "account_id", staff, refusals)
    cover = fields.chosen(form, "cover", staff, refusals) if form.get("cover") else None
    if person is not None and cover is not None and cover.account_id == person.account_id:
        refusals["cover"] = Refusal("same_person")
    elif person is not None and cover is not None and not _may_cover(person, cover):
        refusals["cover"] = Refusal("not_for_this_role")
    starts, ends = (fields.moment(form, name, zone, now, FURTHEST, refusals) for name in ("starts", "ends"))
    if starts is not None and ends is not None and ends <= starts:
        refusals["ends"] = Refusal("ends_before_it_begins")
    elif ends is not None and ends <= now:
        refusals["ends"] = Refusal("past")
    if refusals or person is None or starts is None or ends is None:
        raise Refused("absence", refusals, form)
    cover_id = None if cover is None else cover.account_id
    return AwayEntry(account_id=person.account_id, starts=starts, ends=ends, cover=cover_id)


def holiday(form: Form, today: date) -> HolidayRow:
    """A day that is no working day."""
    refusals: dict[str, Refusal] = {}
    day = fields.day(form, "day", today, today + FURTHEST, refusals)
    name = form.get("name", "").strip()
    if not name:
        refusals["name"] = Refusal("no_name")
    elif len(name) > LONGEST_NAME:
        refusals["name"] = Refusal("too_long", {"most": str(LONGEST_NAME)})
    if refusals or day is None:
        raise Refused("holiday", refusals, form)
    return HolidayRow(day=day, name=name, own_roster=bool(form.get("own_roster")))


def site(form: Form) -> SiteEntry:
    """Where the clinic is, on which weekdays it works, and the number that patients call."""
    refusals: dict[str, Refusal] = {}
    name = form.get("time_zone", "").strip()
    typed = form.get("phone", "").strip()
    phone = e164(typed, region_of(name)) if typed else ""
    if phone is None:
        refusals["phone"] = Refusal("not_a_phone")
    if not name or zone_of(name) is None:
        refusals["time_zone"] = Refusal("no_time_zone")
    weekdays = tuple(day for day in WEEKDAYS if form.get(f"weekday_{day}"))
    if not weekdays:
        refusals["weekday"] = Refusal("no_weekday")
    if refusals or phone is None:
        raise Refused("site", refusals, form)
    return SiteEntry(time_zone=name, working_days=weekdays, phone=phone)


def _may_cover(person: Staff, cover: Staff) -> bool:
    """Whether the cover may be on duty as something that the person may be."""
    return any(person.role in roles and cover.role in roles for roles in MAY_BE.values())


def _any_comes(weekdays: Sequence[int], first_day: date, last: date) -> bool:
    days = min((last - first_day).days, 6)
    return any((first_day + timedelta(days=n)).weekday() in weekdays for n in range(days + 1))


def _role(form: Form, refusals: dict[str, Refusal]) -> DutyRole | None:
    given = form.get("role", "")
    if given in set(DutyRole):
        return DutyRole(given)
    refusals["role"] = Refusal("choose")
    return None
