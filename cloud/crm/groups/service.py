"""Events and groups: each step with its audit row, which has ids and never a name.

That no more come than there are places is the database's to keep; here is decided who may come, and what is said.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import zone_of
from cloud.crm.groups import calendars, entries, store
from cloud.crm.groups.models import (
    EVALUATE_WITHIN,
    Event,
    MemberState,
    NoPlace,
    OwnEvent,
    OwnGroup,
    Seat,
    SeatState,
)
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import What
from cloud.duty import store as duty
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

# What the staff enters of somebody on the telephone, or in the room; and before what each may be said.
_BEFORE_IT: Final = (SeatState.INVITED, SeatState.CANNOT, SeatState.COMING)
_ENTERED: Final = {
    SeatState.INVITED: (SeatState.CANNOT,),
    SeatState.COMING: (SeatState.INVITED, SeatState.CANNOT),
    SeatState.CANNOT: (SeatState.INVITED, SeatState.COMING),
    SeatState.ATTENDED: (*_BEFORE_IT, SeatState.ABSENT),
    SeatState.ABSENT: (*_BEFORE_IT, SeatState.ATTENDED),
}
_AFTERWARDS: Final = (SeatState.ATTENDED, SeatState.ABSENT)


# Events, by the staff -------------------------------------------------------------------------------------------------


async def add(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """Refused."""
    groups = {one.group_id for one in await store.groups(conn) if one.closed_at is None}
    new = entries.event(form, zone_of(await duty.site_zone(conn)), now, groups)
    event_id = await store.add_event(conn, new, session.account_id, now)
    await audit.record_by(conn, session, now, "event.add", f"event:{event_id}")
    return event_id


async def change(conn: Connection, session: Session, of: Event, form: Form, now: datetime) -> bool:
    """Whoever comes or is invited hears that there is something. Refused. False: it has begun, or is off."""
    # For whom it is was said when it was made.
    same = {**form, "kind": of.kind.value, "audience": str(of.group_id) if of.group_id else of.audience.value}
    new = entries.event(same, zone_of(await duty.site_zone(conn)), now, {of.group_id} if of.group_id else set())
    try:
        changed = await store.change_event(conn, of.event_id, new, now)
    except NoPlace:
        raise Refused("event", {"capacity": Refusal("more_come", {"coming": str(of.coming)})}, form) from None
    if changed:
        await audit.record_by(conn, session, now, "event.change", f"event:{of.event_id}")
    return changed


async def cancel(conn: Connection, session: Session, of: Event, now: datetime) -> bool:
    """False: it has begun, or is off already."""
    if not await store.cancel_event(conn, of.event_id, now):
        return False
    await audit.record_by(conn, session, now, "event.cancel", f"event:{of.event_id}")
    return True


async def invite(conn: Connection, session: Session, of: Event, patient_ids: Sequence[UUID], now: datetime) -> int:
    """Those of them whom the account cares for; how many were not invited before. They hear that there is something.

    Whoever said that they cannot come is not asked again.
    """
    known = {patient_id for patient_id, _ in await store.patients(conn)}
    if of.standing(now) != "to_come":
        return 0
    made = 0
    for patient_id in patient_ids:
        if patient_id not in known:
            continue
        seat_id = await store.seat(conn, of.event_id, patient_id, SeatState.INVITED, (), session.account_id, now)
        if seat_id is None:
            continue
        made += 1
        await reach.tell_from_page(
            conn, patient_id, What.EVENT, f"event:{seat_id}:invited", now, subject_id=seat_id, until=of.starts_at
        )
        await audit.record_by(conn, session, now, "event.invite", f"event:{of.event_id}", patient_id)
    return made


async def invite_all(conn: Connection, session: Session, of: Event, patient_ids: Sequence[UUID], now: datetime) -> int:
    """Those of them whom nobody invited before; how many. All of them are in the account's care."""
    if of.standing(now) != "to_come":
        return 0
    made = await store.seat_all(conn, of.event_id, patient_ids, session.account_id, now)
    told = [(patient_id, f"event:{seat_id}:invited", seat_id) for seat_id, patient_id in made]
    await reach.tell_all_from_page(conn, What.EVENT, told, now, until=of.starts_at)
    subject, invited = f"event:{of.event_id}", [patient_id for _, patient_id in made]
    await audit.record_for_each(conn, session, now, "event.invite", subject, invited)
    return len(made)


