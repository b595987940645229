"""Questionnaires: asked by the care team, answered by link, on the patient's page, or on the telephone.

GET  /patients/{patient_id}/questionnaires                  what was asked and answered
POST /patients/{patient_id}/questionnaires                  questionnaire: send it
GET  /patients/{patient_id}/questionnaires/{sent_id}        the answers; while it is open, the questions
POST /patients/{patient_id}/questionnaires/{sent_id}        as the patient said on the telephone
POST /patients/{patient_id}/questionnaires/{sent_id}/withdraw
GET, POST /me/questionnaires/{sent_id}                      for oneself
GET, POST /q/{token}                                        by a link, without signing in

303 when it is done; 422 with what is missing; 410 for a link that leads to nothing any more, 429 where it was tried too
often. What stands on a page by link says nothing of whose it is.
"""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth import cookies
from cloud.auth.access import Clinical, Patient, require_csrf_token
from cloud.auth.models import Session
from cloud.auth.routes import browser_of
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import zone_of
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient as Known
from cloud.crm.questionnaires import service, store
from cloud.crm.questionnaires.definitions import asked_on
from cloud.crm.questionnaires.models import Questionnaire, Sent, Standing
from cloud.plans.fields import Refused

router = APIRouter()
open_router = APIRouter()

OF_PATIENT: Final = "/patients/{patient_id}/questionnaires"

STATUSES: Final = {
    "open": status.HTTP_200_OK,
    "taken": status.HTTP_200_OK,
    "throttled": status.HTTP_429_TOO_MANY_REQUESTS,
}


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, patient_id, now)
    return await _page(request, conn, found, now)


@router.post(OF_PATIENT)
async def send(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.send(conn, session, found, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _see(f"/patients/{patient_id}/questionnaires")


@router.get(f"{OF_PATIENT}/{{sent_id}}")
async def one(request: Request, patient_id: UUID, sent_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found, sent = await _found(conn, session, patient_id), await _sent(conn, patient_id, sent_id)
    await service.record_reading(conn, session, patient_id, now)
    return _one_page(request, found, sent, now)


@router.post(f"{OF_PATIENT}/{{sent_id}}")
async def answer(request: Request, patient_id: UUID, sent_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found, sent = await _found(conn, session, patient_id), await _sent(conn, patient_id, sent_id)
    try:
        await service.answer(conn, session, sent, await form(request), now)
    except Refused as refused:
        return _one_page(request, found, sent, now, refused)
    return _see(f"/patients/{patient_id}/questionnaires/{sent_id}")


@router.post(f"{OF_PATIENT}/{{sent_id}}/withdraw")
async def withdraw(patient_id: UUID, sent_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    await _found(conn, session, patient_id)
    if not await service.withdraw(conn, session, patient_id, sent_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(f"/patients/{patient_id}/questionnaires")


@router.get("/me/questionnaires/{sent_id}")
async def mine(request: Request, sent_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    sent = await _sent(conn, session.patient_id, sent_id)
    return _asking(request, _standing(sent, now), sent.form, action=f"/me/questionnaires/{sent_id}", sent=sent)


@router.post("/me/questionnaires/{sent_id}")
async def answer_oneself(request: Request, sent_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    sent = await _sent(conn, session.patient_id, sent_id)
    action = f"/me/questionnaires/{sent_id}"
    try:
        await service.answer(conn, session, sent, await form(request), now)
    except Refused as refused:
        return _asking(request, "open", sent.form, action=action, refused=refused)
    return _see(action)


@open_router.get("/q/{token}")
async def by_link(request: Request, token: str, conn: Tx, now: Now) -> Response:
    standing, questionnaire = await service.by_link(conn, token, browser_of(request).address, now)
    return _open_page(request, standing, questionnaire)


@open_router.post("/q/{token}")
async def answer_by_link(request: Request, token: str, conn: Tx, now: Now) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    standing, questionnaire = await service.by_link(conn, token, browser_of(request).address, now)
    if standing != "open" or questionnaire is None:
        return _open_page(request, standing, questionnaire)
    typed = await form(request)
    try:
        standing = await service.answer_by_link(conn, token, browser_of(request).address, questionnaire, typed, now)
    except Refused as refused:
        return _open_page(request, "open", questionnaire, refused)
    said = {one.question_id: typed.get(one.field, "") for one in questionnaire.questions}
    return _open_page(request, standing, questionnaire, is_urgent=questionnaire.is_urgent(said))


def _open_page(
    request: Request,
    standing: str,
    questionnaire: Questionnaire | None,
    refused: Refused | None = None,
    *,
    is_urgent: bool = False,
) -> Response:
    token = cookies.sign_in_token(request)
    response = _asking(request, standing, questionnaire, refused=refused, csrf_token=token, is_urgent=is_urgent)
    cookies.write(request, response, cookies.SIGN_IN, token)
    return response


def _asking(
    request: Request,
    standing: str,
    questionnaire: Questionnaire | None,
    *,
    action: str = "",
    refused: Refused | None = None,
    csrf_token: str = "",
    sent: Sent | None = None,
    is_urgent: bool = False,
) -> Response:
    """The questions, or what has become of them. ``sent``: of somebody who is signed in, with what they answered."""
    if sent is not None and sent.form is not None and sent.answers is not None:
        is_urgent = sent.form.is_urgent(sent.answers)
    code = STATUSES.get(standing, status.HTTP_410_GONE) if not action else status.HTTP_200_OK
    return page(
        request,
        "questionnaire.html",
        status_code=None if refused else code,
        standing=standing,
        questionnaire=questionnaire,
        action=action,
        refused=refused,
        own_csrf_token=csrf_token,
        sent=sent,
        is_urgent=is_urgent,
    )


async def _page(request: Request, conn: Connection, of: Known, now: Now, refused: Refused | None = None) -> Response:
    return page(
        request,
        "patient_questionnaires.html",
        patient=of,
        sent=await store.of_patient(conn, of.patient_id),
        asked=asked_on(now.astimezone(zone_of(of.time_zone)).date()).values(),
        refused=refused,
        now=now,
    )


def _one_page(request: Request, of: Known, sent: Sent, now: Now, refused: Refused | None = None) -> Response:
    return page(
        request,
        "patient_questionnaire.html",
        patient=of,
        one=sent,
        standing=sent.standing(now),
        refused=refused,
        now=now,
    )


def _standing(sent: Sent, now: Now) -> str:
    found = sent.standing(now)
    return found.value if found is not Standing.WITHDRAWN else "over"


async def _sent(conn: Connection, patient_id: UUID | None, sent_id: UUID) -> Sent:
    return found_or_404(await service.one(conn, patient_id, sent_id) if patient_id is not None else None)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Known:
    return found_or_404(await contacts.patient(conn, session, patient_id))


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
