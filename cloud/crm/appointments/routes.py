"""Appointments, for the staff and for patients themselves.

GET  /appointments                          day, view: day|week, seen_by: what each has who sees patients
GET  /appointments/hours                    who sees patients when
POST /appointments/hours                    one more
POST /appointments/hours/{hours_id}/end     last_day
POST /appointments/closures                 account_id, starts, ends
POST /appointments/closures/{closure_id}/end
GET  /patients/{patient_id}/appointments    way, seen_by, from, visit, move: what is booked, and free times
POST /patients/{patient_id}/appointments                             slot, way, visit; or other: yes and a time
POST /patients/{patient_id}/appointments/invitations                 a doctor asks for a visit
POST /patients/{patient_id}/appointments/invitations/{visit_id}/end  outcome
POST /patients/{patient_id}/appointments/{appointment_id}/{act}      move, end, link, answer
POST /patients/{patient_id}/appointments/wishes                      the waiting list
POST /patients/{patient_id}/appointments/wishes/{wish_id}/end
GET  /me/appointments                       the same for the patient
POST /me/appointments                       slot, way
POST /me/appointments/{appointment_id}/{act}  move, cancel, confirm, answer
POST /me/appointments/wishes
POST /me/appointments/wishes/{wish_id}/end
GET  /me/appointments/{appointment_id}/file   iCalendar
POST /me/calendar                           an address for calendar programs, or another one: shown once
POST /me/calendar/end
GET  /calendar/{token}                      what such a program asks for

303 back to the page when it is done; 409 with the page and other times when the time is not to be had; 422 with what
was typed and what is wrong with it; 404 no such appointment for you.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Patient as AsPatient
from cloud.auth.access import only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404, own_path
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.crm.appointments import entries, feeds, service, showing, store
from cloud.crm.appointments.models import BOOKING, KEEPING, NotBooked, Refusal, State
from cloud.plans import fields
from cloud.plans.fields import Form, Refused
from cloud.visits import service as visits
from cloud.visits.models import Outcome, Way

router = APIRouter()
# Nobody is signed in where a calendar program asks.
public = APIRouter()

# Many want the same times when they open: they wait for their turn before they take a connection of the pool, so that
# nobody is turned away by a pool that is empty, and the other pages have theirs.
BOOKINGS_AT_ONCE: Final = 6
CALENDAR_TYPE: Final = "text/calendar; charset=utf-8"
WEEK: Final = 7

Booking = Annotated[Session, Depends(only(BOOKING))]
Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]
Reading = Annotated[Session, Depends(only(BOOKING | KEEPING))]
Keeping = Annotated[Session, Depends(only(KEEPING))]
WithCalendar = Annotated[Session, Depends(only(CLINICAL | {Role.PATIENT}))]

HOURS: Final = "/appointments/hours"
MINE: Final = "/me/appointments"
OF_PATIENT: Final = "/patients/{patient_id}/appointments"


async def in_turn(request: Request) -> AsyncIterator[None]:
    """Wait for one's turn, where something is booked or moved."""
    if request.method != "POST":
        yield
        return
    turns: asyncio.Semaphore = request.app.state.bookings
    async with turns:
        yield


# The site -------------------------------------------------------------------------------------------------------------


@router.get("/appointments")
async def appointments(request: Request, conn: Tx, now: Now, session: Booking) -> Response:
    asked = dict(request.query_params)
    plan = await store.plan(conn, now)
    today = now.astimezone(plan.zone).date()
    day = entries.day_in(asked.get("day", ""), today)
    is_week = asked.get("view") == "week"
    first = day - timedelta(days=day.weekday()) if is_week else day
    count = WEEK if is_week else 1
    whom = fields.id_of(asked.get("seen_by", ""))
    plan, found = await showing.days(conn, session, first, count, whom, now)
    return page(
        request,
        "appointments.html",
        plan=plan,
        days=found,
        day=day,
        first=first,
        last=first + timedelta(days=count - 1),
        step=timedelta(days=count),
        today=today,
        is_week=is_week,
        whom=whom,
        unattended=await store.unattended(conn, now),
        untold=await store.untold(conn, now),
        waiting=[one for one in await visits.to_come(conn, session, now) if one.starts_at is None],
        calendar_made_at=await store.address_made_at(conn, session.account_id),
        may_keep=session.role in KEEPING,
        may_subscribe=session.role in CLINICAL,
        now=now,
    )


