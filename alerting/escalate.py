"""What happens to a case at this moment because of its deadlines, and when to look at it again.

Pure: the same facts, promises, people on duty and time give the same decision. A decision that was carried out gives
nothing more when it is asked for again at the same time, so that whoever carries it out may do so twice (a gap is named
as long as it lasts).

The path of a round, counted from when it was raised (``alerting.tiers`` has the figures; all are proposals):

=============  =========================================================================================================
emergency      nurses on duty at once and again each ``acknowledge_within`` · at ``escalate_after`` doctors on duty and
               lead nurses · then both again each ``acknowledge_within``, until somebody acknowledges
urgent         the first in the on-call order of the nurses at once, all of them at each ``acknowledge_within`` (three
               times at most) · at ``escalate_after`` the first doctor · then all doctors and lead nurses, each
               ``acknowledge_within``, until somebody acknowledges
same shift     nurses on duty once at the deadline · lead nurses on duty once at ``escalate_after``
routine and    nobody is paged; at ``escalate_after`` the case is put on the weekly review
retrospective
=============  =========================================================================================================

- Where nobody can be told at a step of the upper two tiers, the next step is due at once, and the role has a gap. The
  last resort are all lead nurses who may see the patient. For the others, whoever comes on duty next is told.
- Where nothing that was sent at a step arrived, the next step that reaches somebody else is due at once.
- After an outage all that is overdue happens as one step: everybody who should have heard hears once.
- A role that nobody was told of hears as soon as somebody is on duty for it.
- A round that begins with the doctor or the lead nurse (a person escalated it) begins its path with them.
- A case whose owner did not speak to the patient in time goes to the end of the path.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from alerting.duty import DutyRole
from alerting.life import Life, lapsed, silence_ran_out
from alerting.lifecycle import Event, State, after
from alerting.tiers import Role, Terms, Tier
from alerting.working_time import WorkingDays, deadline

SOURCE = "proposal of this project; no standard fixes it"
# Times that nurses are paged again before the case goes to the next of the path (source: SOURCE).
AGAIN_AT_MOST = 3
# How often a case is looked at of which nothing is due (source: SOURCE).
LOOK_AGAIN_AFTER = timedelta(days=1)
# The shortest time until the next look: a promise of no time at all must not become a loop.
SOONEST = timedelta(seconds=1)

DUTY_OF: Mapping[Role, DutyRole] = {
    Role.DOCTOR_ON_DUTY: DutyRole.DOCTOR,
    Role.LEAD_NURSE: DutyRole.LEAD_NURSE,
}


class Outcome(StrEnum):
    """What became of telling a person."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Why(StrEnum):
    """What made it happen."""

    RAISED = "raised"  # the round began
    NOT_ACKNOWLEDGED = "not_acknowledged"  # by the time of the step
    NOBODY_ON_DUTY = "nobody_on_duty"  # at the step before, or for the role
    NOBODY_IN_CARE_TEAM = "nobody_in_care_team"  # some are on duty, and none of them may see the patient
    NOT_DELIVERED = "not_delivered"  # nothing that was sent arrived
    NOT_CONTACTED = "not_contacted"  # acknowledged, and nobody spoke to the patient in time
    LEASE_ENDED = "lease_ended"
    SILENCE_ENDED = "silence_ended"
    ESCALATED = "escalated"  # by a person, or worsened while it was escalated
    ON_DUTY_NOW = "on_duty_now"  # of a role of which nobody was told before


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One person was told at a step of this round, as being on duty for ``role``."""

    step: int
    account_id: UUID
    role: DutyRole
    at: datetime
    outcome: Outcome = Outcome.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A case as it is, who was told in this round, and when somebody last acknowledged it."""

    life: Life
    told: tuple[Told, ...] = ()
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who can be told of this case now: on duty, and in the patient's care team; by role, in on-call order.

    ``first``: how many of each role share the first place of the order. ``outside``: roles for which somebody is on
    duty, and nobody of them may see the patient. ``last_resort``: all lead nurses who may. ``next_change_at``: when
    others are on duty, as far as one can see.
    """

    people: Mapping[DutyRole, Sequence[UUID]] = field(default_factory=dict)
    first: Mapping[DutyRole, int] = field(default_factory=dict)
    outside: frozenset[DutyRole] = frozenset()
    last_resort: Sequence[UUID] = ()
    next_change_at: datetime | None = None

    def of(self, role: DutyRole, *, everybody: bool) -> Sequence[UUID]:
        """Those to tell of this role."""
        found = self.people.get(role, ())
        return found if everybody else found[: self.first.get(role, len(found))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the path: from when on, whom, and whether the case is escalated by it."""

    number: int
    due: datetime
    roles: tuple[DutyRole, ...]
    everybody: bool
    escalates_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAgain:
    """A new round begins: nobody has it."""

    why: Why
    since: datetime  # what ended then
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """It went to the next of the path."""

    why: Why
    to: str
    step: int
    since: datetime  # raised then; for NOT_CONTACTED the time by which the patient was to be spoken to


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """These people are told, each as being on duty for a role."""

    why: Why
    step: int
    people: tuple[tuple[UUID, DutyRole], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Nobody could be told of this role."""

    why: Why
    role: DutyRole


Happening = RaisedAgain | Escalated | Paged | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The case as it is from now on, what happened to it in this order, and when to look again (None: closed)."""

    facts: Facts
    happened: tuple[Happening, ...]
    next_at: datetime | None


def escalate(facts: Facts, terms: Terms, duty: OnDuty, at: datetime, days: WorkingDays) -> Decision:
    """What is due by ``at``.

    Carried out and asked again at the same time, it gives nothing more; but a gap is named as long as it lasts.
    """
    if not facts.life.is_open:
        return Decision(facts=facts, happened=(), next_at=None)
    facts = replace(facts, life=_on_the_calendar(facts.life, terms, days))
    happened: list[Happening] = []
    if facts.life.silenced_until is not None and facts.life.silenced_until <= at:
        facts, again = _silence_ran_out(facts, terms, at, days)
        happened += again
    if facts.life.is_owned:
        facts, left = _owned(facts, terms, at, days)
        happened += left
    if facts.life.is_waiting and not facts.life.is_silent(at):
        facts, walked = _walked(facts, terms, duty, at, happened)
        happened += walked
    next_at = _next_at(facts, terms, duty, at)
    return Decision(
        facts=replace(facts, life=replace(facts.life, next_at=next_at)), happened=tuple(happened), next_at=next_at
    )


def path(life: Life, terms: Terms) -> tuple[Step, ...]:
    """The steps of this round with their times, without the repetitions at its end.

    A round that begins with the case at the doctor's or the lead nurse's begins with them instead of the nurses.
    """
    escalation = life.raised_at + terms.escalate_after
    # Not by the deadline, which a person moves: within a round a step keeps its number.
    within = [terms.acknowledge_within * times for times in range(1, AGAIN_AT_MOST + 1)] if terms.pages else []
    again = [life.raised_at + span for span in within if span < terms.escalate_after]
    begins = _begins_with(life, terms, last=len(again) + 2)
    if terms.pages or _escalated_role(life) & set(begins):
        first = life.raised_at
    else:
        first = life.raised_at if terms.working_time else min(life.raised_at + terms.acknowledge_within, escalation)
    everybody = life.tier is Tier.EMERGENCY or not terms.pages
    steps = [Step(number=1, due=first, roles=begins, everybody=everybody)]
    steps += [Step(number=n, due=due, roles=begins, everybody=True) for n, due in enumerate(again, start=2)]
    last = Step(
        number=len(steps) + 1,
        due=escalation,
        roles=tuple(DUTY_OF[role] for role in terms.escalate_to if role in DUTY_OF),
        everybody=everybody,
        escalates_to=_name(terms.escalate_to[0]),
    )
    return (*steps, last)


def _begins_with(life: Life, terms: Terms, last: int) -> tuple[DutyRole, ...]:
    # Once the path has been walked to its end, the nurses are those of its beginning whom nobody told.
    if life.step < last and _escalated_role(life):
        return tuple(_escalated_role(life))
    return (DutyRole.NURSE,) if terms.pages or not terms.working_time else ()


def _name(role: Role) -> str:
    return DUTY_OF.get(role, role)


def _on_the_calendar(life: Life, terms: Terms, days: WorkingDays) -> Life:
    """With the deadlines of working days put on the calendar; whoever raised it counted hours."""
    if not terms.working_time:
        return life
    contact_by = life.contact_by
    if contact_by is not None and contact_by > life.raised_at:
        contact_by = deadline(days, life.raised_at, terms.contact_within)
    return replace(life, deadline=deadline(days, life.raised_at, terms.acknowledge_within), contact_by=contact_by)


def _silence_ran_out(facts: Facts, terms: Terms, at: datetime, days: WorkingDays) -> tuple[Facts, list[Happening]]:
    since = facts.life.silenced_until or at
    life = _on_the_calendar(silence_ran_out(facts.life, at, terms), terms, days)
    if life.round == facts.life.round:
        return replace(facts, life=life), []
    again = RaisedAgain(why=Why.SILENCE_ENDED, since=since, round=life.round)
    return replace(facts, life=life, told=()), [again]


def _owned(facts: Facts, terms: Terms, at: datetime, days: WorkingDays) -> tuple[Facts, list[Happening]]:
    life = facts.life
    if life.is_lapsed(at):
        free = _on_the_calendar(lapsed(life, at, terms), terms, days)
        since = life.lease_until or at
        return replace(facts, life=free, told=()), [RaisedAgain(why=Why.LEASE_ENDED, since=since, round=free.round)]
    contact_by = _contact_by(facts, terms)
    if life.is_silent(at) or contact_by is None or at < contact_by:
        return facts, []
    last = path(life, terms)[-1]
    to = last.escalates_to or ""
    escalated = replace(
        life,
        state=after(life.state, Event.ESCALATE),
        # A number of its own: whoever was told at the last step is told of this, too.
        step=max(life.step + 1, last.number),
        escalated_to=to,
        owner=None,
        lease_until=None,
        offered_to=None,
    )
    happened = Escalated(why=Why.NOT_CONTACTED, to=to, step=escalated.step, since=contact_by)
    return replace(facts, life=escalated), [happened]


def _contact_by(facts: Facts, terms: Terms) -> datetime | None:
    """By when the owner is to speak to the patient; None: done, or never promised.

    Who takes a case late has as long for it as who takes it at the last moment that is in time.
    """
    life = facts.life
    if life.contact_by is None or life.contacted_at is not None:
        return None
    if facts.acknowledged_at is None:
        return life.contact_by
    span = terms.contact_within - terms.acknowledge_within
    return max(life.contact_by, facts.acknowledged_at + (span if span > timedelta() else terms.contact_within))


def _walked(
    facts: Facts, terms: Terms, duty: OnDuty, at: datetime, before: Sequence[Happening]
) -> tuple[Facts, list[Happening]]:
    life, steps = facts.life, path(facts.life, terms)
    target, why = _target(facts, terms, steps, duty, at)
    if terms.pages and target > 0:
        target, why = _past_nobody(facts, terms, steps, duty, target, why)
    happened: list[Happening] = list(_gaps(facts, terms, steps, target, duty))
    to = _escalated_to(steps, target, terms) if target > life.step else None
    if to is not None and (to != life.escalated_to or life.state is not State.ESCALATED):
        happened.append(Escalated(why=why, to=to, step=target, since=life.raised_at))
        life = replace(life, state=after(life.state, Event.ESCALATE), escalated_to=to)
    facts = replace(facts, life=replace(life, step=target))
    people = tuple(_people(facts, terms, path(facts.life, terms), duty))
    if not people:
        return facts, happened
    if before:
        why = before[-1].why
    happened.append(Paged(why=why, step=target, people=people))
    told = tuple(Told(step=target, account_id=who, role=role, at=at) for who, role in people)
    return replace(facts, told=facts.told + told), happened


def _target(facts: Facts, terms: Terms, steps: Sequence[Step], duty: OnDuty, at: datetime) -> tuple[int, Why]:
    """The last step that is due by time, and why it is."""
    step = facts.life.step
    due = [one.number for one in steps if one.due <= at]
    if due and due[-1] > step:
        return due[-1], Why.RAISED if steps[due[-1] - 1].due <= facts.life.raised_at else Why.NOT_ACKNOWLEDGED
    repeats = step >= steps[-1].number and _repeats_at(facts, terms, at) <= at
    # Without anybody to tell it would be a step of nobody's, and the next one due at once.
    if repeats and (duty.last_resort or not _is_hole(facts, _step(steps, step + 1, terms), duty)):
        return step + 1, Why.NOT_ACKNOWLEDGED
    by_hand = facts.life.state is State.ESCALATED and not _told_at(facts, step)
    return step, Why.ESCALATED if by_hand else Why.ON_DUTY_NOW


def _past_nobody(
    facts: Facts, terms: Terms, steps: Sequence[Step], duty: OnDuty, target: int, why: Why
) -> tuple[int, Why]:
    """The step that reaches somebody, from this one on: past whom nothing reaches, and past roles without people."""
    beyond = _unreached(facts, steps, target, duty)
    if beyond is not None:
        target, why = beyond, Why.NOT_DELIVERED
    while target <= steps[-1].number and _is_hole(facts, _step(steps, target, terms), duty):
        why = _nobody(_step(steps, target, terms).roles, duty)
        target += 1
    return target, why


def _repeats_at(facts: Facts, terms: Terms, at: datetime) -> datetime:
    """When the path's end is repeated: counted from when its step was told to somebody."""
    if not terms.pages:
        return at + LOOK_AGAIN_AFTER
    told = max((told.at for told in facts.told if told.step == facts.life.step), default=at)
    return told + max(terms.acknowledge_within, SOONEST)


def _told_at(facts: Facts, step: int) -> set[UUID]:
    return {told.account_id for told in facts.told if told.step == step}


def _step(steps: Sequence[Step], number: int, terms: Terms) -> Step:
    """The step of this number; those beyond the path repeat its end, to lead nurses, too."""
    if number <= len(steps):
        return steps[number - 1]
    last = steps[-1]
    if not terms.pages:
        return replace(last, number=number)
    roles = tuple(dict.fromkeys((*last.roles, DutyRole.LEAD_NURSE)))
    return replace(last, number=number, roles=roles, everybody=True)


def _escalated_to(steps: Sequence[Step], target: int, terms: Terms) -> str | None:
    if target < steps[-1].number:
        return None
    last = steps[-1]
    if target == last.number or not terms.pages or DutyRole.LEAD_NURSE in last.roles:
        return last.escalates_to
    return DutyRole.LEAD_NURSE


def _unreached(facts: Facts, steps: Sequence[Step], target: int, duty: OnDuty) -> int | None:
    """The next step that reaches somebody else, where nothing that was sent in this round arrived; None otherwise."""
    if target != facts.life.step or not facts.told or any(told.outcome is not Outcome.FAILED for told in facts.told):
        return None
    failed = {told.account_id for told in facts.told}
    later = (step for step in steps if step.number > target)
    return next(
        (
            step.number
            for step in later
            if any(who not in failed for role in step.roles for who in duty.of(role, everybody=step.everybody))
        ),
        None,
    )


def _is_hole(facts: Facts, step: Step, duty: OnDuty) -> bool:
    return not _told_at(facts, step.number) and not any(duty.people.get(role) for role in step.roles)


def _nobody(roles: Sequence[DutyRole], duty: OnDuty) -> Why:
    outside = bool(roles) and all(role in duty.outside for role in roles)
    return Why.NOBODY_IN_CARE_TEAM if outside else Why.NOBODY_ON_DUTY


def _gaps(facts: Facts, terms: Terms, steps: Sequence[Step], target: int, duty: OnDuty) -> Iterator[Gap]:
    """The roles of the steps up to the target that have nobody, where the case did not reach anybody by that step."""
    if not terms.pages:
        return
    told = {told.role for told in facts.told}
    missing: set[DutyRole] = set()
    for number in range(1, min(target, len(steps) + 1) + 1):
        step = _step(steps, number, terms)
        if any(duty.people.get(role) for role in step.roles):
            continue
        if number == target or not told & set(step.roles):
            missing |= set(step.roles)
    for role in (role for role in DutyRole if role in missing):
        yield Gap(why=_nobody((role,), duty), role=role)


def _people(facts: Facts, terms: Terms, steps: Sequence[Step], duty: OnDuty) -> Iterator[tuple[UUID, DutyRole]]:
    """Whom to tell at this step who was not told at it, each once.

    Where nobody was told at the step, all that it names. Always those of whose role nobody was told in this round.
    """
    life = facts.life
    if life.step == 0:
        return
    step, seen = _step(steps, life.step, terms), _told_at(facts, life.step)
    roles = set() if seen else {*step.roles, *_escalated_role(life)}
    wanted = [role for role in DutyRole if role in roles | _untold(facts, steps, terms)]
    found = [
        (who, role) for role in wanted for who in duty.of(role, everybody=step.everybody or role not in step.roles)
    ]
    if terms.pages and life.step > len(steps) and not found and not seen:
        found = [(who, DutyRole.LEAD_NURSE) for who in duty.last_resort]
    for who, role in found:
        if who not in seen:
            seen.add(who)
            yield who, role


def _untold(facts: Facts, steps: Sequence[Step], terms: Terms) -> set[DutyRole]:
    """The roles of all steps up to this one of which nobody was told in this round."""
    life = facts.life
    last = min(life.step, len(steps) + 1)
    reached = {role for n in range(1, last + 1) for role in _step(steps, n, terms).roles}
    return (reached | _escalated_role(life)) - {told.role for told in facts.told}


def _escalated_role(life: Life) -> set[DutyRole]:
    is_role = life.state is State.ESCALATED and life.escalated_to in set(DutyRole)
    return {DutyRole(life.escalated_to or "")} if is_role else set()


def _next_at(facts: Facts, terms: Terms, duty: OnDuty, at: datetime) -> datetime:
    life = facts.life
    candidates = [at + LOOK_AGAIN_AFTER]
    if life.silenced_until is not None:
        candidates.append(life.silenced_until)
    if life.is_owned:
        contact_by = None if life.is_silent(at) else _contact_by(facts, terms)
        candidates += [due for due in (life.lease_until, contact_by) if due is not None]
    elif not life.is_silent(at):
        candidates += _next_of_path(facts, terms, duty, at)
    return max(min(candidates), at + SOONEST)


def _next_of_path(facts: Facts, terms: Terms, duty: OnDuty, at: datetime) -> Iterator[datetime]:
    steps, number = path(facts.life, terms), facts.life.step
    yield from (step.due for step in steps if step.number > number)
    if number >= steps[-1].number and terms.pages:
        repeats = _repeats_at(facts, terms, at)
        # Overdue only while there is nobody to tell.
        yield repeats if repeats > at else at + max(terms.acknowledge_within, SOONEST)
    if duty.next_change_at is not None and _untold(facts, steps, terms):
        yield duty.next_change_at
