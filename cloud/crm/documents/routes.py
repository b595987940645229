"""Documents: of a patient, of the centre, and the wording that they are made of.

GET  /documents                                       those about nobody, the wording in force, the clinic
POST /documents                                       kind, language
POST /documents/clinic                                what the clinic says of itself
GET  /documents/{document_id}                         the PDF, to be saved
GET  /documents/wording/{kind}                        versions, and the form of a draft
POST /documents/wording/{kind}                        text_en, text_ru, text_zh
GET  /documents/wording/{template_id}/preview/{language}   a PDF with the names of its fields
POST /documents/wording/{template_id}/approve         somebody who did not write it
POST /documents/wording/{template_id}/withdraw
GET  /patients/{patient_id}/documents                 what was produced, and scans of what was signed
POST /patients/{patient_id}/documents                 kind, language, and what the kind asks for
GET  /patients/{patient_id}/documents/{document_id}   the PDF, to be saved
POST /patients/{patient_id}/documents/{document_id}/scans    file, signed_on (multipart)
GET  /patients/{patient_id}/documents/scans/{scan_id}        the file, to be saved
POST /patients/{patient_id}/documents/scans/{scan_id}/withdraw   why
GET  /me/documents, POST /me/documents, GET /me/documents/{document_id}, GET /me/documents/scans/{scan_id}

303 back to the page when it is done; 422 with what is wrong; 409 where what the document is made of is not there; 503
where a font is not. No file is ever shown within a page: it may have come from outside.
"""

import logging
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Administrator, Patient, only
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, form_file, found_or_404, takes
from cloud.console.pages import page
from cloud.console.spoken import zone_of
from cloud.crm.documents import models, service
from cloud.crm.documents.models import (
    APPROVING,
    BY_PATIENTS,
    CARING,
    LONGEST_FACT,
    LONGEST_TEXT,
    OF_THE_CENTRE,
    READING,
    File,
    Kind,
    Unknown,
)
from cloud.crm.documents.scans import LARGEST
from cloud.crm.documents.templates import NEEDED, OTHERS, WORDS, BadTemplate
from cloud.duty import store as duty
from cloud.language.languages import known
from cloud.plans.fields import Refused
from cloud.review.report import FontMissing

log = logging.getLogger(__name__)

router = APIRouter()

Caring = Annotated[Session, Depends(only(CARING))]
Reading = Annotated[Session, Depends(only(READING))]
Approving = Annotated[Session, Depends(only(APPROVING))]

OF_PATIENT: Final = "/patients/{patient_id}/documents"
WORDING: Final = "/documents/wording"
# A letter of Russian or Chinese is up to nine octets of a form, and there are three texts.
LARGEST_WORDING: Final = 3 * 9 * LONGEST_TEXT
# What the form of a report begins with.
_PERIOD: Final = timedelta(days=27)


# The centre -----------------------------------------------------------------------------------------------------------


@router.get("/documents")
async def documents(request: Request, conn: Tx, session: Reading) -> Response:
    return await _centre(request, conn, session)


@router.post("/documents")
async def make(request: Request, conn: Tx, now: Now, session: Reading) -> Response:
    try:
        await service.make(conn, session, None, OF_THE_CENTRE, await form(request), now)
    except Refused as refused:
        return await _centre(request, conn, session, refused=refused)
    except (Unknown, FontMissing) as error:
        return await _centre(request, conn, session, unmade=_said(error))
    return _see("/documents")


@router.post("/documents/clinic")
async def set_clinic(request: Request, conn: Tx, now: Now, session: Administrator) -> Response:
    try:
        await service.set_clinic(conn, session, await form(request), now)
    except Refused as refused:
        return await _centre(request, conn, session, refused=refused)
    return _see("/documents")


@router.get("/documents/{document_id}")
async def document(document_id: UUID, conn: Tx, now: Now, session: Reading) -> Response:
    return _file(await service.file(conn, session, None, document_id, now))


@router.get(f"{WORDING}/{{kind}}")
async def wording(request: Request, kind: Kind, conn: Tx, session: Reading) -> Response:
    return await _wording(request, conn, session, kind)


@router.post(f"{WORDING}/{{kind}}")
@takes(LARGEST_WORDING)
async def write(request: Request, kind: Kind, conn: Tx, now: Now, session: Administrator) -> Response:
    try:
        await service.write(conn, session, kind, await form(request), now)
    except Refused as refused:
        return await _wording(request, conn, session, kind, refused)
    return _see(f"{WORDING}/{kind}")


