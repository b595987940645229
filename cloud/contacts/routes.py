"""The emergency card of a patient: read and kept by the care team, the coordinator among them.

GET /patients/{patient_id}/card
POST /patients/{patient_id}/card                               the next version
POST /patients/{patient_id}/card/contacts                      one more contact person
POST /patients/{patient_id}/card/contacts/{contact_id}/remove

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts import service
from cloud.contacts.models import Patient
from cloud.contacts.numbers import said
from cloud.plans.fields import Form, Refused

router = APIRouter(prefix="/patients/{patient_id}/card")

Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]
Change = Callable[[Connection, Session, Patient, Form, datetime], Awaitable[None]]


@router.get("")
async def card(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, found, now)
    return await _page(request, conn, found, now)


@router.post("")
async def set_card(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.set_card)


@router.post("/contacts")
async def add_contact(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.add_contact)


@router.post("/contacts/{contact_id}/remove")
async def remove_contact(patient_id: UUID, contact_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    if not await service.remove_contact(conn, session, found, contact_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id)


async def _changed(
    request: Request, patient_id: UUID, conn: Connection, now: datetime, session: Session, change: Change
) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await change(conn, session, found, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _back(patient_id)


async def _page(
    request: Request, conn: Connection, of: Patient, now: datetime, refused: Refused | None = None
) -> Response:
    cards, contacts = await service.history(conn, of.patient_id)
    return page(
        request,
        "card.html",
        patient=of,
        around=await service.surroundings(conn, of.patient_id),
        cards=cards,
        contacts=contacts,
        refused=refused,
        spoken_number=said,
        now=now,
    )


def _back(patient_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/card", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await service.patient(conn, session, patient_id))