async def in_care(conn: Connection, patient_id: UUID) -> UUID | None:
    """The patient, if the account cares for them now."""
    return next((known for known, _ in await store.patients(conn) if known == patient_id), None)


async def in_group(conn: Connection, group_id: UUID) -> list[UUID]:
    """Its members, as far as the account cares for them."""
    return [one.patient_id for one in await store.members(conn, group_id) if one.state is MemberState.IN]


async def enter(
    conn: Connection, session: Session, of: Event, patient_id: UUID, state: SeatState, now: datetime
) -> bool:
    """What a patient in one's care said, or whether they were there. NoPlace. False: not now, or not of them."""
    has_begun = of.starts_at <= now
    if of.cancelled_at is not None or (state in _AFTERWARDS) is not has_begun:
        return False
    if patient_id not in {known for known, _ in await store.patients(conn)}:
        return False
    if await store.seat(conn, of.event_id, patient_id, state, _ENTERED[state], session.account_id, now) is None:
        return False
    await audit.record_by(conn, session, now, f"event.{state}", f"event:{of.event_id}", patient_id)
    return True


def file(of: Event, zone: str) -> bytes:
    """For calendar programs."""
    return calendars.calendar(of, zone)


# Events, by patients --------------------------------------------------------------------------------------------------


async def own_events(conn: Connection, patient_id: UUID, now: datetime) -> list[OwnEvent]:
    """What is open to the patient, or they have said something about: the soonest first; with what was lately."""
    seats = {one.event_id: one for one in await store.seats_of(conn, patient_id)}
    found = await store.events_for(conn, patient_id, now, now - EVALUATE_WITHIN)
    return [_own(event, seats.get(event.event_id)) for event in found]


def _own(event: Event, seat: Seat | None) -> OwnEvent:
    return OwnEvent(
        event=event,
        seat_id=seat.seat_id if seat else None,
        state=seat.state if seat else None,
        is_evaluated=seat is not None and seat.is_evaluated,
    )


async def own_event(conn: Connection, patient_id: UUID, event_id: UUID, now: datetime) -> OwnEvent | None:
    """None: not for this patient."""
    return next((one for one in await own_events(conn, patient_id, now) if one.event.event_id == event_id), None)


async def come(
    conn: Connection, session: Session, patient_id: UUID, event_id: UUID, now: datetime, *, comes: bool
) -> bool:
    """The patient comes, or cannot. NoPlace. False: not for them, or it has begun."""
    mine = await own_event(conn, patient_id, event_id, now)
    if mine is None or mine.event.standing(now) != "to_come":
        return False
    state = SeatState.COMING if comes else SeatState.CANNOT
    if mine.state is state:
        return True
    if mine.state is None and not comes:
        return False
    if await store.seat(conn, event_id, patient_id, state, _ENTERED[state], session.account_id, now) is None:
        return False
    await audit.record_by(conn, session, now, f"event.{state}", f"event:{event_id}", patient_id)
    return True


async def evaluate(
    conn: Connection, session: Session, patient_id: UUID, event_id: UUID, form: Form, now: datetime
) -> bool:
    """How it was; said twice it is said once. Refused. False: they were not there, or it is not over."""
    mine = await own_event(conn, patient_id, event_id, now)
    if mine is not None and mine.is_evaluated:
        return True
    if mine is None or mine.seat_id is None or not mine.may_evaluate(now):
        return False
    if not await store.evaluate(conn, mine.seat_id, patient_id, entries.evaluation(form), now):
        return False
    await audit.record_by(conn, session, now, "event.evaluate", f"event:{event_id}", patient_id)
    return True


