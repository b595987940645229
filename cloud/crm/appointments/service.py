"""Appointments: each step with its audit row, which has ids and times and never a name.

That nobody is booked twice is the database's to keep; here is decided what is offered, and what is said of a refusal.
"""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.console.spoken import zone_of
from cloud.contacts.models import Patient
from cloud.crm.appointments import entries, showing, store
from cloud.crm.appointments.models import (
    ENDS,
    Booking,
    NotBooked,
    Plan,
    Refusal,
    Slot,
    State,
)
from cloud.crm.appointments.slots import free
from cloud.crm.appointments.times import remind_at
from cloud.participation import service as participation
from cloud.participation.models import Stage
from cloud.plans import fields
from cloud.plans.fields import Form, Refused
from cloud.plans.fields import Refusal as FieldRefusal
from cloud.visits import service as visits
from cloud.visits.models import Outcome, Visit, Way

Connection = AsyncConnection[Any]

# More than that to come, or waited for, is somebody trying the page out (proposals).
MOST_OF_A_PATIENT: Final = 4
MOST_WISHES: Final = 3


# Booking --------------------------------------------------------------------------------------------------------------


async def book(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> UUID:
    """Book the slot that the form names, for an invitation where it names one or one waits for it. NotBooked."""
    slot, way = await _wanted_slot(conn, session, form, now)
    return await _book(conn, session, of, _booking(slot, way), form, now)


async def book_other_time(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> UUID:
    """A time outside the hours, as agreed with the patient. Refused, NotBooked."""
    plan = await store.plan(conn, now)
    booking = entries.other_time(form, plan.people, zone_of(of.time_zone), now)
    return await _book(conn, session, of, booking, form, now)


async def _book(conn: Connection, session: Session, of: Patient, booking: Booking, form: Form, now: datetime) -> UUID:
    await _may_book(conn, session, of, now)
    visit = await _arranged(conn, of, booking.way, fields.id_of(form.get("visit", "")))
    made = await store.book(
        conn,
        of.patient_id,
        _for_visit(booking, visit),
        remind_at(booking.starts_at, now, zone_of(of.time_zone)),
        session.account_id,
        now,
    )
    if made is None:
        raise NotBooked(await _why_not(conn, of, booking))
    await _record(conn, session, now, "book", made, of, booking.starts_at)
    return made


async def move(
    conn: Connection, session: Session, of: Patient, appointment_id: UUID, form: Form, now: datetime
) -> bool:
    """To the slot that the form names. NotBooked. False: there is no such appointment, it has begun, or it has ended.

    Of one that has begun somebody says what became of it: who did not come does not move it out of the record.
    """
    standing = await store.of_id(conn, of.patient_id, appointment_id)
    if standing is None or standing.state is not State.BOOKED or standing.starts_at <= now:
        return False
    slot, way = await _wanted_slot(conn, session, form, now)
    booking = _booking(slot, way)
    moved = await store.move(
        conn, appointment_id, booking, remind_at(booking.starts_at, now, zone_of(of.time_zone)), now
    )
    if moved is None:
        raise NotBooked(Refusal.TAKEN)
    if moved:
        await _record(conn, session, now, "move", appointment_id, of, booking.starts_at)
    return moved


async def _wanted_slot(conn: Connection, session: Session, form: Form, now: datetime) -> tuple[Slot, Way]:
    """The free slot of the form, and the way. NotBooked where it is none, or no longer."""
    key, way = entries.slot_key(form), entries.way_in(form)
    if key is None or way is None:
        raise NotBooked(Refusal.NO_SLOT)
    whom, starts_at = key
    if not now < starts_at < now + showing.LATEST:
        raise NotBooked(Refusal.OVER if starts_at <= now else Refusal.NO_SLOT)
    plan = await store.plan(conn, now)
    day = starts_at.astimezone(plan.zone).date()
    is_patient = session.role is Role.PATIENT
    found = [
        slot
        for slot in showing.slots_of(plan, day, 1)
        if (slot.seen_by, slot.starts_at) == (whom, starts_at)
        and way in slot.ways
        and (slot.for_patients or not is_patient)
    ]
    if not found:
        raise NotBooked(Refusal.NO_SLOT)
    open_ones = free(found, await store.taken(conn, starts_at, found[-1].ends_at, now), now)
    if not open_ones:
        raise NotBooked(Refusal.TAKEN)
    return open_ones[0], way


async def _may_book(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """NotBooked for a patient who has too many, and for a record that is closed."""
    takes_part = await participation.of_patient(conn, of.patient_id)
    if takes_part is not None and takes_part.stage is Stage.CLOSED:
        raise NotBooked(Refusal.CLOSED)
    await store.one_at_a_time(conn, of.patient_id)
    if session.role is Role.PATIENT and len(await showing.own_to_come(conn, of.patient_id, now)) >= MOST_OF_A_PATIENT:
        raise NotBooked(Refusal.TOO_MANY)


async def _why_not(conn: Connection, of: Patient, booking: Booking) -> Refusal:
    elsewhere = await store.is_elsewhere(conn, of.patient_id, booking.starts_at, booking.ends_at)
    return Refusal.ELSEWHERE if elsewhere else Refusal.TAKEN


async def _arranged(conn: Connection, of: Patient, way: Way, visit_id: UUID | None) -> Visit | None:
    """The invitation that this arranges: the one that is named, else the one that waits longest for this way."""
    waiting = [one for one in await visits.to_come_of(conn, of.patient_id) if one.starts_at is None]
    named = showing.visit_in(waiting, visit_id)
    same_way = sorted((one for one in waiting if one.way == way), key=lambda one: (one.by_day, one.asked_at))
    return named or next(iter(same_way), None)


def _booking(slot: Slot, way: Way) -> Booking:
    return Booking(
        seen_by=slot.seen_by,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        way=way,
        place=slot.place if way is Way.CLINIC else "",
        link=slot.link if way is Way.VIDEO else "",
    )


def _for_visit(booking: Booking, visit: Visit | None) -> Booking:
    if visit is None:
        return booking
    return Booking(
        seen_by=booking.seen_by,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        way=booking.way,
        place=booking.place,
        link=booking.link,
        visit_id=visit.visit_id,
    )


# What becomes of it ---------------------------------------------------------------------------------------------------


async def end(
    conn: Connection, session: Session, of: Patient, appointment_id: UUID, state: State, now: datetime
) -> bool:
    """Cancelled, or what became of it: only of what has begun. False: there is none, or it has ended.

    A patient cancels what has not begun. Where it took place the invitation that it arranged has, too; else that waits
    for a time again.
    """
    standing = await store.of_id(conn, of.patient_id, appointment_id)
    if standing is None or state not in ENDS:
        return False
    has_begun = standing.starts_at <= now
    if state is not State.CANCELLED and not has_begun:
        return False
    if state is State.CANCELLED and has_begun and session.role is Role.PATIENT:
        return False
    if not await store.end(conn, appointment_id, state, session.account_id, now):
        return False
    await _record(conn, session, now, state.value, appointment_id, of, standing.starts_at)
    if state is State.TOOK_PLACE and standing.visit_id is not None:
        await visits.end(conn, session, of, standing.visit_id, Outcome.TOOK_PLACE, now)
    return True


async def end_invitation(
    conn: Connection, session: Session, of: Patient, visit_id: UUID, outcome: Outcome, now: datetime
) -> bool:
    """The invitation has ended, and what was booked for it is cancelled. False: there is none, or it has ended."""
    for one in await store.of_patient(conn, of.patient_id):
        if one.visit_id == visit_id and one.is_to_come(now):
            await end(conn, session, of, one.appointment_id, State.CANCELLED, now)
    return await visits.end(conn, session, of, visit_id, outcome, now)


async def set_link(
    conn: Connection, session: Session, of: Patient, appointment_id: UUID, form: Form, now: datetime
) -> bool:
    """Where a video consultation is. Refused. False: there is none by video that is to come."""
    link = entries.link(form)
    standing = await store.of_id(conn, of.patient_id, appointment_id)
    if standing is None or not await store.set_link(conn, appointment_id, link, now):
        return False
    await _record(conn, session, now, "link", appointment_id, of, standing.starts_at)
    return True


async def confirm(conn: Connection, session: Session, of: Patient, appointment_id: UUID, now: datetime) -> bool:
    """The patient will come."""
    standing = await store.of_id(conn, of.patient_id, appointment_id)
    if standing is None or not await store.confirm(conn, appointment_id, now):
        return False
    await _record(conn, session, now, "confirm", appointment_id, of, standing.starts_at)
    return True


# The waiting list -----------------------------------------------------------------------------------------------------


async def wish(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Wait for a slot that comes free. Refused."""
    plan = await store.plan(conn, now)
    today = visits.day_there(now, of.time_zone)
    entry = entries.wanted(form, plan.people, today)
    await store.one_at_a_time(conn, of.patient_id)
    standing = await store.wishes(conn, of.patient_id, today)
    if any(
        (one.way, one.seen_by, one.first_day, one.last_day)
        == (entry.way, entry.seen_by, entry.first_day, entry.last_day)
        for one in standing
    ):
        return  # the button was pressed twice
    if len(standing) >= MOST_WISHES:
        raise Refused("wish", {"way": FieldRefusal("too_many", {"most": str(MOST_WISHES)})}, form)
    visit = await _arranged(conn, of, entry.way, None)
    wish_id = await store.add_wish(
        conn, of.patient_id, entry, visit.visit_id if visit else None, session.account_id, now
    )
    await audit.record_by(conn, session, now, "appointment.wish", f"appointment_wish:{wish_id}", of.patient_id)


async def end_wish(conn: Connection, session: Session, of: Patient, wish_id: UUID, now: datetime) -> bool:
    """Wait no more. False: there is no such wish."""
    if not await store.end_wish(conn, of.patient_id, wish_id, now):
        return False
    await audit.record_by(conn, session, now, "appointment.wish_end", f"appointment_wish:{wish_id}", of.patient_id)
    return True


async def answer(
    conn: Connection, session: Session, of: Patient, appointment_id: UUID, *, takes_it: bool, now: datetime
) -> bool:
    """To an offer. False: there is none, or it was too late."""
    standing = await store.of_id(conn, of.patient_id, appointment_id)
    if standing is None or standing.state is not State.OFFERED:
        return False
    if not takes_it:
        done = await store.decline_offer(conn, appointment_id, now)
        action = "decline"
    else:
        remind = remind_at(standing.starts_at, now, zone_of(of.time_zone))
        done = await store.take_offer(conn, appointment_id, remind, session.account_id, now)
        action = "book"
    if done:
        await _record(conn, session, now, action, appointment_id, of, standing.starts_at)
    return done


# Hours ----------------------------------------------------------------------------------------------------------------


async def add_hours(conn: Connection, session: Session, form: Form, now: datetime) -> None:
    """Refused."""
    plan = await store.plan(conn, now)
    new = entries.hours(form, plan.people, _today(plan, now))
    await store.one_after_the_other(conn)
    for weekday in new.weekdays or (None,):
        hours_id = await store.add_hours(conn, new, weekday, session.account_id, now)
        if hours_id is not None:
            await audit.record_by(conn, session, now, "appointment.add_hours", f"appointment_hours:{hours_id}")


async def end_hours(conn: Connection, session: Session, hours_id: UUID, form: Form, now: datetime) -> bool:
    """Refused. False: there are none that go on."""
    day = entries.last_day(form, hours_id, _today(await store.plan(conn, now), now))
    if not await store.end_hours(conn, hours_id, day, now):
        return False
    await audit.record_by(conn, session, now, "appointment.end_hours", f"appointment_hours:{hours_id}")
    return True


async def add_closure(conn: Connection, session: Session, form: Form, now: datetime) -> None:
    """Refused."""
    whose, starts, ends = entries.closure(form, await store.plan(conn, now), now)
    await store.one_after_the_other(conn)
    closure_id = await store.add_closure(conn, whose, starts, ends, session.account_id, now)
    if closure_id is not None:
        await audit.record_by(conn, session, now, "appointment.add_closure", f"appointment_closure:{closure_id}")


async def withdraw_closure(conn: Connection, session: Session, closure_id: UUID, now: datetime) -> bool:
    if not await store.withdraw_closure(conn, closure_id, now):
        return False
    await audit.record_by(conn, session, now, "appointment.end_closure", f"appointment_closure:{closure_id}")
    return True


def _today(plan: Plan, now: datetime) -> date:
    return now.astimezone(plan.zone).date()


async def _record(
    conn: Connection, session: Session, now: datetime, act: str, appointment_id: UUID, of: Patient, starts_at: datetime
) -> None:
    await audit.record_by(
        conn,
        session,
        now,
        f"appointment.{act}",
        f"appointment:{appointment_id}",
        of.patient_id,
        {"starts_at": starts_at.isoformat()},
    )
