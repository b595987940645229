"""The life of a case as people, readings, deadlines and an outage may make it, in any order.

The escalation looks at the case whenever ``next_at`` has come; between two looks anything may happen. No path leaves an
open urgent or emergency case that nobody has, nobody silenced and nobody is told of.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alerting import acts, life
from alerting.duty import DutyRole
from alerting.escalate import SOONEST, Facts, Gap, OnDuty, Outcome, Paged, escalate
from alerting.life import Life
from alerting.lifecycle import Event, IllegalTransition, State
from alerting.tiers import TERMS, Terms, Tier, graver
from alerting.working_time import WorkingDays

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAYS = WorkingDays(zone=UTC)
NURSES = (UUID(int=1), UUID(int=2))
DOCTOR, LEAD = UUID(int=3), UUID(int=4)
PEOPLE = (*NURSES, DOCTOR, LEAD)
CRITICAL = (Tier.EMERGENCY, Tier.URGENT)

ALL = {DutyRole.NURSE: NURSES, DutyRole.DOCTOR: (DOCTOR,), DutyRole.LEAD_NURSE: (LEAD,)}
ROSTERS: Mapping[str, OnDuty] = {
    "everybody": OnDuty(people=ALL, first={DutyRole.NURSE: 1}, last_resort=(LEAD,)),
    "no nurse": OnDuty(people={**ALL, DutyRole.NURSE: ()}, last_resort=(LEAD,)),
    "no doctor": OnDuty(people={**ALL, DutyRole.DOCTOR: ()}, last_resort=(LEAD,)),
    "a hole": OnDuty(last_resort=(LEAD,)),
    "nobody at all": OnDuty(),
}

people = strategies.sampled_from(PEOPLE)
tiers = strategies.sampled_from(list(Tier))
spans = strategies.one_of(
    strategies.integers(0, 20).map(lambda n: timedelta(minutes=n)),
    strategies.integers(0, 40).map(lambda n: timedelta(hours=n)),
)


class CaseLife(RuleBasedStateMachine):
    """One patient's condition: a case, and after it has been closed the next."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.duty = ROSTERS["everybody"]
        self.facts: Facts | None = None
        self.gaps: set[DutyRole] = set()
        self.silent_since: datetime | None = None

    @property
    def case(self) -> Life:
        assert self.facts is not None
        return self.facts.life

    @property
    def terms(self) -> Terms:
        return TERMS[self.case.tier]

    def is_open(self) -> bool:
        return self.facts is not None and self.facts.life.is_open

    # Readings ---------------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.is_open())
    @rule(tier=tiers)
    def a_finding_opens_a_case(self, tier: Tier) -> None:
        self.facts = Facts(life=life.raised(tier, self.now, TERMS[tier]))
        self.silent_since = None

    @precondition(is_open)
    @rule(tier=tiers)
    def a_finding_joins_or_worsens_it(self, tier: Tier) -> None:
        was = self.case
        if tier is not was.tier and graver(was.tier, tier) is tier:
            self.told_anew(life.worsened(was, tier, self.now, TERMS[tier]))
            assert self.case.silenced_until is None
            assert self.case.is_waiting
        else:
            self.becomes(life.joined(was, self.now))
            assert replace(self.case, next_at=None) == replace(was, next_at=None)

    @precondition(is_open)
    @rule()
    def symptoms_make_an_emergency_of_it(self) -> None:
        self.told_anew(life.worsened(self.case, Tier.EMERGENCY, self.now, TERMS[Tier.EMERGENCY]))

    @precondition(is_open)
    @rule()
    def it_may_close_by_itself_only_while_nobody_has_it(self) -> None:
        if self.case.state is State.RAISED and self.case.tier not in CRITICAL:
            self.becomes(life.closed_automatically(self.case))

    # People -----------------------------------------------------------------------------------------------------------

    @precondition(is_open)
    @rule(by=people)
    def somebody_acknowledges(self, by: UUID) -> None:
        if acts.refusal(self.case, Event.ACKNOWLEDGE, by, self.now) is not None:
            assert self.case.is_owned
            assert self.case.owner != by
            return
        if self.case.is_lapsed(self.now) and self.case.owner != by:
            self.told_anew(life.lapsed(self.case, self.now, self.terms))
        assert self.facts is not None
        taken = life.acknowledged(self.case, by, self.now, self.terms.lease)
        self.facts = replace(self.facts, life=taken, acknowledged_at=self.now)

    @precondition(is_open)
    @rule(by=people)
    def its_owner_starts(self, by: UUID) -> None:
        if self.case.state is not State.IN_PROGRESS:
            self.does(by, Event.START, lambda: life.started(self.case, self.now, self.terms.lease))

    @precondition(is_open)
    @rule(by=people, to=people)
    def its_owner_hands_it_over(self, by: UUID, to: UUID) -> None:
        if by != to:
            self.does(by, Event.HAND_OVER, lambda: life.handed_over(self.case, to, self.now, self.terms.lease))

    @precondition(is_open)
    @rule(by=people)
    def its_owner_takes_the_offer_back(self, by: UUID) -> None:
        self.does(by, Event.WITHDRAW, lambda: life.withdrawn(self.case, self.now, self.terms.lease))

    @precondition(is_open)
    @rule(by=people)
    def somebody_speaks_with_the_patient(self, by: UUID) -> None:
        self.does(by, Event.CONTACT, lambda: life.contacted(self.case, self.now, self.terms.lease))

    @precondition(is_open)
    @rule(by=people)
    def somebody_asks_for_symptoms(self, by: UUID) -> None:
        self.does(by, Event.ASK, lambda: life.asked(self.case, self.now, self.terms.lease))

    @precondition(is_open)
    @rule(by=people, to=strategies.sampled_from(["doctor", "lead_nurse"]))
    def somebody_escalates_it(self, by: UUID, to: str) -> None:
        if acts.refusal(self.case, Event.ESCALATE, by, self.now) is None:
            self.told_anew(life.escalated(self.case, to, self.now, self.terms))

    @precondition(is_open)
    @rule(by=people, length=spans)
    def somebody_silences_it(self, by: UUID, length: timedelta) -> None:
        if acts.silence_refusal(self.case.tier, self.now + length, self.now) is None:
            until = self.now + length
            if self.does(by, Event.SILENCE, lambda: life.silenced(self.case, by, "waits", until, self.now)):
                self.silent_since = self.now

    @precondition(is_open)
    @rule(by=people)
    def somebody_ends_the_silence(self, by: UUID) -> None:
        self.does(by, Event.END_SILENCE, lambda: life.silence_ended(self.case, self.now))

    @precondition(is_open)
    @rule(by=people)
    def its_owner_resolves_it(self, by: UUID) -> None:
        self.does(by, Event.RESOLVE, lambda: life.resolved(self.case))

    # The world --------------------------------------------------------------------------------------------------------

    @rule(roster=strategies.sampled_from(sorted(ROSTERS)))
    def others_are_on_duty(self, roster: str) -> None:
        self.duty = ROSTERS[roster]

    @precondition(is_open)
    @rule()
    def nothing_that_was_sent_arrives(self) -> None:
        assert self.facts is not None
        told = tuple(replace(each, outcome=Outcome.FAILED) for each in self.facts.told)
        self.facts = replace(self.facts, told=told, life=replace(self.case, next_at=self.now))

    @rule(span=spans)
    def time_passes(self, span: timedelta) -> None:
        end = self.now + span
        while self.is_open() and self.case.next_at is not None and self.case.next_at <= end:
            self.now = max(self.now, self.case.next_at)
            self.look()
        self.now = end

    @rule(span=spans)
    def the_jobs_are_away_and_come_back(self, span: timedelta) -> None:
        self.now += span
        if self.is_open():
            self.look()

    @precondition(is_open)
    @rule()
    def it_is_looked_at(self) -> None:
        self.look()

    # What never happens -----------------------------------------------------------------------------------------------

    @invariant()
    def it_is_looked_at_again_exactly_while_it_is_open(self) -> None:
        if self.facts is not None:
            assert (self.case.next_at is not None) == self.case.is_open

    @invariant()
    def it_has_an_owner_with_a_lease_exactly_while_somebody_has_it(self) -> None:
        if self.is_open():
            assert (self.case.owner is not None) == (self.case.lease_until is not None) == self.case.is_owned
            assert self.case.offered_to is None or self.case.is_owned

    @invariant()
    def a_lease_and_a_silence_are_looked_at_when_they_end(self) -> None:
        if not self.is_open() or self.case.next_at is None:
            return
        for end in (self.case.lease_until, self.case.silenced_until):
            assert end is None or self.case.next_at <= max(end, self.now) + SOONEST

    @invariant()
    def no_silence_is_too_long_and_no_emergency_has_one(self) -> None:
        if self.is_open() and self.case.silenced_until is not None:
            assert self.silent_since is not None
            assert self.case.tier is not Tier.EMERGENCY
            longest = acts.LONGEST_SILENCE[self.case.tier]
            assert longest is not None
            assert self.case.silenced_until - self.silent_since <= longest

    @invariant()
    def a_critical_case_that_nobody_has_is_told_of(self) -> None:
        if not self.is_open() or self.case.tier not in CRITICAL or self.case.is_owned or self.case.is_silent(self.now):
            return
        assert self.facts is not None
        assert self.case.next_at is not None
        if self.case.next_at <= self.now:
            return  # a look is due: the job was woken in the transaction of the change
        assert self.facts.told or self.gaps, "somebody was told in this round, or nobody can be, and that is said"
        escalates_at = self.case.raised_at + self.terms.escalate_after
        if self.case.state is State.RAISED:
            assert self.case.next_at <= escalates_at, "it goes to the next of the path in time"
        else:
            again = max((told.at for told in self.facts.told), default=self.now) + self.terms.acknowledge_within
            assert self.case.next_at <= max(again, self.now + self.terms.acknowledge_within, escalates_at)

    def look(self) -> None:
        """What the job does; doing it twice at the same time is doing it once."""
        assert self.facts is not None
        was = self.facts
        decided = escalate(was, self.terms, self.duty, self.now, DAYS)
        for happened in decided.happened:
            if isinstance(happened, Paged):
                assert decided.facts.life.is_waiting, "nobody is paged for a case that somebody has"
                assert not decided.facts.life.is_silent(self.now)
                told_before = {(told.step, told.account_id) for told in was.told if told.step == happened.step}
                if decided.facts.life.round == was.life.round:
                    assert not told_before & {(happened.step, who) for who, _ in happened.people}
        self.gaps = {happened.role for happened in decided.happened if isinstance(happened, Gap)}
        self.facts = decided.facts
        again = escalate(self.facts, self.terms, self.duty, self.now, DAYS)
        assert again.facts.told == self.facts.told
        assert again.facts.life.round == self.facts.life.round

    def does(self, by: UUID, event: Event, change: Callable[[], Life]) -> bool:
        """What is not refused, the transition table has; what it has not, is refused."""
        refused = acts.refusal(self.case, event, by, self.now)
        if refused is None:
            self.becomes(change())
            return True
        if refused in (acts.Refusal.NOT_TAKEN, acts.Refusal.CLOSED):
            try:
                change()
            except IllegalTransition:
                return False
            raise AssertionError(f"the table has {event} in {self.case.state}, and it is refused as {refused}")
        return False

    def becomes(self, after: Life) -> None:
        assert self.facts is not None
        self.facts = replace(self.facts, life=after)

    def told_anew(self, after: Life) -> None:
        """A new round: who was told before may be told again."""
        assert after.round == self.case.round + 1
        self.facts = Facts(life=after)
        self.gaps = set()


CaseLife.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestCaseLife = CaseLife.TestCase
