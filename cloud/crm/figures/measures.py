"""From rows to figures. Pure: no clock, no database; ``at`` is until when something may still be waited for."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import numpy as np

from alerting.duty import DutyRole, Roster, Turn, turns
from alerting.tiers import TERMS, Terms, Tier
from alerting.working_time import WorkingDays, deadline
from cloud.crm.figures.models import (
    FEWEST,
    Attended,
    MonthCounts,
    ProgrammeFigures,
    Promise,
    Spread,
    TierFigures,
    Wait,
    Work,
    Workload,
)

K = TypeVar("K")
TermsOf = Mapping[str, Mapping[Tier, Terms]]


def together(sizes: Mapping[K, int], fewest: int = FEWEST) -> tuple[list[tuple[K, ...]], bool]:
    """Which groups are shown: each by itself, but those of fewer than ``fewest`` as one.

    Where these are fewer even together, the next smallest joins them: nobody finds them by taking all others from a
    total. True: there is nothing that can be shown, or something that cannot.
    """
    known = {key: size for key, size in sizes.items() if size > 0}
    small = [key for key, size in known.items() if size < fewest]
    others = sorted((key for key in known if key not in small), key=lambda key: known[key])
    while small and sum(known[key] for key in small) < fewest and others:
        small.append(others.pop(0))
    shown: list[tuple[K, ...]] = [(key,) for key in known if key in others]
    if not small:
        return shown, False
    if sum(known[key] for key in small) < fewest:
        return shown, True
    return [*shown, tuple(key for key in known if key in small)], False


def spread(spans: Sequence[timedelta]) -> Spread:
    """The median and the 95th percentile, by linear interpolation between the two next to it."""
    if len(spans) < FEWEST:
        return Spread(n=len(spans), p50=None, p95=None)
    p50, p95 = np.percentile([span.total_seconds() for span in spans], [50, 95])
    return Spread(n=len(spans), p50=timedelta(seconds=float(p50)), p95=timedelta(seconds=float(p95)))


def tier_figures(
    waits: Iterable[Wait], terms: TermsOf, working: WorkingDays, at: datetime
) -> tuple[list[TierFigures], bool]:
    """By tier, the most urgent first; True: there were too few cases to tell anything."""
    by_tier: dict[Tier, list[Wait]] = {tier: [] for tier in Tier}
    for wait in waits:
        by_tier[wait.tier].append(wait)
    shown, few = together({tier: len(found) for tier, found in by_tier.items()})
    return [
        TierFigures(
            tiers=tiers,
            n=len(of := [wait for tier in tiers for wait in by_tier[tier]]),
            acknowledged=_promise(of, _acknowledged, lambda one: one.acknowledge_within, terms, working, at),
            contacted=_promise(of, _contacted, lambda one: one.contact_within, terms, working, at),
        )
        for tiers in shown
    ], few


def workload(
    work: Iterable[Work],
    staff: Mapping[UUID, tuple[str, str]],
    roster: Roster,
    start: datetime,
    end: datetime,
) -> list[Workload]:
    """By person and hours of the shift, by name. ``staff``: name and role; who is not in it is left out."""
    people = _people(roster, start, end)
    shifts: dict[tuple[UUID, str | None], set[datetime]] = defaultdict(set)
    for account_id, own in people.items():
        for starts, hours in zip(own.starts, own.hours, strict=True):
            shifts[account_id, hours].add(starts)
    done: dict[tuple[UUID, str | None], list[int]] = {}
    for one in work:
        key = one.account_id, people[one.account_id].hours_at(one.quarter) if one.account_id in people else None
        counts = done.setdefault(key, [0] * 6)
        counts[0] += one.acts
        counts[1] += one.taken
        counts[2] += one.closed
        counts[3] += one.calls
        counts[4] += one.messages
        counts[5] += one.seconds
    nothing = [0] * 6
    found = [
        Workload(
            account_id=key[0],
            name=staff[key[0]][0],
            role=staff[key[0]][1],
            hours=key[1],
            shifts=len(shifts.get(key, ())),
            acts=counts[0],
            taken=counts[1],
            closed=counts[2],
            calls=counts[3],
            messages=counts[4],
            minutes=counts[5] // 60,
        )
        for key in {*shifts, *done}
        if key[0] in staff
        for counts in [done.get(key, nothing)]
    ]
    return sorted(found, key=lambda one: (one.name, str(one.account_id), one.hours is None, one.hours or ""))


def programme_figures(counted: Iterable[MonthCounts]) -> tuple[list[ProgrammeFigures], bool]:
    """By month and programme; small programmes of a month together."""
    by_month: dict[object, dict[str, MonthCounts]] = defaultdict(dict)
    for one in counted:
        by_month[one.month][one.programme_id] = one
    found, few = [], False
    for of in by_month.values():
        shown, some_few = together({name: one.patients for name, one in of.items()})
        few = few or some_few
        found += [_programmes([of[name] for name in names]) for names in shown]
    return found, few


def attended(rows: Iterable[tuple[str, int, int]]) -> tuple[list[Attended], bool]:
    """Of rows of how, how many took place and to how many nobody came."""
    known = {way: (took_place + no_show, no_show) for way, took_place, no_show in rows}
    shown, few = together({way: n for way, (n, _) in known.items()})
    return [
        Attended(
            ways=ways,
            n=(n := sum(known[way][0] for way in ways)),
            no_shows=(missed := sum(known[way][1] for way in ways)),
            percent=percent(missed, n),
        )
        for ways in shown
    ], few


def percent(part: int, of: int) -> Decimal:
    """To one digit after the point; ``of`` is not 0."""
    return (Decimal(100 * part) / of).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")


def share(part: int, of: int) -> Decimal | None:
    """The same; None of fewer than FEWEST."""
    return percent(part, of) if of >= FEWEST else None


def _acknowledged(wait: Wait) -> datetime | None:
    return wait.acknowledged_at


def _contacted(wait: Wait) -> datetime | None:
    return wait.contacted_at


def _promise(
    waits: Sequence[Wait],
    done: Callable[[Wait], datetime | None],
    within: Callable[[Terms], timedelta],
    terms: TermsOf,
    working: WorkingDays,
    at: datetime,
) -> Promise:
    spans, late, promised = [], 0, 0
    for wait in waits:
        ended = done(wait)
        if ended is not None:
            spans.append(ended - wait.started_at)
        # Waited for until it was done, or the case was closed without it, or until now.
        until = at if ended is None or ended > at else ended
        if wait.closed_at is not None and wait.closed_at < until:
            until = wait.closed_at
        is_late = _is_late(wait, until, within, terms, working)
        if ended is None and wait.closed_at is not None and not is_late:
            continue  # closed in time: nothing was owed any more
        promised += 1
        late += is_late
    return Promise(spread=spread(spans), late=None if 0 < promised < FEWEST else late, promised=promised)


def _is_late(
    wait: Wait, until: datetime, within: Callable[[Terms], timedelta], terms: TermsOf, working: WorkingDays
) -> bool:
    of = terms.get(wait.programme_id, TERMS)[wait.tier]
    # Hours of working days are never fewer than hours: the calendar is asked where it can matter.
    if until <= wait.started_at + within(of):
        return False
    return not of.working_time or until > deadline(working, wait.started_at, within(of))


@dataclass(frozen=True, slots=True)
class _Turns:
    """One person's, by when they began; ``hours``: on the wall clock, as they are shown."""

    starts: Sequence[datetime]
    ends: Sequence[datetime]
    hours: Sequence[str]

    def hours_at(self, quarter: datetime) -> str | None:
        """Of the shift in which the quarter of an hour lies."""
        place = bisect_right(self.starts, quarter) - 1
        # A shift within another one is rare, and either is right.
        for near in range(place, max(-1, place - 2), -1):
            if quarter < self.ends[near]:
                return self.hours[near]
        return None


