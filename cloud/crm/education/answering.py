"""Questions: asked by patients, answered by a nurse or a doctor she passes them on to; each with its audit row of ids.

A question that was answered becomes a draft of an article only where the patient agrees and nothing in it says of whom.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.contacts import service as contacts
from cloud.crm.education import asked, entries, service
from cloud.crm.education.models import (
    ANSWER_SYMPTOMS_WITHIN,
    ANSWER_WITHIN,
    DOCTOR_ANSWERS_WITHIN,
    Question,
    QuestionState,
    Whom,
)
from cloud.crm.followups import service as followups
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import What
from cloud.duty import store as duty
from cloud.messages import models as messages
from cloud.messages import service as threads
from cloud.plans.fields import LONGEST_REASON, Form, Refusal, Refused

Connection = AsyncConnection[Any]

# Whoever asks more in a day has something that belongs on the telephone (a proposal).
MOST_A_DAY: Final = 5
DAY: Final = timedelta(days=1)
# The same words again so soon are a second press of the thumb.
PRESSED_TWICE: Final = timedelta(minutes=10)
TOLD_WITHIN: Final = timedelta(days=7)


async def whom_to_call(conn: Connection, patient_id: UUID) -> Whom:
    """What the form says before anything is asked."""
    card = (await contacts.surroundings(conn, patient_id)).card
    return Whom(emergency=card.emergency_number if card else None, centre=await duty.phone(conn) or None)


# The patient ----------------------------------------------------------------------------------------------------------


async def ask(conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime) -> None:
    """Refused; with ``call_first`` where it is about symptoms, once, so that whoever asks sees whom to call."""
    typed = entries.question(form)
    if await threads.nobody_reads(conn, patient_id):
        raise Refused("ask", {"body": Refusal("record_closed")}, form)
    if await asked.was_asked(conn, patient_id, typed.body, now - PRESSED_TWICE):
        return
    if await asked.asked_since(conn, patient_id, now - DAY) >= MOST_A_DAY:
        raise Refused("ask", {"body": Refusal("asked_enough")}, form)
    within = ANSWER_SYMPTOMS_WITHIN if typed.about_symptoms else ANSWER_WITHIN
    question_id = await asked.add(conn, patient_id, typed, session.account_id, now, now + within)
    await audit.record_by(conn, session, now, "question.ask", f"question:{question_id}", patient_id)


async def own(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Sequence[Question]:
    """What the patient asked, on their screen: the answers are read from now on."""
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="own_questions.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )
    await asked.read(conn, patient_id, now)
    return await asked.of_patient(conn, patient_id)


async def agree(
    conn: Connection, session: Session, patient_id: UUID, question_id: UUID, now: datetime, *, may_publish: bool
) -> None:
    """Whether it may stand in the library without saying who asked. Taken back, what stands there goes out."""
    if await asked.agree(conn, patient_id, question_id, now, may_publish=may_publish):
        action = "question.agree" if may_publish else "question.disagree"
        await audit.record_by(conn, session, now, action, f"question:{question_id}", patient_id)


# The care team --------------------------------------------------------------------------------------------------------


async def of_team(conn: Connection, session: Session, now: datetime) -> Sequence[Question]:
    """Those of one's patients, what is open first."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="question_list.read", subject="question_list:own"
    )
    return await asked.of_team(conn, session.account_id)


async def waiting(conn: Connection, session: Session) -> Sequence[Question]:
    """What is open and for this role, or this person."""
    mine = Role.DOCTOR if session.role is Role.DOCTOR else Role.NURSE
    found = await asked.of_team(conn, session.account_id)
    return [one for one in found if one.is_open and (one.owner_id == session.account_id or one.for_role is mine)]


async def opened(conn: Connection, session: Session, question_id: UUID, now: datetime) -> Question | None:
    """None: none for this account."""
    found = await asked.question(conn, question_id)
    if found is not None:
        await audit.record_reading_on(
            conn,
            at=now,
            account_id=session.account_id,
            action="question.read",
            subject=f"question:{question_id}",
            patient_id=found.patient_id,
        )
    return found


async def take(conn: Connection, session: Session, of: Question, now: datetime) -> bool:
    """False: it is not open."""
    if not await asked.take(conn, of.question_id, session.account_id):
        return False
    await _record(conn, session, of, "take", now)
    return True


