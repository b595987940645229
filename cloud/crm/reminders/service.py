"""Reminders: what is switched on, the times of medication, what the patient took; each change with its audit row."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import zone_of
from cloud.contacts.models import Patient
from cloud.crm.reach import store as reach
from cloud.crm.reach.quiet import is_quiet_then
from cloud.crm.reminders import entries, store
from cloud.crm.reminders.models import DOSE_FOR, Dose, Reminders
from cloud.crm.reminders.times import day_of
from cloud.plans.fields import Form

Connection = AsyncConnection[Any]


def day_there(now: datetime, zone: str) -> date:
    """The day on the patient's calendar."""
    return now.astimezone(zone_of(zone)).date()


async def of_patient(conn: Connection, of: Patient, now: datetime) -> Reminders:
    """All of one patient; taken doses of the last week."""
    today, hours = day_there(now, of.time_zone), await reach.reach(conn, of.patient_id)
    quiet = hours.quiet_from, hours.quiet_until
    doses = await store.doses(conn, of.patient_id, today - timedelta(days=6), today)
    return Reminders(
        choices=await store.choices(conn, of.patient_id),
        doses=[replace(one, is_quiet=is_quiet_then(one.at, *quiet)) for one in doses],
        medication=await store.medication(conn, of.patient_id, today),
        quiet=quiet,
    )


async def today(conn: Connection, patient_id: UUID, zone: str, now: datetime) -> list[Dose]:
    """The patient's medication of today, for themselves; of an evening just over, that evening's (``day_of``)."""
    day = day_there(now, zone)
    found = await store.doses(conn, patient_id, day - timedelta(days=1), day)
    spoken_of = [(dose, day_of(dose.at, zone_of(zone), now, DOSE_FOR)) for dose in found]
    return [replace(dose, taken_days=[day] if dose.is_taken(day) else []) for dose, day in spoken_of]


async def choose(conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime) -> None:
    """Switch a kind on or off. Refused."""
    kind, is_on = entries.choice(form)
    await store.choose(conn, patient_id, kind, is_on, session.account_id, now)
    await audit.record_by(
        conn, session, now, "reminder.choose", f"patient:{patient_id}", patient_id, {"kind": kind, "on": is_on}
    )


async def add_dose(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """One more time of a medication. Refused."""
    patient_id, today = of.patient_id, day_there(now, of.time_zone)
    known = [medication_id for medication_id, _ in await store.medication(conn, patient_id, today)]
    medication_id, at = entries.dose(form, known)
    await store.add_dose(conn, patient_id, medication_id, at, session.account_id, now)
    await audit.record_by(conn, session, now, "reminder.dose", f"medication:{medication_id}", patient_id)


async def end_dose(conn: Connection, session: Session, patient_id: UUID, time_id: UUID, now: datetime) -> bool:
    """False: there is no such time."""
    if not await store.end_dose(conn, patient_id, time_id, now):
        return False
    await audit.record_by(conn, session, now, "reminder.end_dose", f"medication_time:{time_id}", patient_id)
    return True


async def take(conn: Connection, session: Session, patient_id: UUID, zone: str, time_id: UUID, now: datetime) -> None:
    """The patient says that they took it; said twice for one day it is one."""
    at = await store.time_of(conn, patient_id, time_id)
    if at is not None and await store.take(conn, patient_id, time_id, day_of(at, zone_of(zone), now, DOSE_FOR), now):
        await audit.record_by(conn, session, now, "reminder.taken", f"medication_time:{time_id}", patient_id)


async def record_reading(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> None:
    """Somebody read of what the patient is reminded."""
    await audit.record_by(conn, session, now, "reminders.read", f"patient:{patient_id}", patient_id)
