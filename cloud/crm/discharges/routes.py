"""Discharge documents (FHIR R4) of one patient: kept, previewed, taken by a person.

GET  /patients/{patient_id}/discharge-documents                       all of them, and by which numbers others know them
POST /patients/{patient_id}/discharge-documents                       ``document``: a file; 413 above 2 MB
GET  /patients/{patient_id}/discharge-documents/{document_id}         what is in it, and what would become of it
GET  /patients/{patient_id}/discharge-documents/{document_id}/file    as it came
POST /patients/{patient_id}/discharge-documents/{document_id}/take    discharged_on, about, same, and what is ticked
POST /patients/{patient_id}/discharge-documents/{document_id}/aside   why: it is of no use, and stays
POST /patients/{patient_id}/identifiers/{identifier_id}/remove        a number that is not theirs after all

303 when it is done; 422 with what was typed and what is wrong with it, when it is not; 404 where somebody was faster.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, form_file, found_or_404, takes
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.crm.discharges import service, store
from cloud.crm.followups import service as followups
from cloud.plans.fields import Refusal, Refused

router = APIRouter()

Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]
HERE: Final = "/patients/{patient_id}/discharge-documents"
ONE: Final = f"{HERE}/{{document_id}}"
LARGEST: Final = 2_000_000
# Of what came, people read so much on the page; all of it is in the file.
SHOWN: Final = 100_000


@router.get(HERE)
async def documents(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_list(conn, session, patient_id, now)
    return await _list(request, conn, found, now)


@router.post(HERE)
@takes(LARGEST, is_file=True)
async def receive(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    octets = await form_file(request, "document")
    if octets is None:
        refused = Refused("document", {"document": Refusal("no_document")}, {})
        return await _list(request, conn, found, now, refused)
    if len(octets) > LARGEST:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE)
    return _see(patient_id, await service.receive(conn, session, found, octets, now))


@router.get(ONE)
async def document(
    request: Request, patient_id: UUID, document_id: UUID, conn: Tx, now: Now, session: Caring
) -> Response:
    found = await _found(conn, session, patient_id)
    return await _page(request, conn, session, found, document_id, now)


@router.get(f"{ONE}/file")
async def as_it_came(patient_id: UUID, document_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    await _found(conn, session, patient_id)
    octets = found_or_404(await service.as_it_came(conn, session, patient_id, document_id, now))
    headers = {"Content-Disposition": f'attachment; filename="{document_id}.json"'}
    return Response(octets, media_type="application/octet-stream", headers=headers)


@router.post(f"{ONE}/take")
@takes(LARGEST // 4)
async def take(request: Request, patient_id: UUID, document_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        done = await service.take(conn, session, found, document_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, found, document_id, now, refused)
    if not done:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(f"/patients/{patient_id}/follow-ups", status.HTTP_303_SEE_OTHER)


@router.post(f"{ONE}/aside")
async def aside(request: Request, patient_id: UUID, document_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        done = await service.set_aside(conn, session, patient_id, document_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, found, document_id, now, refused)
    if not done:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(f"/patients/{patient_id}/discharge-documents", status.HTTP_303_SEE_OTHER)


@router.post("/patients/{patient_id}/identifiers/{identifier_id}/remove")
async def remove_identifier(patient_id: UUID, identifier_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    await _found(conn, session, patient_id)
    if not await service.forget_identifier(conn, session, patient_id, identifier_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(f"/patients/{patient_id}/discharge-documents", status.HTTP_303_SEE_OTHER)


async def _list(request: Request, conn: Connection, of: Patient, now: Now, refused: Refused | None = None) -> Response:
    return page(
        request,
        "discharge_documents.html",
        patient=of,
        documents=await store.of_patient(conn, of.patient_id),
        identifiers=await store.identifiers(conn, of.patient_id),
        largest=LARGEST,
        refused=refused,
        now=now,
    )


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    document_id: UUID,
    now: Now,
    refused: Refused | None = None,
) -> Response:
    preview = found_or_404(await service.preview(conn, session, of, document_id, now))
    return page(
        request,
        "discharge_document.html",
        patient=of,
        preview=preview,
        shown=SHOWN,
        questionnaires=followups.questionnaires(of, now),
        refused=refused,
        now=now,
    )


def _see(patient_id: UUID, document_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/discharge-documents/{document_id}", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await contacts.patient(conn, session, patient_id))
