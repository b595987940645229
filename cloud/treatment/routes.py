"""What a patient takes, kept by nurses and doctors; changes of treatment, noted by doctors only.

GET /patients/{patient_id}/treatment
POST /patients/{patient_id}/treatment/medication
POST /patients/{patient_id}/treatment/medication/{medication_id}/end
POST /patients/{patient_id}/treatment/changes
POST /patients/{patient_id}/treatment/changes/{change_id}/withdraw

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Clinical, only
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts.models import Patient
from cloud.plans.fields import Form, Refused
from cloud.treatment import service

router = APIRouter(prefix="/patients/{patient_id}/treatment")

Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]
Change = Callable[[Connection, Session, Patient, Form, datetime], Awaitable[None]]
End = Callable[[Connection, Session, Patient, UUID, datetime], Awaitable[bool]]


@router.get("")
async def treatment(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, found, now)
    return await _page(request, conn, session, found, now)


@router.post("/medication")
async def add_medication(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.add_medication)


@router.post("/medication/{medication_id}/end")
async def end_medication(patient_id: UUID, medication_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _ended(patient_id, medication_id, conn, now, session, service.end_medication)


@router.post("/changes")
async def add_change(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.add_change)


@router.post("/changes/{change_id}/withdraw")
async def withdraw_change(patient_id: UUID, change_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    return await _ended(patient_id, change_id, conn, now, session, service.withdraw_change)


async def _changed(
    request: Request, patient_id: UUID, conn: Connection, now: datetime, session: Session, change: Change
) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await change(conn, session, found, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, found, now, refused)
    return _back(patient_id)


async def _ended(
    patient_id: UUID, which: UUID, conn: Connection, now: datetime, session: Session, end: End
) -> Response:
    found = await _found(conn, session, patient_id)
    if not await end(conn, session, found, which, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    refused: Refused | None = None,
) -> Response:
    return page(
        request,
        "treatment.html",
        patient=of,
        treatment=await service.treatment(conn, of.patient_id, of.time_zone, now),
        today=service.day_there(now, of.time_zone),
        may_prescribe=session.role is Role.DOCTOR,
        refused=refused,
        now=now,
    )


def _back(patient_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/treatment", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await service.patient(conn, session, patient_id))
