"""Reminders of one patient, and what the patient says to have taken.

GET  /patients/{patient_id}/reminders                        what is switched on, times of medication
POST /patients/{patient_id}/reminders                        kind, on
POST /patients/{patient_id}/reminders/doses                  medication, at
POST /patients/{patient_id}/reminders/doses/{time_id}/end
POST /me/medication/{time_id}                                taken today

303 back to the page when it is done; 422 with what was typed and what is wrong with it, when it is not.
"""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Patient
from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient as Known
from cloud.crm.reminders import service
from cloud.plans.fields import Refused

router = APIRouter()

OF_PATIENT: Final = "/patients/{patient_id}/reminders"


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, patient_id, now)
    return await _page(request, conn, found, now)


@router.post(OF_PATIENT)
async def choose(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.choose(conn, session, patient_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _see(f"/patients/{patient_id}/reminders")


@router.post(f"{OF_PATIENT}/doses")
async def add_dose(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.add_dose(conn, session, found, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _see(f"/patients/{patient_id}/reminders")


@router.post(f"{OF_PATIENT}/doses/{{time_id}}/end")
async def end_dose(patient_id: UUID, time_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    await _found(conn, session, patient_id)
    if not await service.end_dose(conn, session, patient_id, time_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(f"/patients/{patient_id}/reminders")


@router.post("/me/medication/{time_id}")
async def take(time_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    patient_id = found_or_404(session.patient_id)
    zone = await audit.zone_of(conn, patient_id)
    await service.take(conn, session, patient_id, zone, time_id, now)
    return _see("/me#medication")


async def _page(request: Request, conn: Connection, of: Known, now: Now, refused: Refused | None = None) -> Response:
    return page(
        request,
        "patient_reminders.html",
        patient=of,
        reminders=await service.of_patient(conn, of, now),
        refused=refused,
    )


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Known:
    return found_or_404(await contacts.patient(conn, session, patient_id))


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
