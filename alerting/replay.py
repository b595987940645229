"""Replay a rule set over patients' readings: how many cases it makes, of which tier, and which crises it finds.

A rule set turns one patient's history into ``Raised``, in the order in which they would have come up; ``cases`` joins
them as the cloud does (one open case per patient and condition) and closes them as people would: after the time within
which the tier promises contact, and, for routine cases, with a rest during which the same condition is not raised again
at the same tier. The rests and the minutes per case are proposals of this project.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from alerting.closing import rested
from alerting.histories import History
from alerting.synthetic.truth import Crisis, CrisisKind, PatientYear
from alerting.tiers import TERMS, Terms, Tier, graver
from alerting.windows import instant

# Nurse minutes per case, with reading up, calling and writing down (proposal).
MINUTES: Mapping[Tier, int] = {
    Tier.EMERGENCY: 20,
    Tier.URGENT: 15,
    Tier.SAME_SHIFT: 8,
    Tier.ROUTINE: 5,
    Tier.RETROSPECTIVE: 3,
}
# A crisis counts as found by what is raised about a time from its first reading until this long after its last.
ABOUT = timedelta(minutes=30)
# The words by which a condition is about such a crisis: a case about something else has not found it.
_OF_CRISIS: Mapping[CrisisKind, tuple[str, ...]] = {
    CrisisKind.SEVERE_HYPERTENSION: ("hypertension", "pregnancy", "above_home_limit"),
    CrisisKind.HYPOTENSION: ("hypotension",),
    CrisisKind.HYPOGLYCAEMIA: ("hypoglycaemia",),
    CrisisKind.HYPERGLYCAEMIA: ("hyperglycaemia",),
}
_OF_HIGH_PRESSURE = ("hypertension", "home", "morning", "rise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """Something came up at ``at`` about a reading of ``about``. ``tier`` None: closed automatically, as this class."""

    condition: str
    tier: Tier | None
    at: datetime
    about: datetime
    closed_as: str | None = None


@dataclass(slots=True, kw_only=True)
class Case:
    """One case as it was worked; ``about`` are the times of the readings that it holds."""

    condition: str
    tier: Tier
    opened_at: datetime
    closes_at: datetime
    about: list[datetime]
    pages: int


class RuleSet(Protocol):
    """What is replayed."""

    @property
    def name(self) -> str:
        """As it is printed."""

    @property
    def terms(self) -> Mapping[Tier, Terms]:
        """By when people have dealt with a case."""

    def raised(self, history: History) -> list[Raised]:
        """Everything that comes up, in order of ``at``."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The figures of one rule set."""

    name: str
    patient_days: int = 0
    readings: int = 0
    measurements: int = 0
    measurements_raised: int = 0
    by_tier: Counter[Tier] = field(default_factory=Counter)
    by_condition: Counter[str] = field(default_factory=Counter)
    closed_automatically: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    crises: int = 0
    found: int = 0
    found_in_retrospect: int = 0
    missed: list[tuple[int, Crisis]] = field(default_factory=list)
    delays: list[timedelta] = field(default_factory=list)
    worsenings: int = 0
    worsenings_found: int = 0

    @property
    def manual(self) -> int:
        """Cases that a person worked."""
        return self.by_tier.total()

    @property
    def manual_per_patient_day(self) -> float:
        """The figure to hold against the published 0.10."""
        return self.manual / self.patient_days if self.patient_days else 0.0

    @property
    def share_closed_automatically(self) -> float:
        """Of everything that came to a decision: closed by an allowed class instead of by a person."""
        closed = self.closed_automatically.total()
        return closed / (closed + self.manual) if closed + self.manual else 0.0

    @property
    def minutes(self) -> int:
        """Nurse minutes of all cases."""
        return sum(MINUTES[tier] * count for tier, count in self.by_tier.items())


def cases(raised: Iterable[Raised], terms: Mapping[Tier, Terms] = TERMS) -> list[Case]:
    """The cases that people would have worked under these promises, in the order in which they were opened."""
    found: list[Case] = []
    latest: dict[str, Case] = {}
    for one in raised:
        if one.tier is None:
            continue
        case = latest.get(one.condition)
        if case is not None and one.at < case.closes_at:
            _join(case, one.tier, one, terms)
        elif case is None or rested(case.closes_at, case.tier, one.tier, one.at):
            latest[one.condition] = case = _open(one.tier, one, terms)
            found.append(case)
    return found


def replay(rules: RuleSet, histories: Iterable[History]) -> Outcome:
    """The rule set's figures over these patients: what it would have cost."""
    outcome = Outcome(name=rules.name)
    for history in histories:
        raised = rules.raised(history)
        count(outcome, history, raised, cases(raised, rules.terms))
    return outcome


