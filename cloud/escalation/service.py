"""One look at a case: lock it, decide (alerting.escalate), write what follows, say when to look again.

All of it is one transaction of the caller's, so that a process that dies leaves either everything or nothing; a second
look at the same time does nothing. Two processes that look at one case wait for each other.

Time: ``now`` is the jobs host's, and the time of a case never runs backwards. Where that clock has jumped back, a case
is judged at the latest time that is written in it: nobody is told twice, and the next step comes late by the jump at
most. Where it has jumped ahead, steps come early by the jump; none is lost.

Who is told must be on duty and in the patient's care team: a page leads to the patient's record, and who may not see it
could do nothing. Somebody on duty who may not is a gap, too.
"""

from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alerting.duty import DutyRole, next_change_at
from alerting.escalate import Decision, Escalated, Gap, OnDuty, Paged, RaisedAgain, Why, escalate
from alerting.escalation_sentences import sentence
from alerting.lifecycle import Event, State, after
from cloud.auth.models import Role
from cloud.db.connect import Connection
from cloud.duty import store as duty
from cloud.duty.gaps import page_name
from cloud.duty.models import Plan
from cloud.escalation import gaps, store
from cloud.escalation.models import OpenGap, Telling, Watched
from cloud.plans.store import rules_of

# How far ahead somebody coming on duty is looked for: a case that waits is looked at once a day anyway.
LOOK_AHEAD: Final = timedelta(days=2)
# How often lead nurses are told of a gap until one of them acknowledges it (proposal of this project).
GAP_AGAIN_EVERY: Final = timedelta(minutes=15)


def look(connection: Connection, case_id: UUID, now: datetime, telling: Telling) -> Decision | None:
    """What is due of the case, done. None: there is no such case. Commits nothing."""
    case = store.locked_case(connection, case_id)
    if case is None:
        return None
    if not case.facts.life.is_open:
        return Decision(facts=case.facts, happened=(), next_at=None)
    at = max(now, case.latest)
    plan = duty.plan(connection, at)
    terms = rules_of(connection, [case.patient_id], at)[case.patient_id].programme.terms[case.facts.life.tier]
    people = _trainees(connection, plan, case) if case.training else _on_duty(connection, plan, case.patient_id, at)
    decision = escalate(case.facts, terms, people, at, plan.working)
    _carry_out(connection, case, decision, at, telling)
    return decision


def tend_gaps(connection: Connection, now: datetime, telling: Telling) -> None:
    """Close gaps that are none any more, and tell the lead nurses again of those that nobody acknowledged."""
    for case_id in sorted(_tended(connection, now, telling)):
        store.wake_now(connection, case_id)


def _tended(connection: Connection, now: datetime, telling: Telling) -> set[UUID]:
    """The same, but for waking the cases that waited for somebody: those."""
    open_gaps = gaps.open_gaps(connection)
    if not open_gaps:
        return set()
    plan = duty.plan(connection, now)
    waiting: set[UUID] = set()
    for gap in open_gaps:
        at = max(now, gap.opened_at)
        if _is_filled(connection, plan, gap, at):
            gaps.resolve(connection, gap.gap_id, at)
            waiting |= {case_id for case_id, _ in gaps.waiting_cases(connection, gap.gap_id)}
        elif gap.next_at is not None and gap.next_at <= at:
            _tell_of_gap(connection, plan, gap, at, telling)
    return waiting


def _carry_out(connection: Connection, case: Watched, decision: Decision, at: datetime, telling: Telling) -> None:
    before, life = case.facts.life, decision.facts.life
    changed = any(isinstance(one, RaisedAgain | Escalated) for one in decision.happened)
    if life != before:
        store.write(connection, case, life, at if changed else case.changed_at)
    state = before.state
    for one in decision.happened:
        match one:
            case RaisedAgain():
                event = Event.END_SILENCE if one.why is Why.SILENCE_ENDED else Event.LAPSE
                data: Mapping[str, object] = {"why": one.why, "round": one.round, "sentence": sentence(one)}
                was, state = state, after(state, event)
                store.add_event(connection, case, event, was, state, data, at)
            case Escalated():
                data = {"why": one.why, "to": one.to, "step": one.step, "sentence": sentence(one)}
                was, state = state, after(state, Event.ESCALATE)
                store.add_event(connection, case, Event.ESCALATE, was, state, data, at)
            case Gap():
                if not case.training:
                    _run_into(connection, case, one, state, at)
            case Paged():
                for account_id, role in one.people:
                    store.record_page(connection, case.case_id, life.round, one.step, account_id, role, at)
                    telling.notify(
                        connection, case_id=case.case_id, round=life.round, step=one.step, account_id=account_id, at=at
                    )
    is_gap = not case.training and any(isinstance(one, Gap) for one in decision.happened)
    waiting = _tended(connection, at, telling) if is_gap else set[UUID]()
    _wake(connection, case.case_id, decision.next_at, waiting)