@router.get(f"{WORDING}/{{template_id}}/preview/{{language}}")
async def preview(request: Request, template_id: UUID, language: str, conn: Tx, now: Now, session: Reading) -> Response:  # noqa: ARG001  (who asks is checked)
    try:
        octets = await service.preview(conn, template_id, found_or_404(known(language)), now)
    except FontMissing as missing:
        return _no_font(request, missing)
    except BadTemplate:
        octets = None
    return _file(File(kind="preview", name=f"preview-{language}.pdf", media_type="application/pdf", octets=octets)
                 if octets else None)  # fmt: skip


@router.post(f"{WORDING}/{{template_id}}/approve")
async def approve(request: Request, template_id: UUID, conn: Tx, now: Now, session: Approving) -> Response:
    return await _settled(request, await service.approve(conn, session, template_id, now))


@router.post(f"{WORDING}/{{template_id}}/withdraw")
async def withdraw(request: Request, template_id: UUID, conn: Tx, now: Now, session: Administrator) -> Response:
    return await _settled(request, await service.withdraw(conn, session, template_id, now))


# A patient ------------------------------------------------------------------------------------------------------------


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    return await _patients(request, conn, session, await _found(conn, session, patient_id), now)


@router.post(OF_PATIENT)
async def make_for(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _found(conn, session, patient_id)
    try:
        await service.make(conn, session, of, service.kinds_for(session), await form(request), now)
    except Refused as refused:
        return await _patients(request, conn, session, of, now, refused=refused)
    except (Unknown, FontMissing) as error:
        return await _patients(request, conn, session, of, now, unmade=_said(error))
    return _see(f"/patients/{patient_id}/documents")


@router.get(f"{OF_PATIENT}/scans/{{scan_id}}")
async def scan(patient_id: UUID, scan_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _found(conn, session, patient_id)
    return _file(await service.scanned(conn, session, of, scan_id, now))


@router.post(f"{OF_PATIENT}/scans/{{scan_id}}/withdraw")
async def withdraw_scan(
    request: Request, patient_id: UUID, scan_id: UUID, conn: Tx, now: Now, session: Caring
) -> Response:
    of = await _found(conn, session, patient_id)
    try:
        there = await service.withdraw_scan(conn, session, of, scan_id, await form(request), now)
    except Refused as refused:
        return await _patients(request, conn, session, of, now, refused=refused, refused_id=scan_id)
    if not there:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(f"/patients/{patient_id}/documents")


@router.get(f"{OF_PATIENT}/{{document_id}}")
async def document_of(patient_id: UUID, document_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _found(conn, session, patient_id)
    return _file(await service.file(conn, session, of, document_id, now))


@router.post(f"{OF_PATIENT}/{{document_id}}/scans")
@takes(LARGEST, is_file=True)
async def attach(
    request: Request, patient_id: UUID, document_id: UUID, conn: Tx, now: Now, session: Caring
) -> Response:
    of = await _found(conn, session, patient_id)
    try:
        there = await service.attach(
            conn, session, of, document_id, await form(request), await form_file(request, "file"), now
        )
    except Refused as refused:
        return await _patients(request, conn, session, of, now, refused=refused, refused_id=document_id)
    if not there:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(f"/patients/{patient_id}/documents")


# Oneself --------------------------------------------------------------------------------------------------------------


@router.get("/me/documents")
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    return await _own(request, conn, session, now)


@router.post("/me/documents")
async def make_own(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    of = found_or_404(await service.oneself(conn, session))
    typed = {**await form(request), "language": session.language or "en"}
    try:
        await service.make(conn, session, of, BY_PATIENTS, typed, now)
    except Refused:
        raise HTTPException(status.HTTP_404_NOT_FOUND) from None  # our own buttons send nothing else
    except (Unknown, FontMissing) as error:
        return await _own(request, conn, session, now, unmade=_said(error))
    return _see("/me/documents")


@router.get("/me/documents/{document_id}")
async def own_document(document_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    of = found_or_404(await service.oneself(conn, session))
    return _file(await service.file(conn, session, of, document_id, now))


@router.get("/me/documents/scans/{scan_id}")
async def own_scan(scan_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    of = found_or_404(await service.oneself(conn, session))
    return _file(await service.scanned(conn, session, of, scan_id, now))


# Pages ----------------------------------------------------------------------------------------------------------------


async def _centre(
    request: Request,
    conn: Connection,
    session: Session,
    *,
    refused: Refused | None = None,
    unmade: tuple[str, int] | None = None,
) -> Response:
    clinic = await service.clinic(conn)
    return _answer(
        request,
        "documents.html",
        unmade,
        refused=refused,
        documents=await service.of_centre(conn),
        kinds=OF_THE_CENTRE,
        wordings=await _in_force(conn),
        clinic=clinic,
        lacks=clinic.lacks,
        longest=LONGEST_FACT,
        is_administrator=session.role is Role.ADMINISTRATOR,
        zone=await duty.site_zone(conn),
        reader=session.language or "en",
    )


async def _in_force(conn: Connection) -> list[dict[str, Any]]:
    """Of each kind the clinic's wording that is in force, if there is one, and how many drafts wait."""
    own = await service.versions(conn)
    return [
        {
            "kind": kind,
            "own": next((one for one in own if one.kind == kind and one.standing == "approved"), None),
            "drafts": sum(one.kind == kind and one.standing == "draft" for one in own),
        }
        for kind in Kind
    ]


async def _wording(
    request: Request, conn: Connection, session: Session, kind: Kind, refused: Refused | None = None
) -> Response:
    try:
        in_force = await service.in_force(conn, kind)
    except Unknown:
        in_force = None
    return page(
        request,
        "document_wording.html",
        kind=kind,
        in_force=in_force,
        versions=await service.versions(conn, kind),
        fields=sorted(WORDS[kind]),
        parts=sorted(NEEDED[kind] | OTHERS[kind]),
        needed=NEEDED[kind],
        longest=LONGEST_TEXT,
        zone=await duty.site_zone(conn),
        is_administrator=session.role is Role.ADMINISTRATOR,
        may_approve=session.role in APPROVING,
        refused=refused,
    )


async def _patients(
    request: Request,
    conn: Connection,
    session: Session,
    of: models.Patient,
    now: Now,
    *,
    refused: Refused | None = None,
    refused_id: UUID | None = None,
    unmade: tuple[str, int] | None = None,
) -> Response:
    today = now.astimezone(zone_of(of.time_zone)).date()
    return _answer(
        request,
        "patient_documents.html",
        unmade,
        patient=of,
        shown=await service.of_patient(conn, session, of, now),
        today=today,
        first_day=today - _PERIOD,
        refused=refused,
        refused_id=refused_id,
        most=LARGEST // 1024 // 1024,
    )


async def _own(
    request: Request, conn: Connection, session: Session, now: Now, unmade: tuple[str, int] | None = None
) -> Response:
    of = found_or_404(await service.oneself(conn, session))
    shown = await service.of_patient(conn, session, of, now)
    return _answer(request, "my_documents.html", unmade, patient=of, shown=shown, kinds=BY_PATIENTS)


def _answer(request: Request, name: str, unmade: tuple[str, int] | None, **context: Any) -> Response:
    code = unmade[1] if unmade else None
    return page(request, name, status_code=code, unmade=unmade[0] if unmade else None, **context)


def _said(error: Unknown | FontMissing) -> tuple[str, int]:
    """Why nothing was made: a code of ``texts.DOCUMENTS_UNMADE``, and the status."""
    if isinstance(error, Unknown):
        return error.code, status.HTTP_409_CONFLICT
    log.error("no document: %s", str(error))
    return "font", status.HTTP_503_SERVICE_UNAVAILABLE


def _no_font(request: Request, missing: FontMissing) -> Response:
    log.error("no preview: %s", str(missing))
    return page(request, "no_report.html", status_code=status.HTTP_503_SERVICE_UNAVAILABLE, missing=str(missing))


def _file(found: File | None) -> Response:
    """To be saved, and by no means to be run or shown within this origin."""
    of = found_or_404(found)
    headers = {"Content-Disposition": f'attachment; filename="{of.name}"'}
    return Response(of.octets, media_type=of.media_type, headers=headers)


async def _settled(request: Request, known_: bool) -> Response:
    """Back to where the button was."""
    if not known_:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    back = (await form(request)).get("kind")
    return _see(f"{WORDING}/{back}" if back in set(Kind) else "/documents")


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> models.Patient:
    return found_or_404(await service.patient(conn, session, patient_id))
