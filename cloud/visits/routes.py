"""Invitations to a visit: doctors ask, whoever cares for the patient arranges and says what became of it.

GET /visits                                        what is to come for one's patients, not arranged first
GET /patients/{patient_id}/visits                  all of one patient
POST /patients/{patient_id}/visits                 a doctor asks
POST /patients/{patient_id}/visits/{visit_id}/time  a time, or another one
POST /patients/{patient_id}/visits/{visit_id}/end   what became of it

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.plans.fields import Refused
from cloud.visits import service
from cloud.visits.models import Outcome, Way

router = APIRouter()

Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]
Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]


@router.get("/visits")
async def visits_to_come(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    return page(request, "visits.html", visits=await service.to_come(conn, session, now), now=now)


@router.get("/patients/{patient_id}/visits")
async def visits(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, found, now)
    return await _page(request, conn, session, found, now)


@router.post("/patients/{patient_id}/visits")
async def ask(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.ask(conn, session, found, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, found, now, refused)
    return _back(patient_id)


@router.post("/patients/{patient_id}/visits/{visit_id}/time")
async def arrange(request: Request, patient_id: UUID, visit_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        known = await service.arrange(conn, session, found, visit_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, found, now, refused, visit_id)
    return _done(patient_id, known)


@router.post("/patients/{patient_id}/visits/{visit_id}/end")
async def end(request: Request, patient_id: UUID, visit_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    outcome = (await form(request)).get("outcome", "")
    known = outcome in tuple(Outcome) and await service.end(conn, session, found, visit_id, Outcome(outcome), now)
    return _done(patient_id, known)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    refused: Refused | None = None,
    refused_visit: UUID | None = None,
) -> Response:
    return page(
        request,
        "patient_visits.html",
        patient=of,
        visits=await service.of_patient(conn, of.patient_id),
        today=service.day_there(now, of.time_zone),
        ways=tuple(Way),
        may_ask=session.role is Role.DOCTOR,
        refused=refused,
        refused_visit=refused_visit,
        now=now,
    )


def _done(patient_id: UUID, known: bool) -> Response:
    if not known:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id)


def _back(patient_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/visits", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await contacts.patient(conn, session, patient_id))