def _wake(connection: Connection, case_id: UUID, next_at: datetime | None, waiting: Set[UUID]) -> None:
    """The case at its time, and those that waited now: in the order in which everybody wakes several (0007_cases)."""
    for one in sorted(waiting | {case_id}):
        if one in waiting:
            store.wake_now(connection, one)
        elif next_at is not None:
            store.wake(connection, one, next_at)


def _run_into(connection: Connection, case: Watched, gap: Gap, state: State, at: datetime) -> None:
    gap_id, is_new = gaps.run_into(connection, gap.role, gap.why, case.case_id, at)
    if is_new:
        data = {"why": gap.why, "role": gap.role, "gap_id": str(gap_id), "sentence": sentence(gap)}
        store.add_event(connection, case, "duty_gap", state, state, data, at)


def _on_duty(connection: Connection, plan: Plan, patient_id: UUID, at: datetime) -> OnDuty:
    team = store.care_team(connection, patient_id)
    people: dict[DutyRole, list[UUID]] = {}
    first: dict[DutyRole, int] = {}
    outside: set[DutyRole] = set()
    for role in DutyRole:
        on_duty = duty.people_on_duty(plan, role, at)
        told = [person for person in on_duty if person.account_id in team]
        people[role] = [person.account_id for person in told]
        first[role] = sum(1 for person in told if person.order == told[0].order)
        if on_duty and not told:
            outside.add(role)
    return OnDuty(
        people=people,
        first=first,
        outside=frozenset(outside),
        last_resort=[who for who in _lead_nurses(plan) if who in team],
        next_change_at=next_change_at(plan.roster, DutyRole, at, LOOK_AHEAD),
    )


def _trainees(connection: Connection, plan: Plan, case: Watched) -> OnDuty:
    """Everybody who learns on this patient, in their own role: nobody else hears of it."""
    team = sorted(store.care_team(connection, case.patient_id) & plan.staff.keys())
    of = {
        DutyRole.NURSE: frozenset({Role.NURSE, Role.LEAD_NURSE}),
        DutyRole.DOCTOR: frozenset({Role.DOCTOR}),
        DutyRole.LEAD_NURSE: frozenset({Role.LEAD_NURSE}),
    }
    return OnDuty(people={role: [who for who in team if plan.staff[who].role in roles] for role, roles in of.items()})


def _lead_nurses(plan: Plan) -> list[UUID]:
    return sorted(person.account_id for person in plan.staff.values() if person.role is Role.LEAD_NURSE)


def _is_filled(connection: Connection, plan: Plan, gap: OpenGap, at: datetime) -> bool:
    people = {person.account_id for person in duty.people_on_duty(plan, DutyRole(gap.role), at)}
    if gap.why == Why.NOBODY_ON_DUTY:
        return bool(people)
    waiting = gaps.waiting_cases(connection, gap.gap_id)
    return all(people & store.care_team(connection, patient_id) for _, patient_id in waiting)


def _tell_of_gap(connection: Connection, plan: Plan, gap: OpenGap, at: datetime, telling: Telling) -> None:
    """Lead nurses on duty the first time, if there are any; all of them else."""
    on_duty = [person.account_id for person in duty.people_on_duty(plan, DutyRole.LEAD_NURSE, at)]
    everybody = sorted({*_lead_nurses(plan), *on_duty})
    name = page_name(gap.role, gap.why, gap.opened_at, gap.paged + 1)
    for account_id in on_duty if on_duty and not gap.paged else everybody:
        telling.notify_of_gap(connection, gap=name, account_id=account_id, at=at)
    gaps.told_again(connection, gap.gap_id, at + GAP_AGAIN_EVERY)
