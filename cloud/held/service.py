"""What is asked of whom, and each answer with its audit row. The audit has ids and codes, never a figure."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.held import store
from cloud.held.models import Answer, Asked, HeldReading
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]
FORM: Final = "held"


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await contacts.patient(conn, session, patient_id)


async def asked(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Asked:
    """All of one patient, for whoever cares for them; the caller has checked that."""
    waiting, answered = await store.open_of(conn, patient_id), await store.answered_of(conn, patient_id)
    sayable = waiting or any(one.answer is Answer.NO for one in answered)
    return Asked(
        open=waiting,
        answered=answered,
        people=await store.people(conn, session.account_id, patient_id) if sayable else [],
        cuffs=await store.cuffs(conn, patient_id, now),
    )


async def asked_of_oneself(conn: Connection, patient_id: UUID) -> Asked:
    """What a patient is asked, and has answered; the caller takes the id from the session."""
    return Asked(
        open=await store.open_of(conn, patient_id),
        answered=await store.answered_of(conn, patient_id),
        people=(),
        cuffs=(),
    )


async def in_care(conn: Connection, session: Session) -> list[HeldReading]:
    """All that waits of the patients in the account's care, the oldest question first."""
    return await store.open_in_care(conn, session.account_id)


async def answer(
    conn: Connection, session: Session, patient_id: UUID, reading_id: UUID, form: Form, now: datetime
) -> bool:
    """What a nurse says, and how they know; ``other`` names another patient in their care.

    Refused where it cannot be taken; False where there is no such question, or it is decided.
    """
    refusals: dict[str, Refusal] = {}
    why = fields.reason(form, refusals)
    said = _said(form, refusals)
    other: UUID | None = None
    if said is Answer.OTHER:
        other = await _other(conn, session, patient_id, form, refusals)
    if said is None or refusals:
        raise Refused(f"{FORM}-{reading_id}", refusals, form)
    return await _answered(conn, session, patient_id, reading_id, said, why, other, now)


async def answer_oneself(conn: Connection, session: Session, reading_id: UUID, form: Form, now: datetime) -> bool:
    """What the patient says. Refused where nothing was chosen."""
    refusals: dict[str, Refusal] = {}
    said = _said(form, refusals)
    if said is None or session.patient_id is None:
        raise Refused(f"{FORM}-{reading_id}", refusals, form)
    return await _answered(conn, session, session.patient_id, reading_id, said, "", None, now)


async def share(
    conn: Connection, session: Session, patient_id: UUID, assignment_id: UUID, shared: bool, now: datetime
) -> bool:
    """Others measure with it, too, or not; False where the patient has no such device."""
    done = await store.share(
        conn,
        account_id=session.account_id,
        patient_id=patient_id,
        assignment_id=assignment_id,
        shared=shared,
        now=now,
    )
    if done:
        await audit.record(
            conn,
            at=now,
            account_id=session.account_id,
            action="device.shared" if shared else "device.not_shared",
            subject=f"device_assignment:{assignment_id}",
            patient_id=patient_id,
        )
    return done


async def _answered(
    conn: Connection,
    session: Session,
    patient_id: UUID,
    reading_id: UUID,
    said: Answer,
    why: str,
    other: UUID | None,
    now: datetime,
) -> bool:
    taken = await store.answer(
        conn,
        reading_id=reading_id,
        patient_id=patient_id,
        account_id=session.account_id,
        staff=session.role is not Role.PATIENT,
        said=said,
        why=why,
        other=other,
        now=now,
    )
    if not taken:
        return False
    whose = patient_id if said is Answer.YES else other
    if whose is not None:
        await store.release(
            conn, reading_id=reading_id, patient_id=whose, account_id=session.account_id, why=why, now=now
        )
    for concerned in {patient_id, whose or patient_id}:
        await audit.record(
            conn,
            at=now,
            account_id=session.account_id,
            action="held_reading.answer",
            subject=f"reading:{reading_id}",
            patient_id=concerned,
            detail={"answer": said.value},
        )
    await store.tell(conn, patient_id)
    return True


def _said(form: Form, refusals: dict[str, Refusal]) -> Answer | None:
    try:
        return Answer(form.get("answer", ""))
    except ValueError:
        refusals["answer"] = Refusal("choose")
        return None


async def _other(
    conn: Connection, session: Session, patient_id: UUID, form: Form, refusals: dict[str, Refusal]
) -> UUID | None:
    """The other patient, in this care as well; none where it is left open who it was."""
    typed = form.get("other", "")
    if not typed:
        return None
    other = fields.id_of(typed)
    if other not in {one.patient_id for one in await store.people(conn, session.account_id, patient_id)}:
        refusals["other"] = Refusal("choose")
    return other
