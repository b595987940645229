"""Complaints and suggestions: written by patients, by a link, or taken down; worked on; exported. And their themes.

GET  /complaints                             those that one handles, overdue ones first
GET  /complaints/waiting                     how many, for the first page of who handles them
GET  /complaints/{complaint_id}              all of one
POST /complaints/{complaint_id}/acts/{act}   acknowledge, begin, answer, close, reopen
POST /complaints/{complaint_id}/owner        account_id
POST /complaints/{complaint_id}/subjects     account_id: it is about them
POST /complaints/{complaint_id}/harm         harm, note
POST /complaints/{complaint_id}/notes        note
POST /complaints/{complaint_id}/theme        theme, remove
POST /complaints/{complaint_id}/file         first, last: the case file as a ZIP
GET, POST /patients/{patient_id}/complaints  the patient's; one as it was told on the telephone
POST /patients/{patient_id}/complaints/link  the patient gets a link by which to write
GET, POST /me/complaints                     one's own
POST /me/complaints/{complaint_id}/reopen    note
GET, POST /c/{token}                         by a link, without signing in
GET, POST /themes                            counts by theme and month; what was done about one
POST /themes/findings/{audit_id}             theme, remove: of what a quality audit found

303 when it is done; 409 with what is in the way; 422 with what is missing; 410 for a link that leads to nothing any
more, 429 where it was tried too often.
"""

from datetime import date, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth import cookies
from cloud.auth.access import Patient, only, require_csrf_token
from cloud.auth.models import Role, Session
from cloud.auth.routes import browser_of
from cloud.console.edge import Connection, Now, Tx, form, found_or_404, language_of
from cloud.console.pages import page
from cloud.console.spoken import spoken_in, zone_of
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient as Known
from cloud.crm.complaints import service, store
from cloud.crm.complaints.models import HANDLING, OUTCOMES, OWNING, Act, Complaint, Kind, Whole, acts
from cloud.crm.complaints.service import NotPossible
from cloud.crm.surveys import service as surveys
from cloud.crm.surveys import store as wishes
from cloud.crm.surveys.models import LEADING
from cloud.crm.surveys.terms import TERMS
from cloud.crm.surveys.themes import THEMES
from cloud.duty import store as duty
from cloud.plans.fields import Refused

router = APIRouter()
open_router = APIRouter()

Handling = Annotated[Session, Depends(only(HANDLING))]
Exporting = Annotated[Session, Depends(only(frozenset({Role.LEAD_NURSE, Role.DOCTOR})))]
Leading = Annotated[Session, Depends(only(LEADING))]
LeadNurse = Annotated[Session, Depends(only(frozenset({Role.LEAD_NURSE})))]

ONE: Final = "/complaints/{complaint_id}"
OF_PATIENT: Final = "/patients/{patient_id}/complaints"
STATUSES: Final = {
    "open": status.HTTP_200_OK,
    "taken": status.HTTP_200_OK,
    "throttled": status.HTTP_429_TOO_MANY_REQUESTS,
}


@router.get("/complaints")
async def complaints(request: Request, conn: Tx, now: Now, session: Handling) -> Response:
    return page(request, "complaints.html", lists=await service.lists(conn, session, now), now=now)


@router.get("/complaints/waiting")
async def waiting(request: Request, conn: Tx, now: Now, session: Handling) -> Response:
    return page(request, "voices_waiting.html", waiting=await service.waiting(conn, session, now))