def replay_known(rules: RuleSet, years: Iterable[PatientYear]) -> Outcome:
    """The same over patients of whom the truth is known: what it would have found, too."""
    outcome = Outcome(name=rules.name)
    for year in years:
        raised = rules.raised(year.history)
        worked = cases(raised, rules.terms)
        count(outcome, year.history, raised, worked)
        outcome.measurements += len(np.unique(year.measurement))
        outcome.measurements_raised += _measurements(year, raised)
        _look_for_crises(outcome, year, worked)
        _look_for_worsenings(outcome, year, worked)
    return outcome


def lines(outcome: Outcome) -> Iterator[str]:
    """The figures as people read them."""
    days = outcome.patient_days or 1
    yield f"{outcome.name}"
    yield f"  readings                     {outcome.readings}"
    share = outcome.measurements_raised / (outcome.measurements or 1)
    if outcome.measurements:
        yield f"  measurements                 {outcome.measurements}, {share:.1%} of them raise something"
    yield f"  manual cases per patient-day {outcome.manual_per_patient_day:.4f}  ({outcome.manual} cases)"
    for tier in Tier:
        if outcome.by_tier[tier]:
            yield f"    {tier:<26} {outcome.by_tier[tier] / days:.4f}  ({outcome.by_tier[tier]})"
    yield f"  closed automatically         {outcome.share_closed_automatically:.1%}"
    for name, count in outcome.closed_automatically.most_common():
        yield f"    {name:<50} {count}"
    yield f"  nurse minutes                {outcome.minutes / days * 100:.0f} per 100 patients and day"
    yield f"  pages                        {outcome.pages / days * 100:.2f} per 100 patients and day"
    late = outcome.found_in_retrospect
    if outcome.crises:
        yield f"  injected crises found        {outcome.found}/{outcome.crises}, {late} in retrospect"
        yield f"  injected worsenings found    {outcome.worsenings_found}/{outcome.worsenings}"
    if outcome.delays:
        delays = sorted(outcome.delays)
        middle, most = delays[len(delays) // 2], delays[int(len(delays) * 0.95)]
        yield f"  crisis received to case      {_minutes(middle)} median, {_minutes(most)} at 95 %"


def _open(tier: Tier, one: Raised, terms: Mapping[Tier, Terms]) -> Case:
    return Case(
        condition=one.condition,
        tier=tier,
        opened_at=one.at,
        closes_at=one.at + terms[tier].contact_within,
        about=[one.about],
        pages=int(terms[tier].pages),
    )


def _join(case: Case, tier: Tier, one: Raised, terms: Mapping[Tier, Terms]) -> None:
    """A later reading joins; a graver one raises the case again, and its promise counts from then."""
    case.about.append(one.about)
    if graver(case.tier, tier) is not case.tier:
        case.tier = tier
        case.closes_at = one.at + terms[tier].contact_within
        case.pages += int(terms[tier].pages)


def count(outcome: Outcome, history: History, raised: Iterable[Raised], worked: Iterable[Case]) -> None:
    """Add what this patient costs from the moment on from which it counts."""
    since = history.counted_from
    worked = [case for case in worked if case.opened_at >= since]
    outcome.patient_days += history.days_counted
    outcome.readings += history.readings
    outcome.closed_automatically.update(
        one.closed_as for one in raised if one.closed_as is not None and one.at >= since
    )
    outcome.by_tier.update(case.tier for case in worked)
    outcome.by_condition.update(case.condition for case in worked)
    outcome.pages += sum(case.pages for case in worked)


def _measurements(year: PatientYear, raised: list[Raised]) -> int:
    """How many sittings have something raised about one of their readings."""
    about = np.array([instant(one.about) for one in raised], dtype="datetime64[us]")
    return len(np.unique(year.measurement[np.isin(year.times, about)]))


def _look_for_crises(outcome: Outcome, year: PatientYear, worked: list[Case]) -> None:
    about: dict[datetime, list[Case]] = defaultdict(list)
    for case in worked:
        for time in case.about:
            about[time].append(case)
    for crisis in year.crises:
        outcome.crises += 1
        holding = [
            case for time, of in about.items() if crisis.at <= time <= crisis.last_at + ABOUT for case in of
            if case.tier is not Tier.ROUTINE and any(word in case.condition for word in _OF_CRISIS[crisis.kind])
        ]  # fmt: skip
        if not holding:
            outcome.missed.append((year.number, crisis))
            continue
        outcome.found += 1
        if all(case.tier is Tier.RETROSPECTIVE for case in holding):
            outcome.found_in_retrospect += 1
        else:
            opened = min(case.opened_at for case in holding)
            outcome.delays.append(max(opened - crisis.received_at, timedelta()))


def _look_for_worsenings(outcome: Outcome, year: PatientYear, worked: list[Case]) -> None:
    """Found by any case about high pressure that was opened in it, or in the week after."""
    opened = [case.opened_at for case in worked if any(word in case.condition for word in _OF_HIGH_PRESSURE)]
    for spell in year.worsenings:
        outcome.worsenings += 1
        outcome.worsenings_found += any(spell.start <= at < spell.end + timedelta(days=7) for at in opened)


def _minutes(delay: timedelta) -> str:
    return f"{delay.total_seconds() / 60:.0f} min"