async def pass_on(conn: Connection, session: Session, of: Question, now: datetime) -> bool:
    """To the doctors, or by a doctor back to the nurses. False: it is not open."""
    to = Role.NURSE if session.role is Role.DOCTOR else Role.DOCTOR
    due_at = now + (DOCTOR_ANSWERS_WITHIN if to is Role.DOCTOR and not of.about_symptoms else timedelta())
    if not await asked.pass_on(conn, of.question_id, to, due_at):
        return False
    await _record(conn, session, of, "pass", now)
    return True


async def answer(conn: Connection, session: Session, of: Question, form: Form, now: datetime) -> None:
    """The patient hears that there is something. Refused."""
    said = entries.answer(form)
    if of.for_role is Role.DOCTOR and session.role is not Role.DOCTOR:
        raise Refused("answer", {"answer": Refusal("for_a_doctor")}, form)
    if not await asked.answer(conn, of.question_id, said, session.account_id, now):
        raise Refused("answer", {"answer": Refusal("done_meanwhile")}, form)
    await reach.tell_from_page(
        conn, of.patient_id, What.ANSWER, f"question:{of.question_id}", now,
        subject_id=of.question_id, until=now + TOLD_WITHIN,
    )  # fmt: skip
    await _record(conn, session, of, "answer", now)


async def turn_into_message(conn: Connection, session: Session, of: Question, form: Form, now: datetime) -> None:
    """It goes on in the thread, with this as its next message. Refused."""
    try:
        await threads.write(conn, session, of.patient_id, {"body": form.get("body", "")}, uuid4(), now)
    except messages.Refused as refused:
        code = {"empty": "missing", "too_long": "too_long"}.get(refused.code, "asked_enough")
        raise Refused("message", {"body": Refusal(code, {"most": str(messages.LONGEST)})}, form) from refused
    await _turn(conn, session, of, "message", "body", form, now)


async def turn_into_follow_up(conn: Connection, session: Session, of: Question, form: Form, now: datetime) -> None:
    """What is to be done on a day, with the question as its note: ``what``, ``due_on``. Refused."""
    patient = await contacts.patient(conn, session, of.patient_id)
    if patient is None:
        raise Refused("follow_up", {"due_on": Refusal("done_meanwhile")}, form)
    wanted = {
        "what": form.get("what", ""),
        "due_on": form.get("due_on", ""),
        "owner": str(session.account_id),
        "note": of.body[:LONGEST_REASON],
    }
    try:
        await followups.add(conn, session, patient, wanted, now)
    except Refused as refused:
        shown = {name: why for name, why in refused.refusals.items() if name in ("what", "due_on")}
        raise Refused("follow_up", shown or {"due_on": Refusal("choose")}, form) from refused
    await _turn(conn, session, of, "follow_up", "due_on", form, now)


async def publish(conn: Connection, session: Session, of: Question, form: Form, now: datetime) -> UUID:
    """A draft for the library, of which a doctor has still to approve. Refused."""
    patient = await contacts.patient(conn, session, of.patient_id)
    if patient is None or of.state is not QuestionState.ANSWERED or not of.may_publish or of.article_id is not None:
        raise Refused("article", {"name": Refusal("no_agreement")}, form)
    card = (await contacts.surroundings(conn, of.patient_id)).card
    about = entries.identifying(patient.display_name, card.phones if card else ())
    article_id = await service.keep(conn, session, entries.draft(form, about), now)
    if not await asked.publish(conn, of.question_id, article_id):
        raise Refused("article", {"name": Refusal("no_agreement")}, form)
    await _record(conn, session, of, "publish", now)
    return article_id


async def _turn(
    conn: Connection, session: Session, of: Question, into: str, field: str, form: Form, now: datetime
) -> None:
    if not await asked.turn(conn, of.question_id, into, session.account_id, now):
        raise Refused(into, {field: Refusal("done_meanwhile")}, form)
    await _record(conn, session, of, "turn", now)


async def _record(conn: Connection, session: Session, of: Question, act: str, now: datetime) -> None:
    await audit.record_by(conn, session, now, f"question.{act}", f"question:{of.question_id}", of.patient_id)
