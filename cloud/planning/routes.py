"""A patient's plan. Read by the care team; limits are changed by its doctors, all else by its nurses and doctors.

GET /patients/{patient_id}/plan?limit=         the plan; with ``limit``, the form of that limit
POST /patients/{patient_id}/plan/limits        a doctor sets a limit
POST /patients/{patient_id}/plan/limits/withdraw
POST /patients/{patient_id}/plan/programme     into another programme
POST /patients/{patient_id}/plan/heightened    the heightened period
POST /patients/{patient_id}/plan/slots, /plan/slots/{slot_id}/end
POST /patients/{patient_id}/plan/pauses, /plan/pauses/{pause_id}/end

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Clinical, only
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.planning import service
from cloud.planning.models import Patient
from cloud.plans.fields import Refused
from cloud.plans.rules import STANDARD

router = APIRouter(prefix="/patients/{patient_id}/plan")

Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]
Change = Callable[[Connection, Session, Patient, Mapping[str, str], datetime], Awaitable[None]]
End = Callable[[Connection, Session, Patient, UUID, datetime], Awaitable[bool]]


@router.get("")
async def plan(
    request: Request,
    patient_id: UUID,
    conn: Tx,
    now: Now,
    session: Clinical,
    limit: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, found, now)
    return await _page(request, conn, session, found, now, condition=limit)


@router.post("/limits")
async def set_limit(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.set_limit, "limits")


@router.post("/limits/withdraw")
async def withdraw_limit(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.withdraw_limit, "limits")


@router.post("/programme")
async def programme(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.change_programme, "programme")


@router.post("/heightened")
async def heightened(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.change_heightened, "programme")


@router.post("/slots")
async def add_slot(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.add_slot, "schedule")


@router.post("/slots/{slot_id}/end")
async def end_slot(patient_id: UUID, slot_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _ended(patient_id, slot_id, conn, now, session, service.end_slot, "schedule")


@router.post("/pauses")
async def add_pause(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _changed(request, patient_id, conn, now, session, service.add_pause, "pauses")


@router.post("/pauses/{pause_id}/end")
async def end_pause(patient_id: UUID, pause_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _ended(patient_id, pause_id, conn, now, session, service.end_pause, "pauses")


async def _changed(
    request: Request, patient_id: UUID, conn: Connection, now: datetime, session: Session, change: Change, part: str
) -> Response:
    """Make the change that the form asks for; the page again where it cannot be made."""
    found = await _found(conn, session, patient_id)
    typed = await form(request)
    try:
        await change(conn, session, found, typed, now)
    except Refused as refused:
        return await _page(request, conn, session, found, now, condition=typed.get("condition", ""), refused=refused)
    return _back(patient_id, part)


async def _ended(
    patient_id: UUID, which: UUID, conn: Connection, now: datetime, session: Session, end: End, part: str
) -> Response:
    found = await _found(conn, session, patient_id)
    if not await end(conn, session, found, which, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id, part)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    *,
    condition: str,
    refused: Refused | None = None,
) -> Response:
    shown = await service.plan(conn, of, now)
    context: dict[str, Any] = {
        "plan": shown,
        "patient": of,
        "form": service.limit_form(shown, condition) if session.role is Role.DOCTOR else None,
        "refused": refused,
        "typed": refused.typed if refused else {},
        "standard": STANDARD,
        "may_prescribe": session.role is Role.DOCTOR,
        "now": now,
    }
    return page(request, "plan.html", **context)


def _back(patient_id: UUID, part: str) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/plan#{part}", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await service.patient(conn, session, patient_id))