@router.get(HOURS)
async def hours(request: Request, conn: Tx, now: Now, session: Reading) -> Response:
    return await _hours_page(request, conn, session, now)


@router.post(HOURS)
async def add_hours(request: Request, conn: Tx, now: Now, session: Keeping) -> Response:
    try:
        await service.add_hours(conn, session, await form(request), now)
    except Refused as refused:
        return await _hours_page(request, conn, session, now, refused)
    return _see(HOURS)


@router.post(f"{HOURS}/{{hours_id}}/end")
async def end_hours(request: Request, hours_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    try:
        return _done(HOURS, await service.end_hours(conn, session, hours_id, await form(request), now))
    except Refused as refused:
        return await _hours_page(request, conn, session, now, refused)


@router.post("/appointments/closures")
async def add_closure(request: Request, conn: Tx, now: Now, session: Keeping) -> Response:
    try:
        await service.add_closure(conn, session, await form(request), now)
    except Refused as refused:
        return await _hours_page(request, conn, session, now, refused)
    return _see(HOURS)


@router.post("/appointments/closures/{closure_id}/end")
async def end_closure(closure_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    return _done(HOURS, await service.withdraw_closure(conn, session, closure_id, now))


async def _hours_page(
    request: Request, conn: Connection, session: Session, now: datetime, refused: Refused | None = None
) -> Response:
    plan = await store.plan(conn, now)
    return page(
        request,
        "appointment_hours.html",
        plan=plan,
        closures=await store.own_closures(conn, now),
        today=now.astimezone(plan.zone).date(),
        ways=tuple(Way),
        may_change=session.role in KEEPING,
        may_book=session.role in BOOKING,
        refused=refused,
        now=now,
    )


# A patient, by the staff ----------------------------------------------------------------------------------------------


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Booking) -> Response:
    of = await _found(conn, session, patient_id)
    return await _page(request, conn, session, of, now, dict(request.query_params))


@router.post(OF_PATIENT)
async def book(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Booking) -> Response:
    of, typed = await _found(conn, session, patient_id), await form(request)
    try:
        if typed.get("other"):
            await service.book_other_time(conn, session, of, typed, now)
        else:
            await service.book(conn, session, of, typed, now)
    except (Refused, NotBooked) as error:
        return await _page(request, conn, session, of, now, typed, error)
    return _back(of)


@router.post(f"{OF_PATIENT}/invitations")
async def invite(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    of, typed = await _found(conn, session, patient_id), await form(request)
    try:
        await visits.ask(conn, session, of, typed, now)
    except Refused as refused:
        return await _page(request, conn, session, of, now, {}, refused)
    return _back(of)


@router.post(f"{OF_PATIENT}/invitations/{{visit_id}}/end")
async def end_invitation(
    request: Request, patient_id: UUID, visit_id: UUID, conn: Tx, now: Now, session: Booking
) -> Response:
    of, outcome = await _found(conn, session, patient_id), (await form(request)).get("outcome", "")
    done = outcome in tuple(Outcome) and await service.end_invitation(
        conn, session, of, visit_id, Outcome(outcome), now
    )
    return _done(_address(of), done)


@router.post(f"{OF_PATIENT}/wishes")
async def wish(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Booking) -> Response:
    of, typed = await _found(conn, session, patient_id), await form(request)
    try:
        await service.wish(conn, session, of, typed, now)
    except Refused as refused:
        return await _page(request, conn, session, of, now, typed, refused)
    return _back(of)


@router.post(f"{OF_PATIENT}/wishes/{{wish_id}}/end")
async def end_wish(patient_id: UUID, wish_id: UUID, conn: Tx, now: Now, session: Booking) -> Response:
    of = await _found(conn, session, patient_id)
    return _done(_address(of), await service.end_wish(conn, session, of, wish_id, now))


@router.post(f"{OF_PATIENT}/{{appointment_id}}/move")
async def move(
    request: Request, patient_id: UUID, appointment_id: UUID, conn: Tx, now: Now, session: Booking
) -> Response:
    of, typed = await _found(conn, session, patient_id), await form(request)
    try:
        return _done(_address(of), await service.move(conn, session, of, appointment_id, typed, now))
    except NotBooked as error:
        return await _page(request, conn, session, of, now, {**typed, "move": str(appointment_id)}, error)


@router.post(f"{OF_PATIENT}/{{appointment_id}}/end")
async def end(
    request: Request, patient_id: UUID, appointment_id: UUID, conn: Tx, now: Now, session: Booking
) -> Response:
    of, state = await _found(conn, session, patient_id), (await form(request)).get("outcome", "")
    done = state in tuple(State) and await service.end(conn, session, of, appointment_id, State(state), now)
    return _done(_address(of), done)


@router.post(f"{OF_PATIENT}/{{appointment_id}}/link")
async def link(
    request: Request, patient_id: UUID, appointment_id: UUID, conn: Tx, now: Now, session: Booking
) -> Response:
    of, typed = await _found(conn, session, patient_id), await form(request)
    try:
        return _done(_address(of), await service.set_link(conn, session, of, appointment_id, typed, now))
    except Refused as refused:
        return await _page(request, conn, session, of, now, {}, refused, refused_id=appointment_id)


@router.post(f"{OF_PATIENT}/{{appointment_id}}/answer")
async def answer_for(
    request: Request, patient_id: UUID, appointment_id: UUID, conn: Tx, now: Now, session: Booking
) -> Response:
    of, takes_it = await _found(conn, session, patient_id), (await form(request)).get("answer") == "yes"
    done = await service.answer(conn, session, of, appointment_id, takes_it=takes_it, now=now)
    return _done(_address(of), done)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    asked: Form,
    error: Refused | NotBooked | None = None,
    refused_id: UUID | None = None,
) -> Response:
    await showing.record_reading(conn, session, of, now)
    return page(
        request,
        "patient_appointments.html",
        status_code=_code(error),
        patient=of,
        shown=await showing.patient_page(conn, session, of, asked, now),
        moving=fields.id_of(asked.get("move", "")),
        visit=fields.id_of(asked.get("visit", "")),
        today=visits.day_there(now, of.time_zone),
        all_ways=tuple(Way),
        may_ask=session.role is Role.DOCTOR,
        may_read=session.role in CLINICAL,
        refused=error if isinstance(error, Refused) else None,
        refused_id=refused_id,
        not_booked=error.why if isinstance(error, NotBooked) else None,
        now=now,
    )


# A patient, for themselves --------------------------------------------------------------------------------------------


@router.get(MINE)
async def mine(request: Request, conn: Tx, now: Now, session: AsPatient) -> Response:
    return await _own_page(request, conn, session, await _oneself(conn, session), now, dict(request.query_params))


@router.post(MINE)
async def book_mine(request: Request, conn: Tx, now: Now, session: AsPatient) -> Response:
    of, typed = await _oneself(conn, session), await form(request)
    try:
        await service.book(conn, session, of, typed, now)
    except NotBooked as error:
        return await _own_page(request, conn, session, of, now, typed, error)
    return _see(f"{MINE}?done=booked")


@router.post(f"{MINE}/wishes")
async def wish_mine(request: Request, conn: Tx, now: Now, session: AsPatient) -> Response:
    of, typed = await _oneself(conn, session), await form(request)
    try:
        await service.wish(conn, session, of, typed, now)
    except Refused as refused:
        return await _own_page(request, conn, session, of, now, typed, refused)
    return _see(f"{MINE}?done=waiting")


@router.post(f"{MINE}/wishes/{{wish_id}}/end")
async def end_wish_mine(wish_id: UUID, conn: Tx, now: Now, session: AsPatient) -> Response:
    return _done(MINE, await service.end_wish(conn, session, await _oneself(conn, session), wish_id, now))


@router.post(f"{MINE}/{{appointment_id}}/move")
async def move_mine(request: Request, appointment_id: UUID, conn: Tx, now: Now, session: AsPatient) -> Response:
    of, typed = await _oneself(conn, session), await form(request)
    try:
        done = await service.move(conn, session, of, appointment_id, typed, now)
    except NotBooked as error:
        return await _own_page(request, conn, session, of, now, {**typed, "move": str(appointment_id)}, error)
    return _done(f"{MINE}?done=moved", done)


@router.post(f"{MINE}/{{appointment_id}}/cancel")
async def cancel_mine(appointment_id: UUID, conn: Tx, now: Now, session: AsPatient) -> Response:
    of = await _oneself(conn, session)
    done = await service.end(conn, session, of, appointment_id, State.CANCELLED, now)
    return _done(f"{MINE}?done=cancelled", done)


@router.post(f"{MINE}/{{appointment_id}}/confirm")
async def confirm_mine(request: Request, appointment_id: UUID, conn: Tx, now: Now, session: AsPatient) -> Response:
    # Said twice it is said once: nobody is told that their appointment does not exist.
    await service.confirm(conn, session, await _oneself(conn, session), appointment_id, now)
    back = own_path((await form(request)).get("back", MINE))
    return _see(back if back in (MINE, "/me") else MINE)


@router.post(f"{MINE}/{{appointment_id}}/answer")
async def answer_mine(request: Request, appointment_id: UUID, conn: Tx, now: Now, session: AsPatient) -> Response:
    of, takes_it = await _oneself(conn, session), (await form(request)).get("answer") == "yes"
    done = await service.answer(conn, session, of, appointment_id, takes_it=takes_it, now=now)
    if not done and takes_it:
        return await _own_page(request, conn, session, of, now, {}, NotBooked(Refusal.TAKEN))
    return _see(f"{MINE}?done=booked" if takes_it else MINE)


@router.get(f"{MINE}/{{appointment_id}}/file")
async def file(appointment_id: UUID, conn: Tx, now: Now, session: AsPatient) -> Response:
    made = found_or_404(await feeds.file(conn, session, await _oneself(conn, session), appointment_id, now))
    named = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return Response(made, media_type=CALENDAR_TYPE, headers=named)


async def _own_page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    asked: Form,
    error: Refused | NotBooked | None = None,
) -> Response:
    await showing.record_reading(conn, session, of, now)
    return page(
        request,
        "my_appointments.html",
        status_code=_code(error),
        patient=of,
        shown=await showing.patient_page(conn, session, of, asked, now),
        moving=fields.id_of(asked.get("move", "")),
        today=visits.day_there(now, of.time_zone),
        done=request.query_params.get("done") if error is None else None,
        calendar_made_at=await store.address_made_at(conn, session.account_id),
        refused=error if isinstance(error, Refused) else None,
        not_booked=error.why if isinstance(error, NotBooked) else None,
        now=now,
    )