# Groups ---------------------------------------------------------------------------------------------------------------


async def add_group(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """Refused."""
    programmes = {programme_id for programme_id, _ in await store.programmes(conn)}
    name, about, programme_id = entries.group(form, programmes)
    group_id = await store.add_group(conn, name, about, programme_id, session.account_id, now)
    await audit.record_by(conn, session, now, "group.add", f"group:{group_id}")
    return group_id


async def close_group(conn: Connection, session: Session, group_id: UUID, now: datetime) -> bool:
    """False: there is none that goes on."""
    if not await store.close_group(conn, group_id, now):
        return False
    await audit.record_by(conn, session, now, "group.close", f"group:{group_id}")
    return True


async def ask_to_join(conn: Connection, session: Session, group_id: UUID, patient_id: UUID, now: datetime) -> bool:
    """The patient hears that there is something; twice is once. False: not in one's care, in it, or it is closed."""
    if patient_id not in {known for known, _ in await store.patients(conn)}:
        return False
    member_id = await store.ask_to_join(conn, group_id, patient_id, session.account_id, now)
    if member_id is None:
        return await store.member_state(conn, group_id, patient_id) is MemberState.ASKED
    await _asked(conn, session, group_id, [(member_id, patient_id)], now)
    return True


async def ask_all_to_join(
    conn: Connection, session: Session, group_id: UUID, patient_ids: Sequence[UUID], now: datetime
) -> int:
    """Those of them whom nobody asked before; how many. All of them are in the account's care."""
    made = await store.ask_all(conn, group_id, patient_ids, session.account_id, now)
    await _asked(conn, session, group_id, made, now)
    return len(made)


async def _asked(
    conn: Connection, session: Session, group_id: UUID, members: Sequence[tuple[UUID, UUID]], now: datetime
) -> None:
    """They hear that there is something, each anew when they are asked anew."""
    told = [(patient_id, f"group:{member_id}:{now:%Y-%m-%dT%H:%M:%SZ}", member_id) for member_id, patient_id in members]
    await reach.tell_all_from_page(conn, What.EVENT, told, now, until=now + EVALUATE_WITHIN)
    subject, asked = f"group:{group_id}", [patient_id for _, patient_id in members]
    await audit.record_for_each(conn, session, now, "group.ask", subject, asked)


async def answer(
    conn: Connection, session: Session, group_id: UUID, patient_id: UUID, form: Form, now: datetime
) -> bool:
    """What the patient said: on their own page, or to whoever enters it. Refused. False: nobody asked them."""
    joins, shown_as = entries.joining(form)
    state = MemberState.IN if joins else MemberState.DECLINED
    return await _answered(conn, session, group_id, patient_id, state, shown_as, now)


async def leave(conn: Connection, session: Session, group_id: UUID, patient_id: UUID, now: datetime) -> bool:
    """At any time, without a reason. False: they are not in it."""
    return await _answered(conn, session, group_id, patient_id, MemberState.LEFT, None, now)


async def _answered(
    conn: Connection,
    session: Session,
    group_id: UUID,
    patient_id: UUID,
    state: MemberState,
    shown_as: str | None,
    now: datetime,
) -> bool:
    if not await store.answer(conn, group_id, patient_id, state, shown_as, session.account_id, now):
        # Said twice it is said once.
        return await store.member_state(conn, group_id, patient_id) is state
    await audit.record_by(conn, session, now, f"group.{state}", f"group:{group_id}", patient_id)
    return True


async def own_groups(conn: Connection, patient_id: UUID) -> list[OwnGroup]:
    """Those that the patient is in or was asked to join."""
    return await store.own_groups(conn, patient_id)
