"""Invitations: what is shown of them, and each step with its audit row. The audit has ids and never what was written.

They are arranged by booking a time, and their page is that of the appointments (``cloud.crm.appointments``).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import zone_of
from cloud.contacts.models import Patient
from cloud.plans.fields import Form
from cloud.visits import entries, store
from cloud.visits.models import Outcome, Visit

Connection = AsyncConnection[Any]


async def to_come_of(conn: Connection, patient_id: UUID) -> list[Visit]:
    """The patient's that have not ended, the soonest first; the caller has checked who asks."""
    found = [one for one in await store.of_patient(conn, patient_id) if one.outcome is None]
    return sorted(found, key=lambda one: (one.starts_at is None, one.starts_at or one.asked_at, one.by_day))


async def to_come(conn: Connection, session: Session, now: datetime) -> list[Visit]:
    """What is still to come for the patients in the account's care, whatever nobody has arranged first."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="visit_list.read", subject="visit_list:own"
    )
    return await store.to_come(conn, session.account_id)


async def ask(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Invite the patient. Refused where the form cannot be taken."""
    visit_id = await store.ask(
        conn, of.patient_id, entries.asked(form, day_there(now, of.time_zone)), session.account_id, now
    )
    if visit_id is not None:
        await audit.record_by(conn, session, now, "visit.ask", f"visit:{visit_id}", of.patient_id)


async def end(conn: Connection, session: Session, of: Patient, visit_id: UUID, outcome: Outcome, now: datetime) -> bool:
    """Say what became of it. False: no such visit, or it has ended."""
    if not await store.end(conn, of.patient_id, visit_id, outcome, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, f"visit.{outcome}", f"visit:{visit_id}", of.patient_id)
    return True


def day_there(now: datetime, zone: str) -> date:
    """The day on the patient's calendar."""
    return now.astimezone(zone_of(zone)).date()
