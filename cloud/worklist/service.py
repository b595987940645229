"""What people do with a case: who may do it, and what changes then.

Every act locks the case's row, checks, writes the case with its event and an audit row, and wakes whoever looks at the
case's deadlines. The same person doing the same again changes nothing more. None: no such case for this account.
"""

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting import acts, life, red_flags
from alerting.acts import Refusal
from alerting.dispositions import MEANINGS, Disposition
from alerting.life import Life
from alerting.lifecycle import Event, IllegalTransition, State
from alerting.pipeline import Finding
from alerting.reasons import RedFlag
from alerting.sentences import sentence
from alerting.tiers import Terms, Tier
from cloud.alerts.reasons import to_json
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.worklist import store
from cloud.worklist.models import Case, Conflict

Connection = AsyncConnection[Any]
Outcome = Case | Conflict | None

# Two clicks; whoever does it again later means it.
TWICE_WITHIN: Final = timedelta(minutes=1)
LONGEST_NOTE: Final = 1000
# The names that the duty roster has for them.
ESCALATES_TO: Final = ("doctor", "lead_nurse")


async def acknowledge(conn: Connection, session: Session, case_id: UUID, now: datetime) -> Outcome:
    """Take ownership: of a case that nobody has, whose lease has run out, or that was offered to this person."""
    case = await store.case_to_take(conn, session.account_id, case_id)
    if case is None or _is_in_hand(case, session, now):
        return case
    if (refused := acts.refusal(case.life, Event.ACKNOWLEDGE, session.account_id, now)) is not None:
        return Conflict(code=refused, case=case)
    terms = await store.terms(conn, case.patient_id, case.tier, now)
    if case.life.is_lapsed(now) and case.owner != session.account_id:
        case = await _lapse(conn, session, case, terms, now)
    was = {"from": str(case.owner)} if case.owner not in (None, session.account_id) else {}
    after = life.acknowledged(case.life, session.account_id, now, terms.lease)
    return await _write(conn, session, case, after, Event.ACKNOWLEDGE, now, was)


async def start(conn: Connection, session: Session, case_id: UUID, now: datetime) -> Outcome:
    """The owner has begun."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (case.state is State.IN_PROGRESS and case.owner == session.account_id):
        return case
    return await _act(conn, session, case, Event.START, now, lambda terms: life.started(case.life, now, terms.lease))


async def hand_over(conn: Connection, session: Session, case_id: UUID, to: UUID | None, now: datetime) -> Outcome:
    """Offer it to a colleague of the care team; it stays with its owner until they acknowledge it."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (to is not None and case.owner == session.account_id and case.offered_to == to):
        return case
    colleagues = await store.colleagues(conn, session.account_id, case.patient_id)
    if to is None or to not in {colleague.account_id for colleague in colleagues}:
        return Conflict(code="no_colleague", case=case)
    return await _act(
        conn,
        session,
        case,
        Event.HAND_OVER,
        now,
        lambda terms: life.handed_over(case.life, to, now, terms.lease),
        {"to": str(to)},
    )


async def withdraw(conn: Connection, session: Session, case_id: UUID, now: datetime) -> Outcome:
    """Take back the offer."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (case.owner == session.account_id and case.is_owned and case.offered_to is None):
        return case
    return await _act(
        conn, session, case, Event.WITHDRAW, now, lambda terms: life.withdrawn(case.life, now, terms.lease)
    )


async def escalate(conn: Connection, session: Session, case_id: UUID, to: str, reason: str, now: datetime) -> Outcome:
    """To the doctor or the lead nurse on duty, who are told now; nobody's until somebody takes it."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (case.state is State.ESCALATED and case.escalated_to == to):
        return case
    if to not in ESCALATES_TO:
        return Conflict(code="no_role", case=case)
    if not (reason := _note(reason)):
        return Conflict(code="no_reason", case=case)
    return await _act(
        conn,
        session,
        case,
        Event.ESCALATE,
        now,
        lambda terms: life.escalated(case.life, to, now, terms),
        {"to": to, "reason": reason},
    )


async def contact(conn: Connection, session: Session, case_id: UUID, now: datetime) -> Outcome:
    """Somebody has spoken with the patient."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (case.contacted_at is not None and now - case.contacted_at < TWICE_WITHIN):
        return case
    return await _act(
        conn, session, case, Event.CONTACT, now, lambda terms: life.contacted(case.life, now, terms.lease)
    )


async def silence(
    conn: Connection, session: Session, case_id: UUID, length: timedelta | None, reason: str, now: datetime
) -> Outcome:
    """Nobody is paged for so long, unless it worsens."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (length is not None and _is_silenced_so(case, session, now + length)):
        return case
    if not case.is_open:
        return Conflict(code=Refusal.CLOSED, case=case)
    if (refused := acts.silence_refusal(case.tier, now + (length or timedelta()), now)) is not None:
        return Conflict(code=refused, case=case)
    if not (reason := _note(reason)):
        return Conflict(code="no_reason", case=case)
    until = now + (length or timedelta())
    return await _act(
        conn,
        session,
        case,
        Event.SILENCE,
        now,
        lambda _: life.silenced(case.life, session.account_id, reason, until, now),
        {"reason": reason, "until": until.isoformat()},
    )


