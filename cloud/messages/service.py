"""Messages: written, opened, answered; each with its audit row, which has ids and never a word of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.messages import store
from cloud.messages.models import LONGEST, Message, Refused, Waiting
from cloud.participation import service as participation
from cloud.participation.models import Stage

Connection = AsyncConnection[Any]

# Whoever writes more into a thread in an hour has something that belongs on the telephone (a proposal).
MOST_AN_HOUR: Final = 20
HOUR: Final = timedelta(hours=1)


async def opened(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Sequence[Message]:
    """The thread, on the screen of this person: what the other side wrote is read from now on."""
    is_patient = session.role is Role.PATIENT
    await store.read(conn, patient_id, session.account_id, now, from_patient=not is_patient)
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="own_messages.read" if is_patient else "messages.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )
    return await store.thread(conn, patient_id)


async def nobody_reads(conn: Connection, patient_id: UUID) -> bool:
    """Whether the patient's record is closed: nobody is in the care team, so a message would wait for nobody."""
    takes_part = await participation.of_patient(conn, patient_id)
    return takes_part is not None and takes_part.stage is Stage.CLOSED


async def write(
    conn: Connection, session: Session, patient_id: UUID, form: Mapping[str, str], message_id: UUID, now: datetime
) -> None:
    """Send it; an answer of the care team settles what the patient wrote until the page was opened. Refused.

    ``message_id`` is that of the form, so that the same words sent twice are one message.
    """
    body = form.get("body", "").strip()
    if not body:
        raise Refused("empty", "")
    if len(body) > LONGEST:
        raise Refused("too_long", body)
    if await store.written_since(conn, patient_id, session.account_id, now - HOUR) >= MOST_AN_HOUR:
        raise Refused("too_many", body)
    is_patient = session.role is Role.PATIENT
    if is_patient and await nobody_reads(conn, patient_id):
        raise Refused("closed", body)
    if not await store.write(conn, patient_id, message_id, body, session.account_id, now, from_patient=is_patient):
        if await store.is_there(conn, patient_id, message_id, body):
            return
        # Sent again with other words, from a page that came back: nothing that somebody wrote is lost.
        message_id = uuid4()
        await store.write(conn, patient_id, message_id, body, session.account_id, now, from_patient=is_patient)
    action = "message.written_by_patient" if is_patient else "message.written"
    await audit.record_by(conn, session, now, action, f"patient_message:{message_id}", patient_id)
    if not is_patient and (seen := _seen(form)) is not None:
        await store.settle(conn, patient_id, seen, session.account_id, now)


async def settle(conn: Connection, session: Session, patient_id: UUID, form: Mapping[str, str], now: datetime) -> None:
    """What the patient wrote needs no answer, as far as this person saw it."""
    seen = _seen(form)
    if seen is not None and (settled := await store.settle(conn, patient_id, seen, session.account_id, now)):
        await audit.record_by(
            conn, session, now, "message.settled", f"patient:{patient_id}", patient_id, {"messages": settled}
        )


async def waiting(conn: Connection, session: Session) -> Sequence[Waiting]:
    """The account's patients who wait for an answer, the longest first."""
    return await store.waiting(conn, session.account_id)


def _seen(form: Mapping[str, str]) -> datetime | None:
    """When the newest message was written that this person saw: one that came while they wrote still waits."""
    try:
        seen = datetime.fromisoformat(form.get("seen", ""))
    except ValueError:
        return None
    return seen if seen.tzinfo is not None else None
