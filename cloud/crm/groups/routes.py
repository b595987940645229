"""Lectures, activities and groups, for the staff and for patients.

GET  /events                                all: to come and lately
POST /events                                kind, title, plan, language, place, link, starts_at, minutes, capacity,
                                            audience
GET  /events/{event_id}                     one, with those of one's patients who were invited or enrolled
POST /events/{event_id}                     the same fields, but for whom it is
POST /events/{event_id}/cancel
POST /events/{event_id}/invite              patient, as often as one likes; or whole: yes for its group
POST /events/{event_id}/seats/{patient_id}  state: coming, cannot, attended, absent, as it was said or seen
GET  /events/{event_id}/file                iCalendar
GET  /groups                                all groups
POST /groups                                name, about, programme
GET  /groups/{group_id}                     one, with those of its members whom one cares for
POST /groups/{group_id}/close
POST /groups/{group_id}/ask                 patient
POST /groups/{group_id}/members/{patient_id}         answer, shown_as: what the patient said
POST /groups/{group_id}/members/{patient_id}/leave
GET  /me/events                             events and groups of one's own
POST /me/events/{event_id}                  comes: yes or no
POST /me/events/{event_id}/evaluation       useful, clear, said
GET  /me/events/{event_id}/file
POST /me/groups/{group_id}                  answer, shown_as
POST /me/groups/{group_id}/leave

303 when it is done; 409 where no place is left; 422 with what was typed; 404 not for you.
"""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Patient, only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, form_field, form_fields, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import zone_of
from cloud.crm.groups import service, store
from cloud.crm.groups.models import (
    LONGEST_ABOUT,
    LONGEST_NAME,
    LONGEST_PLAN,
    LONGEST_SAID,
    LONGEST_SHOWN_AS,
    LONGEST_TITLE,
    MARKS,
    Event,
    Kind,
    NoPlace,
    SeatState,
)
from cloud.duty import store as duty
from cloud.plans import fields
from cloud.plans.fields import Refused

router = APIRouter()

Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]

EVENTS: Final = "/events"
EVENT: Final = "/events/{event_id}"
GROUPS: Final = "/groups"
GROUP: Final = "/groups/{group_id}"
MINE: Final = "/me/events"
CALENDAR_TYPE: Final = "text/calendar; charset=utf-8"
NAMED: Final = {"Content-Disposition": 'attachment; filename="event.ics"'}


# Events, for the staff ------------------------------------------------------------------------------------------------


