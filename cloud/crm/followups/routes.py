"""Follow-ups: the nurse's list, and all of one patient.

GET  /follow-ups                            overdue, due today and to come, of one's patients
GET  /follow-ups/due                        how many, for the worklist
GET  /patients/{patient_id}/follow-ups      all of one patient, discharge summaries, plans
POST /patients/{patient_id}/follow-ups      what, due_on, note, owner: one by hand
POST /patients/{patient_id}/follow-ups/plan        plan, begins_on
POST /patients/{patient_id}/follow-ups/discharge   discharged_on, about, and instructions
POST /patients/{patient_id}/follow-ups/hospital    there: yes or no
POST /patients/{patient_id}/follow-ups/{follow_up_id}/end   state, why

303 back to the page when it is done; 422 with what was typed and what is wrong with it, when it is not.
"""

from collections.abc import Awaitable
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.crm.followups import entries, service, store
from cloud.crm.followups.templates import all_plans
from cloud.plans.fields import Refused

router = APIRouter()

Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]
OF_PATIENT: Final = "/patients/{patient_id}/follow-ups"


@router.get("/follow-ups")
async def follow_ups(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="follow_up_list.read", subject="follow_up_list:own"
    )
    return page(request, "follow_ups.html", lists=await service.lists(conn, session, now), most=store.SHOWN, now=now)


@router.get("/follow-ups/due")
async def due(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    return page(request, "follow_ups_due.html", due=await store.due(conn, session.account_id, now))


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, patient_id, now)
    return await _page(request, conn, found, now)


@router.post(OF_PATIENT)
async def add(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    return await _done(request, conn, found, now, service.add(conn, session, found, await form(request), now))


@router.post(f"{OF_PATIENT}/plan")
async def begin_plan(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    deed = service.begin_plan(conn, session, found, await form(request), now, spoken_in(session.language))
    return await _done(request, conn, found, now, deed)


@router.post(f"{OF_PATIENT}/discharge")
async def take_summary(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    return await _done(request, conn, found, now, service.take_summary(conn, session, found, await form(request), now))


@router.post(f"{OF_PATIENT}/hospital")
async def stay(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    await _found(conn, session, patient_id)
    await service.stay(conn, session, patient_id, (await form(request)).get("there") == "yes", now)
    return _see(patient_id)


@router.post(f"{OF_PATIENT}/{{follow_up_id}}/end")
async def end(request: Request, patient_id: UUID, follow_up_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        known = await service.end(conn, session, patient_id, follow_up_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused, follow_up_id)
    if not known:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(patient_id)


async def _done(request: Request, conn: Connection, of: Patient, now: Now, deed: Awaitable[None]) -> Response:
    try:
        await deed
    except Refused as refused:
        return await _page(request, conn, of, now, refused)
    return _see(of.patient_id)


async def _page(
    request: Request,
    conn: Connection,
    of: Patient,
    now: Now,
    refused: Refused | None = None,
    refused_id: UUID | None = None,
) -> Response:
    return page(
        request,
        "patient_follow_ups.html",
        patient=of,
        follow_ups=await store.of_patient(conn, of.patient_id),
        summaries=await store.summaries(conn, of.patient_id),
        in_hospital_since=await store.in_hospital_since(conn, of.patient_id),
        team=await store.team(conn, of.patient_id),
        plans=all_plans(),
        questionnaires=service.questionnaires(of, now),
        rows=entries.ROWS,
        today=service.day_there(now, of.time_zone),
        refused=refused,
        refused_id=refused_id,
        now=now,
    )


def _see(patient_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/follow-ups", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await contacts.patient(conn, session, patient_id))