@router.get(ONE)
async def one(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    return await _one_page(request, conn, session, complaint_id, now)


@router.post(f"{ONE}/acts/{{act}}")
async def act(request: Request, complaint_id: UUID, act: Act, conn: Tx, now: Now, session: Handling) -> Response:
    try:
        found_or_404(await service.act(conn, session, complaint_id, act, await form(request), now))
    except (Refused, NotPossible) as refused:
        return await _one_page(request, conn, session, complaint_id, now, refused)
    return _see(f"/complaints/{complaint_id}")


@router.post(f"{ONE}/owner")
async def give(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    try:
        found_or_404(await service.give(conn, session, complaint_id, await form(request), now))
    except (Refused, NotPossible) as refused:
        return await _one_page(request, conn, session, complaint_id, now, refused)
    return _see(f"/complaints/{complaint_id}")


@router.post(f"{ONE}/subjects")
async def name_subject(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    typed = await form(request)
    try:
        found_or_404(await service.name_subject(conn, session, complaint_id, typed, now))
    except (Refused, NotPossible) as refused:
        return await _one_page(request, conn, session, complaint_id, now, refused)
    # Whoever named themselves does not see it any more.
    return _see("/complaints" if typed.get("account_id") == str(session.account_id) else f"/complaints/{complaint_id}")


@router.post(f"{ONE}/harm")
async def mark_harm(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    try:
        found_or_404(await service.mark_harm(conn, session, complaint_id, await form(request), now))
    except (Refused, NotPossible) as refused:
        return await _one_page(request, conn, session, complaint_id, now, refused)
    return _see(f"/complaints/{complaint_id}")


@router.post(f"{ONE}/notes")
async def add_note(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    try:
        found_or_404(await service.add_note(conn, session, complaint_id, await form(request), now))
    except Refused as refused:
        return await _one_page(request, conn, session, complaint_id, now, refused)
    return _see(f"/complaints/{complaint_id}")


@router.post(f"{ONE}/theme")
async def tag(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    try:
        found_or_404(await service.tag(conn, session, complaint_id, await form(request), now))
    except Refused as refused:
        return await _one_page(request, conn, session, complaint_id, now, refused)
    return _see(f"/complaints/{complaint_id}")


@router.post(f"{ONE}/file")
async def export(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Exporting) -> Response:
    spoken = spoken_in(language_of(request))
    try:
        made = found_or_404(await service.export(conn, session, complaint_id, await form(request), now, spoken))
    except Refused as refused:
        return await _one_page(request, conn, session, complaint_id, now, refused)
    return Response(
        made.octets,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
    )


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    return await _patient_page(request, conn, session, await _found(conn, session, patient_id), now)


@router.post(OF_PATIENT)
async def take_down(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        found_or_404(await service.file(conn, session, patient_id, await form(request), now))
    except Refused as refused:
        return await _patient_page(request, conn, session, found, now, refused)
    return _see(f"/patients/{patient_id}/complaints")


@router.post(f"{OF_PATIENT}/link")
async def send_link(patient_id: UUID, conn: Tx, now: Now, session: Handling) -> Response:
    await _found(conn, session, patient_id)
    await service.send_link(conn, session, patient_id, now)
    return _see(f"/patients/{patient_id}/complaints?sent=1")


@router.get("/me/complaints")
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    return await _own_page(request, conn, session, now)


@router.post("/me/complaints")
async def write(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        await service.file(conn, session, found_or_404(session.patient_id), await form(request), now)
    except Refused as refused:
        return await _own_page(request, conn, session, now, refused)
    return _see("/me/complaints")


@router.post("/me/complaints/{complaint_id}/reopen")
async def reopen(request: Request, complaint_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        if not await service.reopen_own(conn, session, complaint_id, await form(request), now):
            raise HTTPException(status.HTTP_404_NOT_FOUND)
    except Refused as refused:
        return await _own_page(request, conn, session, now, refused)
    return _see("/me/complaints")


@open_router.get("/c/{token}")
async def by_link(request: Request, token: str, conn: Tx, now: Now) -> Response:
    return await _open_page(request, conn, await service.by_link(conn, token, browser_of(request).address, now), token)


@open_router.post("/c/{token}")
async def write_by_link(request: Request, token: str, conn: Tx, now: Now) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    standing = await service.by_link(conn, token, browser_of(request).address, now)
    if standing != "open":
        return await _open_page(request, conn, standing, token)
    try:
        standing = await service.file_by_link(conn, token, browser_of(request).address, await form(request), now)
    except Refused as refused:
        return await _open_page(request, conn, "open", token, refused)
    return await _open_page(request, conn, standing, token)


@router.get("/themes")
async def themes(request: Request, conn: Tx, now: Now, session: Leading) -> Response:
    return await _themes_page(request, conn, session, now)


@router.post("/themes")
async def write_done(request: Request, conn: Tx, now: Now, session: Leading) -> Response:
    try:
        await service.write_done(conn, session, await form(request), await _today(conn, now), now)
    except Refused as refused:
        return await _themes_page(request, conn, session, now, refused)
    return _see("/themes")


@router.post("/themes/findings/{audit_id}")
async def tag_finding(request: Request, audit_id: UUID, conn: Tx, now: Now, session: LeadNurse) -> Response:
    try:
        if not await service.tag_finding(conn, session, audit_id, await form(request), now):
            raise HTTPException(status.HTTP_404_NOT_FOUND)
    except Refused as refused:
        return await _themes_page(request, conn, session, now, refused)
    return _see(f"/quality/audits/{audit_id}")


async def _themes_page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    tallies, done = await service.themes(conn, session, now - timedelta(days=366), now + timedelta(days=1), now)
    today = await _today(conn, now)
    return page(request, "themes.html", tallies=tallies, done=done, themes=THEMES, refused=refused, today=today)


async def _today(conn: Connection, now: Now) -> date:
    """On the clinic's calendar."""
    return now.astimezone(zone_of(await duty.site_zone(conn))).date()


async def _one_page(
    request: Request,
    conn: Connection,
    session: Session,
    complaint_id: UUID,
    now: Now,
    refused: Refused | NotPossible | None = None,
) -> Response:
    whole = found_or_404(await service.whole(conn, session, complaint_id, now))
    conflict = refused.code if isinstance(refused, NotPossible) else None
    of = whole.complaint
    return page(
        request,
        "complaint.html",
        status_code=status.HTTP_409_CONFLICT if conflict else None,
        whole=whole,
        one=of,
        acts=acts(of.state) if of.leads or of.owner_id == session.account_id else _for_others(of),
        outcomes=OUTCOMES[of.kind],
        owners={i: found for i, found in whole.staff.items() if found[1] in OWNING and i not in _subjects(whole)},
        themes=THEMES,
        terms=TERMS[of.harm],
        can_export=of.leads,
        days=_days(of, now),
        conflict=conflict,
        refused=refused if isinstance(refused, Refused) else None,
        now=now,
    )


def _for_others(of: Complaint) -> tuple[Act, ...]:
    return tuple(each for each in acts(of.state) if each is Act.ACKNOWLEDGE)


def _subjects(whole: Whole) -> set[UUID]:
    return {one.account_id for one in whole.subjects}


def _days(of: Complaint, now: Now) -> tuple[date, date]:
    zone = zone_of(of.time_zone)
    return (of.received_at - service.LOOK_BACK).astimezone(zone).date(), now.astimezone(zone).date()


async def _patient_page(
    request: Request, conn: Connection, session: Session, of: Known, now: Now, refused: Refused | None = None
) -> Response:
    team = await store.team(conn, of.patient_id)
    return page(
        request,
        "patient_complaints.html",
        patient=of,
        complaints=await service.of_patient(conn, session, of.patient_id, now),
        kinds=Kind,
        team=team,
        wants_surveys=await wishes.wants(conn, of.patient_id),
        is_sent=request.query_params.get("sent") == "1" and refused is None,
        refused=refused,
        now=now,
    )


async def _own_page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    patient_id = found_or_404(session.patient_id)
    return page(
        request,
        "my_complaints.html",
        complaints=await service.own(conn, session, patient_id, now),
        kinds=Kind,
        team=await store.team(conn, patient_id),
        wants_surveys=await wishes.wants(conn, patient_id),
        surveys=await surveys.open_of(conn, patient_id, now),
        zone=await audit.zone_of(conn, patient_id),
        phone=await duty.phone(conn),
        refused=refused,
        now=now,
    )


async def _open_page(
    request: Request, conn: Connection, standing: str, token: str, refused: Refused | None = None
) -> Response:
    csrf_token = cookies.sign_in_token(request)
    response = page(
        request,
        "complaint_link.html",
        status_code=None if refused else STATUSES.get(standing, status.HTTP_410_GONE),
        standing=standing,
        action=f"/c/{token}",
        kinds=Kind,
        phone=await duty.phone(conn),
        refused=refused,
        own_csrf_token=csrf_token,
    )
    cookies.write(request, response, cookies.SIGN_IN, csrf_token)
    return response


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Known:
    return found_or_404(await contacts.patient(conn, session, patient_id))


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
