"""What a case's deadlines ask for: each on, just before and just after; who is told, once; and any life of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.duty import DutyRole
from alerting.escalate import (
    Decision,
    Escalated,
    Facts,
    Gap,
    OnDuty,
    Outcome,
    Paged,
    RaisedAgain,
    Told,
    Why,
    escalate,
    path,
)
from alerting.escalation_sentences import sentence
from alerting.life import Life, acknowledged, contacted, escalated, raised, resolved, silenced, worsened
from alerting.lifecycle import State
from alerting.tiers import TERMS, Tier
from alerting.working_time import WorkingDays

# A Saturday.
RAISED = datetime(2026, 11, 21, 12, tzinfo=UTC)
NURSE, SECOND, DOCTOR, LEAD = (UUID(int=n) for n in (1, 2, 3, 4))
DAYS = WorkingDays(zone=UTC, holidays={date(2026, 11, 24)})
ALL = OnDuty(
    people={DutyRole.NURSE: (NURSE, SECOND), DutyRole.DOCTOR: (DOCTOR,), DutyRole.LEAD_NURSE: (LEAD,)},
    first={DutyRole.NURSE: 1, DutyRole.DOCTOR: 1, DutyRole.LEAD_NURSE: 1},
    last_resort=(LEAD,),
)
MOMENT = timedelta(seconds=1)


def after(**span: float) -> datetime:
    """So long after the case was raised."""
    return RAISED + timedelta(**span)


def new(tier: Tier) -> Facts:
    """As it is when it opens."""
    return Facts(life=raised(tier, RAISED, TERMS[tier]))


def look(facts: Facts, at: datetime, duty: OnDuty = ALL) -> Decision:
    """One look."""
    return escalate(facts, TERMS[facts.life.tier], duty, at, DAYS)


def looked(tier: Tier, *times: datetime, duty: OnDuty = ALL) -> Facts:
    """The case after looks at these times."""
    facts = new(tier)
    for at in times:
        facts = look(facts, at, duty).facts
    return facts


def told(decision: Decision) -> set[UUID]:
    """Who is told now."""
    return {who for one in decision.happened if isinstance(one, Paged) for who, _ in one.people}


def without(*roles: DutyRole, last_resort: Sequence[UUID] = (LEAD,), outside: Sequence[DutyRole] = ()) -> OnDuty:
    """Everybody but those."""
    there: Mapping[DutyRole, Sequence[UUID]] = {role: who for role, who in ALL.people.items() if role not in roles}
    return replace(ALL, people=there, last_resort=last_resort, outside=frozenset(outside))


def walk(tier: Tier, until: timedelta, duty: OnDuty = ALL) -> list[tuple[timedelta, set[UUID]]]:
    """Who is told when, if each look is made when the last one asked for it."""
    facts, at, found = new(tier), RAISED, []
    while at <= RAISED + until:
        decision = look(facts, at, duty)
        if told(decision):
            found.append((at - RAISED, told(decision)))
        assert decision.next_at is not None
        assert decision.next_at > at
        facts, at = decision.facts, decision.next_at
    return found


# The path --------------------------------------------------------------


def test_an_emergency_tells_all_nurses_then_doctor_and_lead_nurse_and_goes_on_telling_them() -> None:
    nurses, both = {NURSE, SECOND}, {DOCTOR, LEAD}
    at = [timedelta(minutes=minutes) for minutes in (0, 5, 10, 15, 20, 25)]
    assert walk(Tier.EMERGENCY, timedelta(minutes=25)) == list(
        zip(at, [nurses, nurses, both, both, both, both], strict=True)
    )


def test_an_urgent_case_tells_the_first_nurse_then_all_three_times_then_the_doctor_then_the_lead_nurse_too() -> None:
    nurses, both = {NURSE, SECOND}, {DOCTOR, LEAD}
    at = [timedelta(minutes=minutes) for minutes in (0, 15, 30, 45, 60, 75, 90)]
    who = [{NURSE}, nurses, nurses, nurses, {DOCTOR}, both, both]
    assert walk(Tier.URGENT, timedelta(minutes=90)) == list(zip(at, who, strict=True))


def test_a_case_of_this_shift_tells_nurses_at_its_deadline_and_the_lead_nurse_at_four_hours_once_each() -> None:
    assert walk(Tier.SAME_SHIFT, timedelta(days=3)) == [
        (timedelta(hours=2), {NURSE, SECOND}),
        (timedelta(hours=4), {LEAD}),
    ]


@pytest.mark.parametrize("tier", [Tier.ROUTINE, Tier.RETROSPECTIVE])
def test_a_routine_case_tells_nobody_and_goes_on_the_weekly_review(tier: Tier) -> None:
    assert walk(tier, timedelta(days=30)) == []
    assert look(new(tier), after(days=7)).facts.life.escalated_to == "weekly_review"
    assert look(new(tier), after(days=7) - MOMENT).facts.life.state is State.RAISED


@pytest.mark.parametrize(
    ("tier", "minutes", "number"),
    [
        (Tier.EMERGENCY, 0, 1),
        (Tier.EMERGENCY, 5, 2),
        (Tier.EMERGENCY, 10, 3),
        (Tier.EMERGENCY, 15, 4),
        (Tier.URGENT, 15, 2),
        (Tier.URGENT, 30, 3),
        (Tier.URGENT, 45, 4),
        (Tier.URGENT, 60, 5),
        (Tier.URGENT, 75, 6),
        (Tier.SAME_SHIFT, 120, 1),
        (Tier.SAME_SHIFT, 240, 2),
    ],
)
def test_each_step_is_due_on_its_minute_and_not_before(tier: Tier, minutes: int, number: int) -> None:
    due = after(minutes=minutes)
    earlier = [step.due for step in path(new(tier).life, TERMS[tier]) if step.due < due]
    facts = looked(tier, *earlier)

    before = look(facts, due - MOMENT)
    assert (before.happened, before.facts.life.step) == ((), facts.life.step)
    assert before.next_at == due
    for at in (due, due + MOMENT):
        assert look(facts, at).facts.life.step == number
        assert told(look(facts, at))


@pytest.mark.parametrize("tier", list(Tier))
def test_every_figure_of_the_path_is_the_programmes_and_says_that_it_is_a_proposal(tier: Tier) -> None:
    assert "proposal" in TERMS[tier].source
    slower = replace(TERMS[tier], escalate_after=TERMS[tier].escalate_after * 2)
    assert path(new(tier).life, slower)[-1].due == RAISED + slower.escalate_after


def test_the_deadline_of_a_routine_case_is_put_on_the_calendar() -> None:
    # Saturday; Tuesday is a holiday: 24 hours are all of Monday, 72 end with Thursday.
    decision = look(new(Tier.ROUTINE), RAISED)
    assert decision.facts.life.deadline == datetime(2026, 11, 24, tzinfo=UTC)
    assert decision.facts.life.contact_by == datetime(2026, 11, 27, tzinfo=UTC)


# Acknowledged --------------------------------------------------------------

LEASE = timedelta(hours=2)


def taken(at: datetime, tier: Tier = Tier.URGENT, lease: timedelta = LEASE) -> Facts:
    """Told at once, and acknowledged by the nurse at that time."""
    facts = looked(tier, RAISED)
    return replace(facts, life=acknowledged(facts.life, NURSE, at, lease), acknowledged_at=at)


def test_who_has_acknowledged_is_told_no_more_until_the_patient_was_not_spoken_to_in_time() -> None:
    facts = taken(after(minutes=5))
    decision = look(facts, after(minutes=5))
    assert (decision.happened, decision.next_at) == ((), after(minutes=60))
    assert look(facts, after(minutes=60) - MOMENT).happened == ()

    late = look(facts, after(minutes=60))
    assert late.happened == (
        Escalated(why=Why.NOT_CONTACTED, to="doctor", step=5, since=after(minutes=60)),
        Paged(why=Why.NOT_CONTACTED, step=5, people=((DOCTOR, DutyRole.DOCTOR),)),
    )
    assert (late.facts.life.state, late.facts.life.owner, late.facts.life.lease_until) == (State.ESCALATED, None, None)


def test_who_spoke_to_the_patient_has_it_as_long_as_the_lease() -> None:
    facts = taken(after(minutes=5))
    facts = replace(facts, life=contacted(facts.life, after(minutes=20), LEASE))
    assert look(facts, after(minutes=90)).happened == ()
    assert look(facts, after(minutes=20)).next_at == after(minutes=140)


def test_who_takes_a_case_late_has_as_long_for_the_patient_as_who_takes_it_in_time() -> None:
    facts = taken(after(minutes=70))
    assert look(facts, after(minutes=70)).next_at == after(minutes=115)
    assert look(facts, after(minutes=115) - MOMENT).happened == ()
    assert isinstance(look(facts, after(minutes=115)).happened[0], Escalated)


@pytest.mark.parametrize(("ago", "lapsed"), [(-MOMENT, False), (timedelta(), True), (MOMENT, True)])
def test_a_lease_ends_on_its_minute_and_the_case_is_everybodys_again(ago: timedelta, lapsed: bool) -> None:
    facts = taken(after(minutes=5), lease=timedelta(minutes=30))
    decision = look(facts, after(minutes=35) + ago)

    assert isinstance(decision.happened[0], RaisedAgain) if lapsed else decision.happened == ()
    assert decision.facts.life.round == (2 if lapsed else 1)
    assert told(decision) == ({NURSE} if lapsed else set())


def test_a_closed_case_asks_for_nothing() -> None:
    facts = taken(after(minutes=5))
    closed = replace(facts, life=resolved(facts.life))
    assert look(closed, after(days=3)) == Decision(facts=closed, happened=(), next_at=None)


# Silenced --------------------------------------------------------------


def test_a_silenced_case_waits_for_the_end_of_its_silence_and_is_raised_again_then() -> None:
    facts = new(Tier.URGENT)
    facts = replace(facts, life=silenced(facts.life, NURSE, "in hospital", after(hours=6), RAISED))
    assert look(facts, after(hours=5)).happened == ()
    assert look(facts, RAISED).next_at == after(hours=6)

    ended = look(facts, after(hours=6))
    assert ended.happened[0] == RaisedAgain(why=Why.SILENCE_ENDED, since=after(hours=6), round=2)
    assert told(ended) == {NURSE}
    assert ended.facts.life.silenced_until is None
    assert ended.facts.life.deadline == after(hours=6, minutes=15)


def test_the_lease_of_a_silenced_case_ends_all_the_same() -> None:
    facts = taken(after(minutes=5), lease=timedelta(minutes=30))
    facts = replace(facts, life=silenced(facts.life, NURSE, "asleep", after(hours=6), after(minutes=6)))
    ended = look(facts, after(minutes=35))
    assert (ended.facts.life.state, told(ended)) == (State.RAISED, set())
    assert ended.next_at == after(hours=6)


# Escalated by a person, worsened --------------------------------------------------------------


@pytest.mark.parametrize("tier", [Tier.URGENT, Tier.SAME_SHIFT, Tier.ROUTINE])
def test_a_case_that_a_person_escalates_is_told_to_those_it_goes_to_at_once(tier: Tier) -> None:
    facts = taken(after(minutes=20), tier)
    by_hand = Facts(life=escalated(facts.life, "lead_nurse", after(minutes=31), TERMS[tier]))
    decision = look(by_hand, after(minutes=31))
    assert told(decision) == {LEAD}
    assert look(decision.facts, after(minutes=31)).happened == ()
    assert decision.facts.life.state is State.ESCALATED


def test_an_escalated_case_that_worsens_begins_with_those_who_have_it() -> None:
    facts = looked(Tier.URGENT, RAISED, after(minutes=60))
    worse = Facts(life=worsened(facts.life, Tier.EMERGENCY, after(minutes=70), TERMS[Tier.EMERGENCY]))
    assert told(look(worse, after(minutes=70))) == {DOCTOR}
    later = look(look(worse, after(minutes=70)).facts, after(minutes=80))
    assert told(later) == {NURSE, SECOND, DOCTOR, LEAD}


# Nobody there, nothing arrives, nothing ran --------------------------------------------------------------


def test_where_no_nurse_is_on_duty_the_next_of_the_path_is_told_at_once() -> None:
    decision = look(new(Tier.URGENT), RAISED, without(DutyRole.NURSE))
    assert decision.happened == (
        Gap(why=Why.NOBODY_ON_DUTY, role=DutyRole.NURSE),
        Escalated(why=Why.NOBODY_ON_DUTY, to="doctor", step=5, since=RAISED),
        Paged(why=Why.NOBODY_ON_DUTY, step=5, people=((DOCTOR, DutyRole.DOCTOR),)),
    )


def test_people_on_duty_who_may_not_see_the_patient_are_nobody() -> None:
    decision = look(new(Tier.URGENT), RAISED, without(DutyRole.NURSE, outside=[DutyRole.NURSE]))
    assert decision.happened[0] == Gap(why=Why.NOBODY_IN_CARE_TEAM, role=DutyRole.NURSE)


def test_where_nobody_at_all_is_on_duty_all_lead_nurses_are_told_and_told_again() -> None:
    nobody = without(*DutyRole)
    decision = look(new(Tier.EMERGENCY), RAISED, nobody)
    assert [one.role for one in decision.happened if isinstance(one, Gap)] == list(DutyRole)
    assert told(decision) == {LEAD}
    assert told(look(decision.facts, after(minutes=5), nobody)) == {LEAD}


def test_where_there_is_nobody_in_the_world_the_case_waits_for_somebody_and_does_not_spin() -> None:
    nobody = replace(without(*DutyRole, last_resort=()), next_change_at=after(minutes=3))
    decision = look(new(Tier.URGENT), RAISED, nobody)
    assert told(decision) == set()
    assert decision.next_at == after(minutes=3)
    assert told(look(decision.facts, after(minutes=3))) == {NURSE, SECOND, DOCTOR, LEAD}


def test_who_comes_on_duty_hears_of_a_case_that_found_nobody() -> None:
    facts = look(new(Tier.URGENT), RAISED, replace(without(DutyRole.NURSE), next_change_at=after(minutes=7)))
    assert facts.next_at == after(minutes=7)
    decision = look(facts.facts, after(minutes=7))
    assert decision.happened == (
        Paged(why=Why.ON_DUTY_NOW, step=5, people=((NURSE, DutyRole.NURSE), (SECOND, DutyRole.NURSE))),
    )


def test_a_night_without_a_lead_nurse_is_no_gap_while_the_doctor_is_told() -> None:
    facts = looked(Tier.EMERGENCY, RAISED, duty=without(DutyRole.LEAD_NURSE))
    decision = look(facts, after(minutes=10), without(DutyRole.LEAD_NURSE))
    assert told(decision) == {DOCTOR}
    assert not any(isinstance(one, Gap) for one in decision.happened)


def arrived(facts: Facts, outcome: Outcome) -> Facts:
    """What was sent came to this."""
    return replace(facts, told=tuple(replace(one, outcome=outcome) for one in facts.told))


def test_a_page_that_did_not_arrive_sends_the_case_to_somebody_else_at_once() -> None:
    facts = looked(Tier.URGENT, RAISED)
    assert told(look(arrived(facts, Outcome.DELIVERED), after(minutes=2))) == set()
    assert told(look(arrived(facts, Outcome.FAILED), after(minutes=2))) == {NURSE, SECOND}
    alone = replace(ALL, people={**ALL.people, DutyRole.NURSE: (NURSE,)})
    assert told(look(arrived(facts, Outcome.FAILED), after(minutes=2), alone)) == {DOCTOR}


def test_where_nothing_arrives_at_the_end_of_the_path_the_interval_is_kept() -> None:
    facts = arrived(looked(Tier.EMERGENCY, RAISED, after(minutes=5), after(minutes=10)), Outcome.FAILED)
    decision = look(facts, after(minutes=11))
    assert (decision.happened, decision.next_at) == ((), after(minutes=15))


@pytest.mark.parametrize("hours", [1, 3, 24, 24 * 365])
def test_after_an_outage_all_that_is_overdue_is_one_step(hours: int) -> None:
    decision = look(new(Tier.URGENT), after(hours=hours))
    assert told(decision) == {NURSE, SECOND, DOCTOR}
    assert decision.facts.life.step == 5
    assert decision.next_at == after(hours=hours, minutes=15)


def test_every_happening_has_its_sentence_without_a_person_in_it() -> None:
    happenings = [
        *look(new(Tier.URGENT), RAISED, without(DutyRole.NURSE)).happened,
        *look(taken(after(minutes=5)), after(hours=9)).happened,
        RaisedAgain(why=Why.SILENCE_ENDED, since=RAISED, round=2),
        *(Paged(why=why, step=1, people=((NURSE, DutyRole.NURSE),)) for why in Why),
    ]
    assert sentence(happenings[0]) == "Nobody could be told as nurse: nobody is on duty"
    assert sentence(happenings[1]).startswith("Escalated to doctor on call: nobody is on duty (since ")
    assert all(sentence(one) and str(NURSE) not in sentence(one) for one in happenings)


# Any life of a case --------------------------------------------------------------

DUTIES = st.builds(
    lambda nurses, doctors, leads, resort, change: OnDuty(
        people={DutyRole.NURSE: nurses, DutyRole.DOCTOR: doctors, DutyRole.LEAD_NURSE: leads},
        first={DutyRole.NURSE: 1, DutyRole.DOCTOR: 1, DutyRole.LEAD_NURSE: 1},
        last_resort=resort,
        next_change_at=None if change is None else RAISED + timedelta(minutes=change),
    ),
    st.sampled_from([(), (NURSE,), (NURSE, SECOND)]),
    st.sampled_from([(), (DOCTOR,)]),
    st.sampled_from([(), (LEAD,), (LEAD, NURSE)]),
    st.sampled_from([(), (LEAD,)]),
    st.one_of(st.none(), st.integers(0, 3000)),
)
LOOKS = st.lists(st.tuples(st.integers(-30, 400), DUTIES, st.sampled_from(Outcome)), min_size=1, max_size=12)


def lived(tier: Tier, looks: list[tuple[int, OnDuty, Outcome]]) -> list[tuple[datetime, OnDuty, Facts, Decision]]:
    """Looks one after another, as their gaps say; time may jump back."""
    facts, at, found = new(tier), RAISED, []
    for minutes, duty, outcome in looks:
        at += timedelta(minutes=minutes)
        before = arrived(facts, outcome)
        # The caller's promise: never before what has already happened.
        now = max([at, before.life.raised_at, *(one.at for one in before.told)])
        decision = look(before, now, duty)
        found.append((now, duty, before, decision))
        facts = decision.facts
    return found


@given(st.sampled_from(Tier), LOOKS)
def test_carried_out_and_asked_again_a_decision_gives_nothing_more(
    tier: Tier, looks: list[tuple[int, OnDuty, Outcome]]
) -> None:
    for now, duty, before, decision in lived(tier, looks):
        assert look(before, now, duty) == decision
        again = look(decision.facts, now, duty)
        assert [one for one in again.happened if not isinstance(one, Gap)] == []
        assert again.facts.life == decision.facts.life


@given(st.sampled_from(Tier), LOOKS)
def test_nobody_is_told_twice_at_a_step_and_every_look_asks_for_a_later_one(
    tier: Tier, looks: list[tuple[int, OnDuty, Outcome]]
) -> None:
    for now, _, before, decision in lived(tier, looks):
        keys = [(one.step, one.account_id) for one in decision.facts.told]
        assert len(keys) == len(set(keys))
        assert decision.facts.life.step >= before.life.step
        assert decision.next_at is not None
        assert decision.next_at > now


@given(st.sampled_from([Tier.EMERGENCY, Tier.URGENT]), LOOKS)
def test_a_critical_case_that_waits_was_told_to_somebody_whenever_there_is_anybody(
    tier: Tier, looks: list[tuple[int, OnDuty, Outcome]]
) -> None:
    for _, duty, _, decision in lived(tier, looks):
        anybody = any(duty.people.values()) or duty.last_resort
        if anybody and decision.facts.life.step > 0:
            assert decision.facts.told


@given(st.sampled_from([Tier.EMERGENCY, Tier.URGENT]), DUTIES, st.integers(0, 10_000))
def test_however_late_the_first_look_the_state_is_the_one_that_time_asks_for(
    tier: Tier, duty: OnDuty, minutes: int
) -> None:
    decision = look(new(tier), after(minutes=minutes), duty)
    if timedelta(minutes=minutes) >= TERMS[tier].escalate_after:
        assert decision.facts.life.state is State.ESCALATED


def test_a_person_told_as_nurse_counts_for_the_step_and_not_for_the_lead_nurse() -> None:
    both = replace(ALL, people={**ALL.people, DutyRole.LEAD_NURSE: (NURSE,)})
    facts = Facts(
        life=replace(new(Tier.EMERGENCY).life, step=1),
        told=(Told(step=1, account_id=NURSE, role=DutyRole.NURSE, at=RAISED),),
    )
    assert told(look(facts, after(minutes=10), both)) == {DOCTOR, NURSE}


def test_the_life_is_written_whole() -> None:
    assert isinstance(look(new(Tier.URGENT), RAISED).facts.life, Life)
    assert look(new(Tier.URGENT), RAISED).facts.life.next_at == after(minutes=15)
