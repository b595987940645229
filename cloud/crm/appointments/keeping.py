"""What is done about appointments while nobody looks: reminders, and freed slots offered to one after the other.

Each function is one transaction of the caller's, and harmless if it is done twice.
"""

from datetime import datetime
from uuid import UUID

from cloud.console.spoken import zone_of
from cloud.crm.appointments import due
from cloud.crm.appointments.due import Freed
from cloud.crm.appointments.models import Slot
from cloud.crm.appointments.slots import slots
from cloud.crm.appointments.times import answer_by
from cloud.db.connect import Connection


def remind(connection: Connection, appointment_id: UUID, now: datetime) -> bool:
    """False: nobody needs to be reminded."""
    return due.mark_reminded(connection, appointment_id, now)


def offer_freed(connection: Connection, freed_id: UUID, now: datetime) -> UUID | None:
    """Look at a slot that came free; the offer that is open afterwards, if any.

    An offer that nobody answered in time lapses. The slot is settled when it is taken, too near, in no hours any more,
    or wished for by nobody who was not asked: from then on everybody may book it.
    """
    freed = due.locked_freed(connection, freed_id)
    if freed is None:
        return None
    standing = due.open_offer(connection, freed)
    if standing is not None and standing.answer_by > now:
        due.wake(connection, freed_id, standing.answer_by)
        return standing.appointment_id
    if standing is not None:
        due.lapse(connection, standing.appointment_id, now)
    slot = _slot(connection, freed, now)
    made = None if slot is None else _offered(connection, freed, slot, now)
    if made is None:
        due.settle(connection, freed_id, now)
    return made


def _slot(connection: Connection, freed: Freed, now: datetime) -> Slot | None:
    """What the hours have there now; None: nothing, or it has begun."""
    if freed.starts_at <= now:
        return None
    plan = due.plan(connection, now)
    day = freed.starts_at.astimezone(plan.zone).date()
    found = slots(plan.hours, plan.zone, day, 1, holidays=plan.holidays.keys(), closures=plan.closures)
    same = (one for one in found if (one.seen_by, one.starts_at) == (freed.seen_by, freed.starts_at))
    return next(same, None)


def _offered(connection: Connection, freed: Freed, slot: Slot, now: datetime) -> UUID | None:
    """Keep it for the first who waits and whom it fits; somebody who is elsewhere then is passed over."""
    for wish in due.waiting(connection, freed):
        zone = zone_of(wish.time_zone)
        until = answer_by(now, slot.starts_at, zone)
        if until is None or not wish.fits(slot, slot.starts_at.astimezone(zone).date()):
            continue
        made = due.offer(connection, wish, slot, until, now)
        if made is not None:
            due.tell_outside(connection, wish.patient_id, made, "offer", now, until)
            due.wake(connection, freed.freed_id, until)
            return made
    return None
