"""What each event does to a case's owner, lease, deadlines and silence."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from alerting import life
from alerting.lifecycle import State
from alerting.tiers import TERMS, Tier
from tests.alerting.made import START

NORA, BEN = UUID(int=1), UUID(int=2)
URGENT, EMERGENCY = TERMS[Tier.URGENT], TERMS[Tier.EMERGENCY]
RAISED = life.raised(Tier.URGENT, START, URGENT)
NORAS = life.acknowledged(RAISED, NORA, START, URGENT.lease)
LATER = START + timedelta(minutes=10)


def test_a_new_case_has_its_tiers_promises_and_is_looked_at_now() -> None:
    assert (RAISED.deadline, RAISED.contact_by) == (START + URGENT.acknowledge_within, START + URGENT.contact_within)
    assert (RAISED.next_at, RAISED.round, RAISED.step) == (START, 1, 0)


def test_worsening_begins_a_round_takes_the_case_from_its_owner_and_breaks_a_silence() -> None:
    silent = life.silenced(life.contacted(NORAS, START, URGENT.lease), NORA, "waits", START + timedelta(hours=1), START)
    worse = life.worsened(replace(silent, step=3), Tier.EMERGENCY, LATER, EMERGENCY)
    assert worse == replace(life.raised(Tier.EMERGENCY, LATER, EMERGENCY), round=2)


def test_an_escalated_case_that_worsens_stays_with_whom_it_is_escalated_to() -> None:
    escalated = life.escalated(NORAS, "doctor", START, URGENT)
    worse = life.worsened(escalated, Tier.EMERGENCY, LATER, EMERGENCY)
    assert (worse.state, worse.escalated_to, worse.round, worse.step) == (State.ESCALATED, "doctor", 3, 0)


def test_a_lease_that_ran_out_leaves_nothing_of_its_owner_but_what_was_said_to_the_patient() -> None:
    offered = life.handed_over(life.contacted(NORAS, START, URGENT.lease), BEN, START, URGENT.lease)
    free = life.lapsed(offered, LATER, URGENT)
    assert free == replace(life.raised(Tier.URGENT, LATER, URGENT), round=2, contacted_at=START)


def test_escalating_by_hand_keeps_the_promise_to_the_patient_and_ends_a_silence() -> None:
    silent = life.silenced(NORAS, NORA, "waits", START + timedelta(hours=1), START)
    escalated = life.escalated(silent, "lead_nurse", LATER, URGENT)
    assert (escalated.contact_by, escalated.deadline) == (RAISED.contact_by, LATER + URGENT.acknowledge_within)
    assert (escalated.owner, escalated.silenced_until, escalated.round) == (None, None, 2)


def test_who_takes_what_was_offered_has_it_and_the_offer_is_gone() -> None:
    taken = life.acknowledged(life.handed_over(NORAS, BEN, START, URGENT.lease), BEN, LATER, URGENT.lease)
    assert (taken.owner, taken.offered_to, taken.lease_until) == (BEN, None, LATER + URGENT.lease)


def test_a_colleague_who_reports_symptoms_or_a_call_renews_the_owners_lease() -> None:
    for renewed in (life.asked(NORAS, LATER, URGENT.lease), life.contacted(NORAS, LATER, URGENT.lease)):
        assert (renewed.owner, renewed.lease_until, renewed.contacted_at) == (NORA, LATER + URGENT.lease, LATER)


def test_a_silence_that_runs_out_raises_what_nobody_has() -> None:
    until = START + timedelta(hours=1)
    waiting = life.silence_ran_out(life.silenced(RAISED, NORA, "waits", until, START), until, URGENT)
    assert (waiting.round, waiting.raised_at, waiting.silenced_until) == (2, until, None)
    owned = life.silence_ran_out(life.silenced(NORAS, NORA, "waits", until, START), until, URGENT)
    assert (owned.round, owned.owner, owned.silenced_until) == (1, NORA, None)


def test_a_closed_case_is_looked_at_no_more_and_keeps_who_closed_it() -> None:
    closed = life.resolved(NORAS)
    assert (closed.next_at, closed.owner, closed.lease_until, closed.is_open) == (None, NORA, None, False)
    assert life.closed_automatically(RAISED).owner is None
