"""What a change of rules would have cost, and which urgent cases it would have missed, over the same patients.

An urgent case is one that pages. It is worked by the proposed rules where one of their cases, of any tier that a shift
looks at, holds a reading within half an hour of one of its own: whatever that case is called, a nurse sees the patient.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerting.histories import History
from alerting.replay import ABOUT, Case, Outcome, RuleSet, cases, count
from alerting.tiers import TERMS, Tier, graver

_LOOKED_AT_LATER = (Tier.ROUTINE, Tier.RETROSPECTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An urgent case of the rules in force, and what became of it.

    Missed: ``later`` and ``tier`` are None. Else ``later`` is by how much its first case was opened later, and ``tier``
    the gravest that a case about it has: less grave where people would have had more time to act.
    """

    patient: int  # place in the histories
    case: Case
    later: timedelta | None
    tier: Tier | None

    @property
    def is_missed(self) -> bool:
        """Nobody would have worked it in time."""
        return self.later is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a change of rules would have cost and missed."""

    in_force: Outcome
    proposed: Outcome
    urgent: int  # cases of the rules in force that page
    differences: tuple[Difference, ...]

    @property
    def missed(self) -> tuple[Difference, ...]:
        """The urgent cases that nobody would have worked."""
        return tuple(one for one in self.differences if one.is_missed)


def compare(in_force: RuleSet, proposed: RuleSet, histories: Iterable[History]) -> Comparison:
    """Both rule sets over the same patients; every urgent case that is missed, opened later, or less urgent."""
    now, then = Outcome(name=in_force.name), Outcome(name=proposed.name)
    differences: list[Difference] = []
    urgent = 0
    for patient, history in enumerate(histories):
        raised = in_force.raised(history)
        worked = cases(raised, in_force.terms)
        count(now, history, raised, worked)
        urgent += sum(_is_urgent(case, history) for case in worked)
        if proposed != in_force:
            raised = proposed.raised(history)
            other = cases(raised, proposed.terms)
            differences += _differences(patient, history, worked, other)
            worked = other
        count(then, history, raised, worked)
    return Comparison(in_force=now, proposed=then, urgent=urgent, differences=tuple(differences))


def _differences(patient: int, history: History, now: Sequence[Case], proposed: Sequence[Case]) -> Iterator[Difference]:
    seen = [case for case in proposed if case.tier not in _LOOKED_AT_LATER]
    for case in now:
        if not _is_urgent(case, history):
            continue
        found = [other for other in seen if _about_the_same(case, other)]
        if not found:
            yield Difference(patient=patient, case=case, later=None, tier=None)
            continue
        later = max(min(other.opened_at for other in found) - case.opened_at, timedelta())
        tier = _gravest(found)
        if later or graver(case.tier, tier) is not tier:
            yield Difference(patient=patient, case=case, later=later, tier=tier)


def _is_urgent(case: Case, history: History) -> bool:
    return TERMS[case.tier].pages and case.opened_at >= history.counted_from


def _gravest(found: Sequence[Case]) -> Tier:
    tier = found[0].tier
    for case in found:
        tier = graver(tier, case.tier)
    return tier


def _about_the_same(case: Case, other: Case) -> bool:
    return any(abs(one - another) <= ABOUT for one in case.about for another in other.about)
