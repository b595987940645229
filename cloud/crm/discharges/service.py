"""Documents: kept whatever they are, read, matched by number and date of birth, and taken by a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import zone_of
from cloud.contacts.models import Patient
from cloud.crm.discharges import entries, store
from cloud.crm.discharges.models import MAY_BE_TAKEN, Document, Kept, Match, State, Whose
from cloud.crm.discharges.reading import Unreadable, read
from cloud.crm.followups import service as followups
from cloud.crm.followups import store as follow_up_store
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A document before, or after, somebody has decided. ``document`` None: ``unreadable`` says why.

    ``text``: as it came, for people; what is no UTF-8 is replaced in it, and stands in the file.
    """

    kept: Kept
    text: str
    document: Document | None = None
    match: Match | None = None
    unreadable: Unreadable | None = None


async def receive(conn: Connection, session: Session, of: Patient, octets: bytes, now: datetime) -> UUID:
    """Keep it, whatever it is; the same one again is the one that is there."""
    document_id, is_new = await store.keep(conn, of.patient_id, octets, session.account_id, now)
    if is_new:
        subject = f"discharge_document:{document_id}"
        detail: dict[str, object] = {"octets": len(octets)}
        await audit.record_by(conn, session, now, "discharge.receive", subject, of.patient_id, detail)
    return document_id


async def record_list(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> None:
    """Somebody read which documents there are, and by which numbers others know the patient."""
    await audit.record_by(conn, session, now, "discharge_list.read", f"patient:{patient_id}", patient_id)


async def preview(conn: Connection, session: Session, of: Patient, document_id: UUID, now: datetime) -> Preview | None:
    """What would become of it; None: there is no such document."""
    kept = await store.document(conn, of.patient_id, document_id)
    if kept is None:
        return None
    octets = await store.octets(conn, of.patient_id, document_id)
    subject = f"discharge_document:{document_id}"
    await audit.record_by(conn, session, now, "discharge.read", subject, of.patient_id)
    text = octets.decode(errors="replace")
    try:
        document = read(octets, zone_of(of.time_zone))
    except Unreadable as why:
        return Preview(kept=kept, text=text, unreadable=why)
    return Preview(kept=kept, text=text, document=document, match=await _match(conn, of.patient_id, document.whose))


async def take(conn: Connection, session: Session, of: Patient, document_id: UUID, form: Form, now: datetime) -> bool:
    """What is ticked becomes follow-ups, as it stands in the form. Refused; False: somebody was faster."""
    if not await store.is_waiting(conn, of.patient_id, document_id):
        return False
    try:
        document = read(await store.octets(conn, of.patient_id, document_id), zone_of(of.time_zone))
    except Unreadable:
        raise Refused(entries.FORM, {"take_0": Refusal("no_instruction")}, form) from None
    match = await _match(conn, of.patient_id, document.whose)
    today, questionnaires = followups.day_there(now, of.time_zone), followups.questionnaires(of, now)
    typed = entries.taken(form, len(document.instructions), today, questionnaires)
    if match not in MAY_BE_TAKEN or (match is Match.UNKNOWN and not typed.is_same):
        raise Refused(entries.FORM, {"same": Refusal("whose")}, form)
    if match is Match.UNKNOWN:
        await _learn(conn, session, of.patient_id, document.whose, form, now)
    by, patient_id = session.account_id, of.patient_id
    summary_id = await follow_up_store.add_summary(conn, patient_id, typed.discharged_on, typed.about, by, now)
    await follow_up_store.add(conn, patient_id, typed.steps, by, now, summary_id=summary_id)
    await followups.come_home(conn, of, typed.discharged_on, by, now)
    await store.end(conn, document_id, State.TAKEN, by, now, summary_id=summary_id)
    detail: dict[str, object] = {"steps": len(typed.steps), "document": str(document_id)}
    await audit.record_by(conn, session, now, "discharge.take", f"discharge_summary:{summary_id}", patient_id, detail)
    return True


async def set_aside(
    conn: Connection, session: Session, patient_id: UUID, document_id: UUID, form: Form, now: datetime
) -> bool:
    """It is of no use, with the reason; it stays. Refused; False: somebody was faster."""
    why = entries.aside(form)
    if not await store.is_waiting(conn, patient_id, document_id):
        return False
    await store.end(conn, document_id, State.SET_ASIDE, session.account_id, now, summary_id=None, why=why)
    await audit.record_by(conn, session, now, "discharge.set_aside", f"discharge_document:{document_id}", patient_id)
    return True


async def forget_identifier(
    conn: Connection, session: Session, patient_id: UUID, identifier_id: UUID, now: datetime
) -> bool:
    """A number that is not the patient's after all. False: there is none."""
    if not await store.remove_identifier(conn, patient_id, identifier_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "identifier.remove", f"patient_identifier:{identifier_id}", patient_id)
    return True


async def as_it_came(
    conn: Connection, session: Session, patient_id: UUID, document_id: UUID, now: datetime
) -> bytes | None:
    """None: there is no such document."""
    if await store.document(conn, patient_id, document_id) is None:
        return None
    await audit.record_by(conn, session, now, "discharge.read", f"discharge_document:{document_id}", patient_id)
    return await store.octets(conn, patient_id, document_id)


async def _match(conn: Connection, patient_id: UUID, whose: Whose) -> Match:
    """A number of somebody else's is the end, whatever else fits; so are another date of birth, and too many looks."""
    found = set()
    for each in dict.fromkeys(whose.identifiers):
        match = Match(await store.whose(conn, patient_id, each))
        if match in (Match.ANOTHER, Match.TOO_OFTEN):
            return match
        found.add(match)
    if not found:
        return Match.NO_IDENTIFIER
    born = await store.birth_date(conn, patient_id)
    if born is not None and whose.birth_date is not None and born != whose.birth_date:
        return Match.OTHER_BIRTH_DATE
    if Match.THIS in found:
        return Match.THIS
    return Match.NO_BIRTH_DATE if born is None or whose.birth_date is None else Match.UNKNOWN


async def _learn(conn: Connection, session: Session, patient_id: UUID, whose: Whose, form: Form, now: datetime) -> None:
    """The document's numbers are this patient's from now on. Refused where one has become somebody else's meanwhile."""
    for each in whose.identifiers:
        if not await store.add_identifier(conn, patient_id, each, session.account_id, now):
            raise Refused(entries.FORM, {"same": Refusal("whose")}, form)
        detail: dict[str, object] = {"system": each.system}
        await audit.record_by(conn, session, now, "identifier.add", f"patient:{patient_id}", patient_id, detail)
