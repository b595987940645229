"""Opening a patient outside the care team: one act that looks, opens and tells. Nothing is answered without it."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from cloud.audit import store as audit
from cloud.auth.models import CLINICAL, Role, Session
from cloud.break_glass import store
from cloud.break_glass.models import LONGEST_REASON, OPEN_FOR, SHORTEST_REASON, Entry, Glass
from cloud.break_glass.store import Connection


class Refused(Exception):
    """Nothing was opened; ``code`` is one of texts.BREAK_GLASS_REFUSALS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def entry(typed: Mapping[str, str]) -> Entry:
    """What the form says. Refused: it names nobody, or gives no reason."""
    reason, name, number = typed["reason"].strip(), typed["name"].strip(), typed["patient_id"].strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Refused("reason")
    try:
        patient_id = UUID(number) if number else None
        born = date.fromisoformat(typed["born"]) if typed["born"] else None
    except ValueError:
        raise Refused("who") from None
    if patient_id is None and not (name and born):
        raise Refused("who")
    return Entry(patient_id=patient_id, name=name, born=born, reason=reason)


async def open_patient(conn: Connection, session: Session, wanted: Entry, now: datetime) -> UUID | None:
    """The patient's id; None: nobody was opened, and why is not said. Whom one may see anyway is not opened anew."""
    known = await store.visible(conn, wanted)
    if known is not None:
        return known
    opened = await store.break_glass(conn, wanted, OPEN_FOR)
    if opened is None:
        await _record(conn, session, "break_glass.miss", f"account:{session.account_id}", None, now)
        return None
    break_glass_id, patient_id = opened
    await _record(conn, session, "break_glass.open", f"break_glass:{break_glass_id}", patient_id, now)
    return patient_id


async def close(conn: Connection, session: Session, break_glass_id: UUID, now: datetime) -> bool:
    """False: there is none of theirs that is open."""
    patient_id = await store.close(conn, break_glass_id)
    if patient_id is None:
        return False
    await _record(conn, session, "break_glass.close", f"break_glass:{break_glass_id}", patient_id, now)
    return True


async def see(conn: Connection, session: Session, break_glass_id: UUID, now: datetime) -> bool:
    """A lead nurse has taken notice. False: there is none of another's, or somebody has."""
    patient_id = await store.see(conn, break_glass_id)
    if patient_id is None:
        return False
    await _record(conn, session, "break_glass.seen", f"break_glass:{break_glass_id}", patient_id, now)
    return True


async def notices(conn: Connection, session: Session) -> list[Glass]:
    """What stands above every page of this person."""
    if session.role not in CLINICAL:
        return []
    return await store.notices(conn, session.account_id, is_lead=session.role is Role.LEAD_NURSE)


async def _record(
    conn: Connection, session: Session, action: str, subject: str, patient_id: UUID | None, now: datetime
) -> None:
    """In the audit: who opened whom; the reason stands with the glass."""
    await audit.record(
        conn, at=now, account_id=session.account_id, action=action, subject=subject, patient_id=patient_id
    )