# Calendars ------------------------------------------------------------------------------------------------------------


@router.post("/me/calendar")
async def new_address(request: Request, conn: Tx, now: Now, session: WithCalendar) -> Response:
    token = await feeds.new_address(conn, session, now)
    base = request.app.state.notify.base_url or str(request.base_url)
    return page(
        request,
        "calendar_address.html",
        address=f"{base.rstrip('/')}/calendar/{token}",
        back_to=MINE if session.role is Role.PATIENT else "/appointments",
        now=now,
    )


@router.post("/me/calendar/end")
async def end_address(conn: Tx, now: Now, session: WithCalendar) -> Response:
    await feeds.end_address(conn, session, now)
    return _see(MINE if session.role is Role.PATIENT else "/appointments")


@public.get("/calendar/{token}")
async def calendar(token: str, conn: Tx, now: Now) -> Response:
    made = found_or_404(await feeds.feed(conn, token, now))
    return Response(made, media_type=CALENDAR_TYPE)


def _code(error: Exception | None) -> int | None:
    """Of a page that says why nothing was booked; else it is the page's own to say."""
    return status.HTTP_409_CONFLICT if isinstance(error, NotBooked) else None


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await contacts.patient(conn, session, patient_id))


async def _oneself(conn: Connection, session: Session) -> Patient:
    return found_or_404(await store.oneself(conn, session.patient_id) if session.patient_id else None)


def _address(of: Patient) -> str:
    return f"/patients/{of.patient_id}/appointments"


def _back(of: Patient) -> Response:
    return _see(_address(of))


def _done(path: str, known: Any) -> Response:
    if not known:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(path)


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
