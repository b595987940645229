"""A patient's household: read and kept by the care team, the coordinator among them.

GET  /patients/{patient_id}/household
POST /patients/{patient_id}/household/search                        name; in the form, and so in no log
POST /patients/{patient_id}/household/members                       patient_id, relation, own_relation
POST /patients/{patient_id}/household/members/{member_id}/leave
POST /patients/{patient_id}/household/consents/{contact_id}         topic_reached and so on, said_on, method
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import zone_of
from cloud.contacts.models import Patient
from cloud.contacts.numbers import said
from cloud.crm.households import service
from cloud.crm.households.models import Method, Suggested, Topic
from cloud.plans.fields import Refused

router = APIRouter(prefix="/patients/{patient_id}/household")

Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]


@router.get("")
async def household(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, of, now)
    return await _page(request, conn, session, of, now)


@router.post("/search")
async def search(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, of, now)
    try:
        found = await service.search(conn, session, of, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, of, now, refused)
    return await _page(request, conn, session, of, now, found=found)


@router.post("/members")
async def add(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _found(conn, session, patient_id)
    try:
        await service.add(conn, session, of, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, of, now, refused)
    return _back(patient_id)


@router.post("/members/{member_id}/leave")
async def leave(patient_id: UUID, member_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    of = await _found(conn, session, patient_id)
    if not await service.leave(conn, session, of, member_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id)


@router.post("/consents/{contact_id}")
async def consent(
    request: Request, patient_id: UUID, contact_id: UUID, conn: Tx, now: Now, session: Caring
) -> Response:
    of = await _found(conn, session, patient_id)
    try:
        if not await service.consent(conn, session, of, contact_id, await form(request), now):
            raise HTTPException(status.HTTP_404_NOT_FOUND)
    except Refused as refused:
        return await _page(request, conn, session, of, now, refused, about=contact_id)
    return _back(patient_id)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    refused: Refused | None = None,
    found: Sequence[Suggested] | None = None,
    about: UUID | None = None,
) -> Response:
    shown = await service.household(conn, session, of.patient_id, now)
    return page(
        request,
        "household.html",
        patient=of,
        household=shown,
        suggested=await service.suggested(conn, session, of, now),
        found=found,
        history=await service.history(conn, of.patient_id),
        names={one.person.contact_id: one.person.name for one in shown.talking},
        topics=tuple(Topic),
        methods=tuple(Method),
        today=now.astimezone(zone_of(of.time_zone)).date(),
        about=about,
        refused=refused,
        spoken_number=said,
        may_read=session.role in CLINICAL,
    )


def _back(patient_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/household", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await service.patient(conn, session, patient_id))
