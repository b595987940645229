"""Calendars for other programs: an address of one's own, what it opens, and a file of one appointment."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth import codes
from cloud.auth.models import Role, Session
from cloud.console.spoken import spoken_in
from cloud.contacts.models import Patient
from cloud.crm.appointments import calendars, store
from cloud.crm.appointments.models import ENDS, State
from cloud.db.acting import act_for

Connection = AsyncConnection[Any]

# A calendar keeps what was, for a while, so that programs take out what was cancelled.
KEPT: Final = timedelta(days=30)


async def new_address(conn: Connection, session: Session, now: datetime) -> str:
    """The token of a new address; a former one opens nothing from now on. It is shown once: we keep its hash."""
    token = codes.new_token()
    await store.set_address(conn, session.account_id, codes.token_hash(token), now)
    await audit.record_by(conn, session, now, "appointment.calendar", f"account:{session.account_id}")
    return token


async def end_address(conn: Connection, session: Session, now: datetime) -> bool:
    if not await store.end_address(conn, session.account_id):
        return False
    await audit.record_by(conn, session, now, "appointment.calendar_end", f"account:{session.account_id}")
    return True


async def feed(conn: Connection, token: str, now: datetime) -> bytes | None:
    """The calendar that an address opens; None: it opens none. From here on the transaction is its owner's."""
    owner = await store.owner_of_address(conn, codes.token_hash(token))
    if owner is None:
        return None
    account_id, role, language = owner
    await act_for(conn, account_id)
    plan = await store.plan(conn, now)
    since, spoken = now - KEPT, spoken_in(language)
    patient_id = await store.own_patient_id(conn, account_id) if role == Role.PATIENT else None
    if patient_id is None:
        return calendars.calendar(await store.own(conn, since), spoken, plan.zone_name, for_patient=False)
    found = await store.of_patient(conn, patient_id)
    kept = [one for one in found if one.starts_at > since and one.state in (State.BOOKED, *ENDS)]
    gatherings = await store.gatherings(conn, patient_id, since)
    return calendars.calendar(kept, spoken, plan.zone_name, for_patient=True, gatherings=gatherings)


async def file(conn: Connection, session: Session, of: Patient, appointment_id: UUID, now: datetime) -> bytes | None:
    """One appointment for a calendar; None: there is none that is booked."""
    standing = await store.of_id(conn, of.patient_id, appointment_id)
    if standing is None or not standing.is_to_come(now):
        return None
    plan = await store.plan(conn, now)
    return calendars.calendar([standing], spoken_in(session.language), plan.zone_name, for_patient=True)
