"""Where a patient stands, and the end: each change with its audit row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.participation import store
from cloud.participation.models import Ending, EndReason, Participation
from cloud.participation.store import Connection


async def of_patient(conn: Connection, patient_id: UUID) -> Participation | None:
    """The newest; None: they were here before this was kept, and are watched. The caller has checked who asks."""
    return (await store.newest(conn, [patient_id])).get(patient_id)


async def endings(conn: Connection, session: Session) -> Sequence[Ending]:
    """What this person's care team has yet to know."""
    return await store.endings(conn, session.account_id)


async def end(
    conn: Connection, session: Session, patient_id: UUID, reason: EndReason, note: str, now: datetime
) -> bool:
    """Nobody watches any longer. False: it is over already, or not for this account to say."""
    await store.lock(conn, patient_id)
    participation_id = await store.end(conn, patient_id, reason.value, note, now)
    if participation_id is None:
        return False
    await record(conn, session, patient_id, now, "participation.end", participation_id, {"reason": reason.value})
    return True


async def take_notice(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> bool:
    """Somebody of the care team knows that it has ended. False: there is nothing to know, or no such patient."""
    found = await of_patient(conn, patient_id)
    if found is None or not await store.take_notice(conn, patient_id, session.account_id, now):
        return False
    await record(conn, session, patient_id, now, "participation.notice", found.participation_id, {})
    return True


async def record(
    conn: Connection,
    session: Session,
    patient_id: UUID,
    now: datetime,
    action: str,
    participation_id: UUID,
    detail: Mapping[str, object],
) -> None:
    """A row of the audit."""
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action=action,
        subject=f"participation:{participation_id}",
        patient_id=patient_id,
        detail=detail,
    )