async def end_silence(conn: Connection, session: Session, case_id: UUID, now: datetime) -> Outcome:
    """Before its time."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (case.is_open and case.silenced_until is None):
        return case
    return await _act(conn, session, case, Event.END_SILENCE, now, lambda _: life.silence_ended(case.life, now))


async def resolve(
    conn: Connection, session: Session, case_id: UUID, disposition: str, note: str, now: datetime
) -> Outcome:
    """Close one's own case, saying what became of it."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None or (case.state is State.RESOLVED and case.owner == session.account_id):
        return case
    if (refused := acts.refusal(case.life, Event.RESOLVE, session.account_id, now)) is not None:
        return Conflict(code=refused, case=case)
    if disposition not in set(Disposition):
        return Conflict(code="no_disposition", case=case)
    note = _note(note)
    if MEANINGS[Disposition(disposition)].needs_note and not note:
        return Conflict(code="no_note", case=case)
    await store.close(conn, case_id, now, disposition, note or None)
    data = {"disposition": disposition, **({"note": note} if note else {})}
    return await _act(conn, session, case, Event.RESOLVE, now, lambda _: life.resolved(case.life), data)


async def answer(
    conn: Connection, session: Session, case_id: UUID, yes: Collection[str], nothing: bool, now: datetime
) -> Outcome:
    """What the patient answered when asked for red flags: any yes makes an emergency of it, and everybody is told."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None:
        return None
    if (refused := acts.refusal(case.life, Event.ASK, session.account_id, now)) is not None:
        return Conflict(code=refused, case=case)
    asked = red_flags.questions_about(case.condition, case.why)
    if not set(yes) <= set(asked) or bool(yes) == nothing:
        return Conflict(code="no_answer", case=case)
    if yes:
        return await _worsen(conn, session, case, {RedFlag(flag) for flag in yes}, now)
    if await store.is_latest(conn, case_id, Event.ASK, session.account_id, now - TWICE_WITHIN):
        return case
    return await _act(
        conn,
        session,
        case,
        Event.ASK,
        now,
        lambda terms: life.asked(case.life, now, terms.lease),
        {"asked": list(asked)},
    )


async def _worsen(conn: Connection, session: Session, case: Case, yes: Set[RedFlag], now: datetime) -> Case:
    """An emergency by what the patient says. Who asked has spoken with them."""
    why = case.why
    known = red_flags.flags_in(why)
    if case.tier is Tier.EMERGENCY and yes <= set(known):
        return case
    flags = [flag for flag in red_flags.QUESTIONS if flag in yes | set(known)]
    if why is None:
        reason: Mapping[str, object] = {"finding": case.reason, "flags": flags, "asked_at": now.isoformat()}
        said = red_flags.told_sentence(case.sentence, flags)
    else:
        finding = Finding(condition=case.condition, tier=case.tier, reason=red_flags.finding_in(why), at=now)
        answered = red_flags.after_answers(finding, flags, now).reason
        reason, said = to_json(answered), sentence(answered)
    await store.tell(conn, case, Tier.EMERGENCY, reason, said, session.account_id, now)
    await store.speak(conn, case.case_id, reason, said)
    terms = await store.terms(conn, case.patient_id, Tier.EMERGENCY, now)
    after = replace(life.worsened(case.life, Tier.EMERGENCY, now, terms), contacted_at=now)
    return await _write(conn, session, case, after, Event.WORSEN, now, {"tier": Tier.EMERGENCY, "flags": flags})


def _is_in_hand(case: Case, session: Session, now: datetime) -> bool:
    return case.is_owned and case.owner == session.account_id and not case.life.is_lapsed(now)


def _is_silenced_so(case: Case, session: Session, until: datetime) -> bool:
    mine = case.is_open and case.silenced_by == session.account_id and case.silenced_until is not None
    return mine and abs((case.silenced_until or until) - until) < TWICE_WITHIN


def _note(text: str) -> str:
    return " ".join(text.split())[:LONGEST_NOTE]


async def _lapse(conn: Connection, session: Session, case: Case, terms: Terms, now: datetime) -> Case:
    """Write down that the lease has run out, before the job that would have."""
    data = {"lease_until": case.lease_until.isoformat() if case.lease_until else None, "owner": str(case.owner)}
    await store.change(conn, case, life.lapsed(case.life, now, terms), event=Event.LAPSE, actor=None, at=now, data=data)
    return await store.case(conn, session.account_id, case.case_id) or case


async def _act(
    conn: Connection,
    session: Session,
    case: Case,
    event: Event,
    now: datetime,
    change: Callable[[Terms], Life],
    data: Mapping[str, object] | None = None,
) -> Case | Conflict:
    """Do it, if this person may and the transition table has it."""
    if (refused := acts.refusal(case.life, event, session.account_id, now)) is not None:
        return Conflict(code=refused, case=case)
    try:
        after = change(await store.terms(conn, case.patient_id, case.tier, now))
    except IllegalTransition:
        return Conflict(code="not_now", case=case)
    return await _write(conn, session, case, after, event, now, data or {})


async def _write(
    conn: Connection,
    session: Session,
    case: Case,
    after: Life,
    event: Event,
    now: datetime,
    data: Mapping[str, object],
) -> Case:
    await store.change(conn, case, after, event=event, actor=session.account_id, at=now, data=data)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action=f"case.{event}",
        subject=f"case:{case.case_id}",
        patient_id=case.patient_id,
        detail={"from": case.state, "to": after.state},
    )
    return await store.case(conn, session.account_id, case.case_id) or case
