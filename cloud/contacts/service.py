"""The emergency card: what holds, and each change with its audit row. The audit has ids and never what was written."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.contacts import entries, store
from cloud.contacts.models import Card, ContactPerson, Patient, Surroundings
from cloud.contacts.numbers import region_of
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

SHOWN: Final = 50
MOST_CONTACTS: Final = 9


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id)


async def record_readings(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> None:
    """What the open page of a patient fetches belongs to its opening; fetched without it, it is written down."""
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="readings.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
        opened_by=("patient.read", "case.read"),
    )


async def surroundings(conn: Connection, patient_id: UUID) -> Surroundings:
    """What is shown with a case; the caller has checked who asks."""
    newest = await store.cards(conn, patient_id, 1)
    card = newest[0] if newest and newest[0].superseded_at is None else None
    return Surroundings(
        card=card, contacts=[one for one in await store.contacts(conn, patient_id) if not one.removed_at]
    )


async def history(conn: Connection, patient_id: UUID) -> tuple[list[Card], list[ContactPerson]]:
    """All versions of the card, and all contact persons there ever were; the caller has checked who asks."""
    return await store.cards(conn, patient_id, SHOWN), await store.contacts(conn, patient_id)


async def set_card(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The next version. Refused where it cannot be taken, or where somebody else has changed it meanwhile."""
    entry = entries.card(form, region_of(of.time_zone))
    seen = fields.id_of(form.get("card_id", ""))
    if not await store.supersede(conn, of.patient_id, seen, now):
        raise Refused("card", {"address": Refusal("changed_meanwhile")}, form)
    card_id = await store.add_card(conn, of.patient_id, entry, session.account_id, now)
    await audit.record_by(
        conn,
        session,
        now,
        "emergency_card.set",
        f"emergency_card:{card_id}",
        of.patient_id,
        {"former": str(seen or "")},
    )


async def add_contact(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """One more contact person. Refused where the entry cannot be taken."""
    entry = entries.contact(form, region_of(of.time_zone))
    if len((await surroundings(conn, of.patient_id)).contacts) >= MOST_CONTACTS:
        raise Refused("contact", {"name": Refusal("too_many", {"most": str(MOST_CONTACTS)})}, form)
    contact_id = await store.add_contact(conn, of.patient_id, entry, session.account_id, now)
    await audit.record_by(conn, session, now, "contact_person.add", f"contact_person:{contact_id}", of.patient_id)


async def remove_contact(conn: Connection, session: Session, of: Patient, contact_id: UUID, now: datetime) -> bool:
    """Nobody calls them any more. False: there is no such contact person."""
    if not await store.remove_contact(conn, of.patient_id, contact_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "contact_person.remove", f"contact_person:{contact_id}", of.patient_id)
    return True


async def record_reading(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """Somebody read the card and its history."""
    await audit.record_by(conn, session, now, "emergency_card.read", f"patient:{of.patient_id}", of.patient_id)
