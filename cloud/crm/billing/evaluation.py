"""Which codes a patient's month supports, how far the others are, and why not. Pure: no clock, no database.

Days are of the patient's calendar, and whoever calls has left out what does not count. Minutes of several people count
once where they were spent at the same time; of an entry over midnight each month has its part.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from cloud.crm.billing.models import Basis, CodeRule, Evidence, Line, Month, Rulebook, State, Why, Worked
from cloud.crm.billing.rulebooks import RULEBOOKS
from device_drivers.wall_clocks import Zones

_QUARTER: Final = timedelta(minutes=15)
_QUARTERS: Final = 24 * 4
# Where nobody has rules, periods are shown as the newest rules have them, and nothing is claimed.
_OTHERWISE: Final = RULEBOOKS[-1]


def evidence(
    month: Month,
    *,
    days: Mapping[date, int],
    supplied: Sequence[tuple[date, date | None]],
    worked: Sequence[Worked],
    edges: tuple[datetime, datetime],
    today: date,
    entries: tuple[UUID, ...] = (),
    rulebooks: Sequence[Rulebook] = RULEBOOKS,
) -> Evidence:
    """``days``: how many readings count on each; ``edges``: of the month on the patient's clock; ``today``: there."""
    spent, spoken = minutes_of(worked, edges)
    of_month = rulebook_for(month.first, month.last, rulebooks)
    lines: list[Line] = []
    periods = supply_periods(supplied, month, today, (of_month or _OTHERWISE).supply_days)
    for first, last in periods:
        counted = sum(1 for day, readings in days.items() if readings and first <= day <= last)
        rules = rulebook_for(first, last, rulebooks)
        lines += _lines(rules, Basis.DAYS, first, last, counted, spoken=True, is_over=today > last)
    if worked or periods:
        is_over = today > month.last
        lines += _lines(of_month, Basis.MINUTES, month.first, month.last, spent, spoken=spoken, is_over=is_over)
    shown = {
        day: readings
        for day, readings in sorted(days.items())
        if readings and any(first <= day <= last for first, last in periods)
    }
    return Evidence(
        rulebook=of_month.version if of_month else None,
        lines=tuple(lines),
        minutes=spent,
        spoken=spoken,
        days=shown,
        entries=entries,
    )


def rulebook_for(first: date, last: date, rulebooks: Sequence[Rulebook] = RULEBOOKS) -> Rulebook | None:
    """The rules that hold from ``first`` to ``last``; None where none do, or other ones begin between them."""
    begun = [rules for rules in rulebooks if rules.since <= last]
    # A new year's rules end those of before, which nobody has to change for that.
    newest = max(begun, key=lambda rules: rules.since, default=None)
    return newest if newest is not None and newest.holds(first, last) else None


def supply_periods(
    supplied: Sequence[tuple[date, date | None]], month: Month, today: date, length: int
) -> tuple[tuple[date, date], ...]:
    """The periods that end in the month; and the one that runs, in the month of today.

    ``supplied``: from which day to which one, None: it goes on. From each first day periods are counted, as long as one
    begins in its time. A period belongs to the month of its last day, so that each is in one month. Whoever is supplied
    anew while a period runs has the next one after it: no day is in two.
    """
    found: list[tuple[date, date]] = []
    first = date.min
    for begins, until in sorted(supplied, key=lambda span: span[0]):
        first = max(begins, first)
        end = month.last if until is None else min(until, month.last)
        # Those that have ended long before the month are not looked at one by one.
        first += timedelta(days=max(0, (min(end, month.first) - first).days // length - 1) * length)
        while first <= end:
            last = first + timedelta(days=length - 1)
            runs = first <= today <= last and month.first <= today <= month.last
            if month.first <= last <= month.last or runs:
                found.append((first, last))
            first = last + timedelta(days=1)
    return tuple(found)


def minutes_of(worked: Iterable[Worked], edges: tuple[datetime, datetime]) -> tuple[int, bool]:
    """Whole minutes between the edges, moments that several people share counted once; whether somebody spoke then."""
    begin, end = edges
    inside = sorted(
        (max(one.starts, begin), min(one.ends, end), one.interactive)
        for one in worked
        if one.starts < end and one.ends > begin
    )
    total, reached = timedelta(), begin
    for starts, ends, _ in inside:
        if ends > reached:
            total += ends - max(starts, reached)
            reached = ends
    return int(total.total_seconds() // 60), any(live for *_, live in inside)


def edges_of(month: Month, zones: Zones) -> tuple[datetime, datetime]:
    """When the month began and when it ended on the patient's clock, wherever they were then."""
    return _begin_of(month.first, zones), _begin_of(month.next.first, zones)


def _begin_of(day: date, zones: Zones) -> datetime:
    """The first moment of the day; where the clocks skip midnight, the first that they show."""
    midnight = datetime.combine(day, time())
    for quarters in range(_QUARTERS):
        found = zones.instants(midnight + quarters * _QUARTER)
        if found:
            return found[0]
    # The day does not occur there at all: the next one begins where it would have.
    return _begin_of(day + timedelta(days=1), zones)


def _lines(
    rules: Rulebook | None, basis: Basis, first: date, last: date, figure: int, *, spoken: bool, is_over: bool
) -> list[Line]:
    if rules is None:
        return [
            replace(_plain(rule, first, last, figure), state=State.NO_RULE, why=Why.NO_RULE)
            for rule in _OTHERWISE.codes
            if rule.basis is basis
        ]
    of_basis = [rule for rule in rules.codes if rule.basis is basis]
    met = {rule.code for rule in of_basis if _meets(rule, figure, spoken=spoken)}
    return [_line(rule, of_basis, met, _plain(rule, first, last, figure), is_over=is_over) for rule in of_basis]


def _plain(rule: CodeRule, first: date, last: date, figure: int) -> Line:
    return Line(
        code=rule.code,
        basis=rule.basis,
        state=State.LACKING,
        first=first,
        last=last,
        figure=figure,
        needed=rule.at_least,
    )


def _meets(rule: CodeRule, figure: int, *, spoken: bool) -> bool:
    in_range = figure >= rule.at_least and (rule.at_most is None or figure <= rule.at_most)
    return in_range and (spoken or not rule.interactive)


def _line(rule: CodeRule, rules: Sequence[CodeRule], met: set[str], plain: Line, *, is_over: bool) -> Line:
    figure = plain.figure
    if figure < rule.at_least:
        why = Why.DAYS if rule.basis is Basis.DAYS else Why.MINUTES
        return replace(plain, state=_lacks(is_over), why=why, missing=rule.at_least - figure)
    other = next((code for code in sorted(rule.excluded_by) if code in met), None)
    if other is not None:
        return replace(plain, state=State.EXCLUDED, why=Why.OTHER_CODE, other=other)
    if rule.code in met and (rule.beyond is None or rule.beyond in met):
        state = State.SUPPORTED if is_over else State.REACHED
        if rule.further is None:
            return replace(plain, state=state, units=1)
        units = (figure - rule.at_least) // rule.further + 1
        again = rule.at_least + units * rule.further
        return replace(plain, state=state, units=units, needed=again, missing=again - figure)
    if rule.at_most is not None and figure > rule.at_most:
        # What takes its place lacks something as well, and says so itself.
        other = next((each.code for each in rules if each.code in rule.excluded_by), None)
        return replace(plain, state=State.EXCLUDED, why=Why.OTHER_CODE, other=other)
    return replace(plain, state=_lacks(is_over), why=Why.CONVERSATION)


def _lacks(is_over: bool) -> State:
    return State.LACKING if is_over else State.NOT_YET
