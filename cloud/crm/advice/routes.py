"""Advice: written and approved by clinicians, read by patients.

GET  /advice                         all of it, and the form of a draft
POST /advice                         name, measure, relation, bound, unit, text_en, text_ru, text_zh, article
POST /advice/{snippet_id}/approve    a doctor who did not write it
POST /advice/{snippet_id}/withdraw
GET  /me/advice                      what one was given; opening it reads it
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Patient, only
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.crm.advice import service
from cloud.crm.advice.models import LONGEST, UNITS, Measure, Relation
from cloud.crm.education import store as library
from cloud.plans.fields import Refused

router = APIRouter()

Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]


@router.get("/advice")
async def snippets(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _page(request, conn, session, now)


@router.post("/advice")
async def write(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    try:
        await service.write(conn, session, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused)
    return RedirectResponse("/advice", status.HTTP_303_SEE_OTHER)


@router.post("/advice/{snippet_id}/approve")
async def approve(snippet_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    return _done(await service.approve(conn, session, snippet_id, now))


@router.post("/advice/{snippet_id}/withdraw")
async def withdraw(snippet_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    return _done(await service.withdraw(conn, session, snippet_id, now))


@router.get("/me/advice")
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    patient_id = found_or_404(session.patient_id)
    return page(
        request,
        "my_advice.html",
        given=await service.read_own(conn, session, patient_id, now),
        zone=await audit.zone_of(conn, patient_id),
        articles=await library.ids_in_force(conn),
        reader=session.language or "en",
    )


async def _page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    context: dict[str, Any] = {
        "snippets": await service.snippets(conn, session, now),
        "measures": tuple(Measure),
        "relations": tuple(Relation),
        "units": tuple(dict.fromkeys(unit for of in UNITS.values() for unit in of)),
        "longest": LONGEST,
        "articles": await library.in_force(conn),
        "reader": session.language or "en",
        "may_approve": session.role is Role.DOCTOR,
        "refused": refused,
    }
    return page(request, "advice.html", **context)


def _done(known: bool) -> Response:
    if not known:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse("/advice", status.HTTP_303_SEE_OTHER)