@router.get(EVENTS)
async def events(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    return await _events_page(request, conn, session, now)


@router.post(EVENTS)
async def add(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    try:
        event_id = await service.add(conn, session, await form(request), now)
    except Refused as refused:
        return await _events_page(request, conn, session, now, refused)
    return _see(f"{EVENTS}/{event_id}")


@router.get(EVENT)
async def event(request: Request, event_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    return await _event_page(request, conn, session, await _event(conn, event_id), now)


@router.post(EVENT)
async def change(request: Request, event_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _event(conn, event_id)
    try:
        return _done(f"{EVENTS}/{event_id}", await service.change(conn, session, of, await form(request), now))
    except Refused as refused:
        return await _event_page(request, conn, session, of, now, refused)


@router.post(f"{EVENT}/cancel")
async def cancel(event_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _event(conn, event_id)
    return _done(f"{EVENTS}/{event_id}", await service.cancel(conn, session, of, now))


@router.post(f"{EVENT}/invite")
async def invite(request: Request, event_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _event(conn, event_id)
    named = [fields.id_of(text) for text in await form_fields(request, "patient")]
    whom = [patient_id for patient_id in named if patient_id is not None]
    if of.group_id is not None and (await form(request)).get("whole") == "yes":
        whom = await service.in_group(conn, of.group_id)
    await service.invite(conn, session, of, whom, now)
    return _see(f"{EVENTS}/{event_id}")


@router.post(f"{EVENT}/seats/{{patient_id}}")
async def enter(request: Request, event_id: UUID, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of, state = await _event(conn, event_id), (await form(request)).get("state", "")
    try:
        done = state in tuple(SeatState) and await service.enter(conn, session, of, patient_id, SeatState(state), now)
    except NoPlace:
        return await _event_page(request, conn, session, of, now, is_full=True)
    return _done(f"{EVENTS}/{event_id}", done)


@router.get(f"{EVENT}/file")
async def file(event_id: UUID, conn: Tx, _: Caring) -> Response:
    of = await _event(conn, event_id)
    made = service.file(of, await duty.site_zone(conn))
    return Response(made, media_type=CALENDAR_TYPE, headers=NAMED)


async def _events_page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="event_list.read", subject="event_list:all"
    )
    return page(
        request,
        "events.html",
        events=await store.events(conn, now),
        groups=[one for one in await store.groups(conn) if one.closed_at is None],
        zone=await duty.site_zone(conn),
        refused=refused,
        now=now,
        **_facts(),
    )


async def _event_page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Event,
    now: Now,
    refused: Refused | None = None,
    *,
    is_full: bool = False,
) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="event.read", subject=f"event:{of.event_id}"
    )
    seats = await store.seats(conn, of.event_id)
    seated = {one.patient_id for one in seats}
    patients = await store.patients(conn)
    zone = await duty.site_zone(conn)
    return page(
        request,
        "event.html",
        status_code=status.HTTP_409_CONFLICT if is_full else None,
        event=of,
        seats=seats,
        in_care={patient_id for patient_id, _ in patients},
        others=[(patient_id, name) for patient_id, name in patients if patient_id not in seated],
        said=await store.said_of(conn, of.event_id),
        zone=zone,
        starts=of.starts_at.astimezone(zone_of(zone)).strftime("%Y-%m-%dT%H:%M"),
        refused=refused,
        is_full=is_full,
        now=now,
        **_facts(),
    )


def _facts() -> dict[str, Any]:
    return {"kinds": tuple(Kind), "longest": {"title": LONGEST_TITLE, "plan": LONGEST_PLAN}}


# Groups, for the staff ------------------------------------------------------------------------------------------------


@router.get(GROUPS)
async def groups(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    return await _groups_page(request, conn, session, now)


@router.post(GROUPS)
async def add_group(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    try:
        group_id = await service.add_group(conn, session, await form(request), now)
    except Refused as refused:
        return await _groups_page(request, conn, session, now, refused)
    return _see(f"{GROUPS}/{group_id}")


@router.get(GROUP)
async def group(request: Request, group_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    return await _group_page(request, conn, session, group_id, now)


@router.post(f"{GROUP}/close")
async def close_group(group_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    return _done(f"{GROUPS}/{group_id}", await service.close_group(conn, session, group_id, now))


@router.post(f"{GROUP}/ask")
async def ask_to_join(request: Request, group_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    patient_id = found_or_404(fields.id_of(await form_field(request, "patient")))
    return _done(f"{GROUPS}/{group_id}", await service.ask_to_join(conn, session, group_id, patient_id, now))


@router.post(f"{GROUP}/members/{{patient_id}}")
async def answer_for(
    request: Request, group_id: UUID, patient_id: UUID, conn: Tx, now: Now, session: Caring
) -> Response:
    found_or_404(await service.in_care(conn, patient_id))
    try:
        done = await service.answer(conn, session, group_id, patient_id, await form(request), now)
    except Refused as refused:
        return await _group_page(request, conn, session, group_id, now, refused, patient_id)
    return _done(f"{GROUPS}/{group_id}", done)


@router.post(f"{GROUP}/members/{{patient_id}}/leave")
async def leave_for(group_id: UUID, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found_or_404(await service.in_care(conn, patient_id))
    return _done(f"{GROUPS}/{group_id}", await service.leave(conn, session, group_id, patient_id, now))


async def _groups_page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="group_list.read", subject="group_list:all"
    )
    return page(
        request,
        "groups.html",
        groups=await store.groups(conn),
        programmes=await store.programmes(conn),
        longest={"name": LONGEST_NAME, "about": LONGEST_ABOUT},
        refused=refused,
    )


async def _group_page(
    request: Request,
    conn: Connection,
    session: Session,
    group_id: UUID,
    now: Now,
    refused: Refused | None = None,
    refused_id: UUID | None = None,
) -> Response:
    found = found_or_404(await store.group(conn, group_id))
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="group.read", subject=f"group:{group_id}"
    )
    members = await store.members(conn, group_id)
    standing = {one.patient_id for one in members if one.state in ("asked", "in")}
    return page(
        request,
        "group.html",
        group=found,
        members=members,
        others=[(patient_id, name) for patient_id, name in await store.patients(conn) if patient_id not in standing],
        events=await store.of_group(conn, group_id),
        zone=await duty.site_zone(conn),
        longest_shown_as=LONGEST_SHOWN_AS,
        refused=refused,
        refused_id=refused_id,
        now=now,
    )


# Patients -------------------------------------------------------------------------------------------------------------


@router.get(MINE)
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    return await _own_page(request, conn, session, now)


@router.post(f"{MINE}/{{event_id}}")
async def come(request: Request, event_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    comes = (await form(request)).get("comes") == "yes"
    try:
        done = await service.come(conn, session, found_or_404(session.patient_id), event_id, now, comes=comes)
    except NoPlace:
        return await _own_page(request, conn, session, now, is_full=True)
    return _done(MINE, done)


@router.post(f"{MINE}/{{event_id}}/evaluation")
async def evaluate(request: Request, event_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        done = await service.evaluate(
            conn, session, found_or_404(session.patient_id), event_id, await form(request), now
        )
    except Refused as refused:
        return await _own_page(request, conn, session, now, refused, event_id)
    return _done(f"{MINE}?done=said", done)


@router.get(f"{MINE}/{{event_id}}/file")
async def own_file(event_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    mine = found_or_404(await service.own_event(conn, found_or_404(session.patient_id), event_id, now))
    made = service.file(mine.event, await duty.site_zone(conn))
    return Response(made, media_type=CALENDAR_TYPE, headers=NAMED)


@router.post("/me/groups/{group_id}")
async def join(request: Request, group_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        done = await service.answer(conn, session, group_id, found_or_404(session.patient_id), await form(request), now)
    except Refused as refused:
        return await _own_page(request, conn, session, now, refused, group_id)
    return _done(MINE, done)


@router.post("/me/groups/{group_id}/leave")
async def leave(group_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    return _done(MINE, await service.leave(conn, session, group_id, found_or_404(session.patient_id), now))


async def _own_page(
    request: Request,
    conn: Connection,
    session: Session,
    now: Now,
    refused: Refused | None = None,
    refused_id: UUID | None = None,
    *,
    is_full: bool = False,
) -> Response:
    patient_id = found_or_404(session.patient_id)
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="own_events.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )
    return page(
        request,
        "my_events.html",
        status_code=status.HTTP_409_CONFLICT if is_full else None,
        events=await service.own_events(conn, patient_id, now),
        groups=await service.own_groups(conn, patient_id),
        zone=await audit.zone_of(conn, patient_id),
        site_zone=await duty.site_zone(conn),
        marks=MARKS,
        longest_said=LONGEST_SAID,
        longest_shown_as=LONGEST_SHOWN_AS,
        done=request.query_params.get("done") if refused is None else None,
        refused=refused,
        refused_id=refused_id,
        is_full=is_full,
        now=now,
    )


async def _event(conn: Connection, event_id: UUID) -> Event:
    return found_or_404(await store.event(conn, event_id))


def _done(path: str, known: Any) -> Response:
    if not known:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(path)


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
