"""Treatment: what is shown of it, and each note with its audit row. The audit has ids and never what was written."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import zone_of
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.plans.fields import Form
from cloud.treatment import entries, store
from cloud.treatment.models import Treatment, TreatmentChange

Connection = AsyncConnection[Any]


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await contacts.patient(conn, session, patient_id)


async def treatment(conn: Connection, patient_id: UUID, zone: str, now: datetime) -> Treatment:
    """All of it; the caller has checked who asks."""
    today = day_there(now, zone)
    medication = await store.medication(conn, patient_id)
    return Treatment(
        now=[one for one in medication if one.until is None or one.until >= today],
        before=[one for one in medication if one.until is not None and one.until < today],
        changes=await store.changes(conn, patient_id),
    )


async def changes_since(conn: Connection, patient_id: UUID, since: date) -> list[TreatmentChange]:
    """The changes from that day on that nobody has withdrawn, oldest first; the caller has checked who asks."""
    found = await store.changes(conn, patient_id)
    return [one for one in reversed(found) if one.withdrawn_at is None and one.changed_on >= since]


async def add_medication(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """One more entry of the list. Refused where it cannot be taken."""
    entry = entries.medication(form)
    medication_id = await store.add_medication(conn, of.patient_id, entry, session.account_id, now)
    await audit.record_by(conn, session, now, "medication.add", f"medication:{medication_id}", of.patient_id)


async def end_medication(conn: Connection, session: Session, of: Patient, medication_id: UUID, now: datetime) -> bool:
    """Today is its last day. False: there is no such entry, or it has ended."""
    today = day_there(now, of.time_zone)
    if not await store.end_medication(conn, of.patient_id, medication_id, today, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "medication.end", f"medication:{medication_id}", of.patient_id)
    return True


async def add_change(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """A doctor changed something. Refused where the note cannot be taken."""
    entry = entries.change(form, day_there(now, of.time_zone))
    change_id = await store.add_change(conn, of.patient_id, entry, session.account_id, now)
    await audit.record_by(conn, session, now, "treatment_change.add", f"treatment_change:{change_id}", of.patient_id)


async def withdraw_change(conn: Connection, session: Session, of: Patient, change_id: UUID, now: datetime) -> bool:
    """It was noted in error; the note stays, marked. False: there is none."""
    if not await store.withdraw_change(conn, of.patient_id, change_id, session.account_id, now):
        return False
    await audit.record_by(
        conn, session, now, "treatment_change.withdraw", f"treatment_change:{change_id}", of.patient_id
    )
    return True


async def record_reading(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """Somebody read the whole list."""
    await audit.record_by(conn, session, now, "treatment.read", f"patient:{of.patient_id}", of.patient_id)


def day_there(now: datetime, zone: str) -> date:
    """The day on the patient's calendar."""
    return now.astimezone(zone_of(zone)).date()