def _people(roster: Roster, start: datetime, end: datetime) -> Mapping[UUID, _Turns]:
    found: dict[UUID, list[Turn]] = defaultdict(list)
    for role in DutyRole:
        for turn in turns(roster, role, start, end):
            found[turn.account_id].append(turn)
    # Many have the same turn: each is put into words once.
    words: dict[tuple[datetime, datetime], str] = {}
    for own in found.values():
        own.sort(key=lambda turn: turn.starts)
        for turn in own:
            if (turn.starts, turn.ends) not in words:
                words[turn.starts, turn.ends] = _hours(turn, roster.zone)
    return {
        account_id: _Turns(
            [turn.starts for turn in own],
            [turn.ends for turn in own],
            [words[turn.starts, turn.ends] for turn in own],
        )
        for account_id, own in found.items()
    }


def _hours(turn: Turn, zone: tzinfo) -> str:
    return f"{turn.starts.astimezone(zone):%H:%M}–{turn.ends.astimezone(zone):%H:%M}"


def _programmes(of: Sequence[MonthCounts]) -> ProgrammeFigures:
    averaged, due = sum(one.averaged for one in of), sum(one.due for one in of)
    scheduled = sum(one.scheduled for one in of)
    return ProgrammeFigures(
        month=of[0].month,
        programme_ids=tuple(one.programme_id for one in of),
        names=tuple(one.display_name for one in of),
        patients=sum(one.patients for one in of),
        measured=sum(one.measured for one in of),
        averaged=averaged,
        controlled=share(sum(one.controlled for one in of), averaged),
        scheduled=scheduled,
        due=due,
        adherence=percent(sum(one.made for one in of), due) if scheduled >= FEWEST and due else None,
        readings=sum(one.readings for one in of),
        cases=sum(one.cases for one in of),
        counted_at=min(one.counted_at for one in of),
    )
