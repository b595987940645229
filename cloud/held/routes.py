"""Was it you?

GET /questions                                     what waits, of all patients in the nurse's care
GET /patients/{patient_id}/questions               of one; alone for a script, which puts it into the patient's page
POST /patients/{patient_id}/questions/{reading_id} a nurse says whose it is, and how they know
POST /patients/{patient_id}/devices/{assignment_id}/shared  others measure with it, too (``shared`` yes or no)
GET /me/questions                                  what the patient is asked; alone for a script
POST /me/questions/{reading_id}                    what the patient says

303 back when it is done; 422 with the page and what is wrong; 404 for what is decided already, or nobody asked.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Nursing, Patient
from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404, wants_fragment
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient as Person
from cloud.held import service
from cloud.plans.fields import Refused

router = APIRouter()


@router.get("/questions")
async def questions(request: Request, conn: Tx, now: Now, session: Nursing) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="questions.read", subject="questions:own"
    )
    held = await service.in_care(conn, session)
    return page(
        request,
        "questions.html",
        ours=[one for one in held if one.is_the_nurses(now)],
        theirs=[one for one in held if not one.is_the_nurses(now)],
        now=now,
    )


@router.get("/patients/{patient_id}/questions")
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await contacts.record_readings(conn, session, patient_id, now)
    return await _page(request, conn, session, found, now)


@router.post("/patients/{patient_id}/questions/{reading_id}")
async def answer(
    request: Request, patient_id: UUID, reading_id: UUID, conn: Tx, now: Now, session: Nursing
) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        taken = await service.answer(conn, session, patient_id, reading_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, found, now, refused)
    return _back(f"/patients/{patient_id}/questions", taken)


@router.post("/patients/{patient_id}/devices/{assignment_id}/shared")
async def share(
    request: Request, patient_id: UUID, assignment_id: UUID, conn: Tx, now: Now, session: Nursing
) -> Response:
    shared = (await form(request)).get("shared") == "yes"
    if not await service.share(conn, session, patient_id, assignment_id, shared, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(f"/patients/{patient_id}/questions", True)


@router.get("/me/questions")
async def my_questions(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    return await _own(request, conn, session, now)


@router.post("/me/questions/{reading_id}")
async def my_answer(request: Request, reading_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        taken = await service.answer_oneself(conn, session, reading_id, await form(request), now)
    except Refused as refused:
        return await _own(request, conn, session, now, refused)
    return _back("/me", taken)


async def _own(
    request: Request, conn: Connection, session: Session, now: datetime, refused: Refused | None = None
) -> Response:
    if session.patient_id is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="own_readings.read",
        subject=f"patient:{session.patient_id}",
        patient_id=session.patient_id,
    )
    asked = await service.asked_of_oneself(conn, session.patient_id)
    return _shown(request, "held_mine.html", "held_my_page.html", refused, asked=asked, now=now)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    found: Person,
    now: datetime,
    refused: Refused | None = None,
) -> Response:
    asked = await service.asked(conn, session, found.patient_id, now)
    return _shown(request, "held_of_patient.html", "held_page.html", refused, patient=found, asked=asked, now=now)


def _shown(request: Request, alone: str, whole: str, refused: Refused | None, **context: Any) -> Response:
    """The part alone for a script, else a page around it."""
    name = alone if wants_fragment(request) and not refused else whole
    return page(request, name, refused=refused, **context)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Person:
    return found_or_404(await service.patient(conn, session, patient_id))


def _back(path: str, taken: bool) -> Response:
    """Back to where it was asked."""
    if not taken:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
