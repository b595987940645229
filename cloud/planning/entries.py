"""What people type into the forms of a plan, read and checked. Every refusal is said at its field; nothing is guessed.

Each function gives the entry, or raises Refused with all that is wrong at once. Pure: ``now`` and the zone come in.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from alerting.limits import Measure, Priority
from alerting.regimes import Figure, Regime
from cloud.observations import plausibility
from cloud.planning.models import LimitEntry, PauseEntry, SlotEntry
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind

Range = tuple[Decimal, Decimal]

WEEKDAYS: Final = range(7)
# Whoever writes 2062 instead of 2026, or 0026, hears of it.
FURTHEST: Final = timedelta(days=5 * 366)

_PLAUSIBLE: Final[Mapping[Measure, Mapping[Unit, Range]]] = {
    Measure.GLUCOSE: plausibility.GLUCOSE,
    Measure.KETONE: plausibility.KETONE,
    Measure.SYSTOLIC: plausibility.SYSTOLIC,
    Measure.DIASTOLIC: plausibility.DIASTOLIC,
    Measure.PULSE: plausibility.PULSE,
}
# Differences between two averages or sessions, and the index, are no values of a body: proposals, wide on purpose.
_OF_DIFFERENCES: Final[Mapping[Unit, Range]] = {
    Unit.MM_HG: (Decimal(1), Decimal(100)),
    Unit.KPA: (Decimal("0.1"), Decimal("13.3")),
}
_OF_INDEX: Final[Range] = (Decimal("0.1"), Decimal(50))
_DIFFERENCES: Final = frozenset({Figure.WEEK_RISE, Figure.MORNING_EXCESS, Figure.SESSION_RISE})


def limit(form: Form, regime: Regime, zone: tzinfo, now: datetime) -> LimitEntry:
    """A doctor's limit. ``expires_on`` is the last day on which it holds, on the patient's calendar; empty: no end."""
    refusals: dict[str, Refusal] = {}
    of = [one for one in regime.limits if one.condition == form.get("condition")]
    units = {unit.value: unit for one in of for unit in one.values}
    unit = units.get(form.get("unit", ""))
    value = fields.number(form.get("value", ""))
    if not of:
        refusals["condition"] = Refusal("not_in_programme")
    elif unit is None:
        refusals["unit"] = Refusal("wrong_unit", {"units": ", ".join(units)})
    if value is None:
        refusals["value"] = Refusal("not_a_number")
    elif of and unit is not None:
        low, high = _bounds(of[0].measure, of[0].figure, unit)
        if not low <= value <= high:
            refusals["value"] = Refusal("implausible", {"low": str(low), "high": str(high), "unit": unit.value})
    if form.get("priority") not in list(Priority):
        refusals["priority"] = Refusal("choose")
    expires_at = _end_of_day(form, "expires_on", zone, now, refusals)
    reason = fields.reason(form, refusals)
    if refusals or value is None or unit is None:
        raise Refused("limit", refusals, form)
    return LimitEntry(
        condition=of[0].condition,
        unit=unit,
        value=value,
        priority=Priority(form["priority"]),
        reason=reason,
        expires_at=expires_at,
    )


def slot(form: Form) -> SlotEntry:
    """A measurement time: ``kind``, ``at`` (HH:MM), ``day0`` … ``day6``, and hours ``before`` and ``after``."""
    refusals: dict[str, Refusal] = {}
    if form.get("kind") not in list(Kind):
        refusals["kind"] = Refusal("choose")
    at = fields.clock(form, "at", refusals)
    weekdays = tuple(day for day in WEEKDAYS if form.get(f"day{day}"))
    if not weekdays:
        refusals["weekdays"] = Refusal("no_weekday")
    before, after = _hours(form, "before", refusals), _hours(form, "after", refusals)
    if refusals or at is None:
        raise Refused("slot", refusals, form)
    return SlotEntry(kind=Kind(form["kind"]), at=at, weekdays=weekdays, before=before, after=after)


def pause(form: Form, zone: tzinfo, now: datetime) -> PauseEntry:
    """A pause from ``since`` (empty: now) to ``until`` (empty: until somebody ends it), on the patient's clock."""
    refusals: dict[str, Refusal] = {}
    since, until = (
        fields.moment(form, name, zone, now, FURTHEST, refusals) if form.get(name, "").strip() else None
        for name in ("since", "until")
    )
    since = since or now
    if until is not None and "since" not in refusals and until <= since:
        refusals["until"] = Refusal("ends_before_it_begins")
    elif until is not None and until <= now:
        refusals["until"] = Refusal("past")
    reason = fields.reason(form, refusals)
    if refusals:
        raise Refused("pause", refusals, form)
    return PauseEntry(since=since, until=until, reason=reason)


def reason(form: Form, name: str) -> str:
    """The reason alone, for forms that ask for nothing else to be typed."""
    refusals: dict[str, Refusal] = {}
    said = fields.reason(form, refusals)
    if refusals:
        raise Refused(name, refusals, form)
    return said


def heightened(form: Form, zone: tzinfo, now: datetime) -> tuple[datetime | None, str]:
    """The end of the heightened period (the last day is still in it; empty: it is over) and the reason."""
    refusals: dict[str, Refusal] = {}
    until = _end_of_day(form, "until", zone, now, refusals)
    said = fields.reason(form, refusals)
    if refusals:
        raise Refused("heightened", refusals, form)
    return until, said


def _bounds(measure: Measure, figure: Figure, unit: Unit) -> Range:
    if figure in _DIFFERENCES:
        return _OF_DIFFERENCES[unit]
    if figure is Figure.LOW_GLUCOSE_INDEX:
        return _OF_INDEX
    return _PLAUSIBLE[measure][unit]


def _end_of_day(form: Form, name: str, zone: tzinfo, now: datetime, refusals: dict[str, Refusal]) -> datetime | None:
    """The midnight after that day in this zone; None where nothing is given."""
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        ends = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(0), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        refusals[name] = Refusal("not_a_date")
        return None
    if ends <= now:
        refusals[name] = Refusal("past")
    elif ends > now + FURTHEST:
        refusals[name] = Refusal("too_far")
    return ends


def _hours(form: Form, name: str, refusals: dict[str, Refusal]) -> timedelta:
    """From a quarter of an hour to half a day."""
    hours = fields.number(form.get(name, ""))
    if hours is None or not Decimal("0.25") <= hours <= 12:
        refusals[name] = Refusal("tolerance")
        return timedelta()
    return timedelta(hours=float(hours))
