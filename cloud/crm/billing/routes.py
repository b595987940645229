"""Billing evidence: months of one's patients, what they rest on, minutes by hand, and closing.

GET /billing?month=2026-10&page=1                         per patient; administrators: counts
GET /billing.csv?month=                                   the same as a file, by id
POST /billing/close                                       month: freeze it for all of one's patients for whom it is over
GET /patients/{patient_id}/billing?month=                 with readings and minutes, and the form
POST /patients/{patient_id}/billing/minutes               write one's own minutes
POST /patients/{patient_id}/billing/minutes/{entry_id}/withdraw   why
POST /patients/{patient_id}/billing/close                 month

303 back to the page when it is done; 422 with the page and what is wrong when it is not; 409 where it is too early.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status
from fastapi.responses import RedirectResponse, StreamingResponse

from cloud.auth.access import Clinical, only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, form_field, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import zone_of
from cloud.crm.billing import entries, service
from cloud.crm.billing.models import BILLING, CLOSING, EVIDENCE, Activity, Known, Month
from cloud.crm.billing.rulebooks import RULEBOOKS
from cloud.plans.fields import Refused

router = APIRouter()

Billing = Annotated[Session, Depends(only(BILLING))]
Closing = Annotated[Session, Depends(only(CLOSING))]
Reading = Annotated[Session, Depends(only(EVIDENCE))]
Text = Annotated[str, Query(max_length=20)]


@router.get("/billing")
async def billing(
    request: Request,
    conn: Tx,
    now: Now,
    session: Billing,
    month: Text = "",
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    done: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    of = entries.month(month, now.date())
    listed = None if session.role is Role.ADMINISTRATOR else await service.listed(conn, session, of, page_, now)
    return page(
        request,
        "billing.html",
        listed=listed,
        counts=await service.counts(conn, of) if session.role in (Role.ADMINISTRATOR, Role.LEAD_NURSE) else [],
        month=of,
        newest=Month(now.date().replace(day=1)),
        rulebooks=RULEBOOKS,
        may_close=session.role in CLOSING,
        done=done,
        now=now,
    )


@router.get("/billing.csv")
async def export(request: Request, conn: Tx, now: Now, session: Closing, month: Text = "") -> Response:
    of = entries.month(month, now.date())
    whose = await service.begin_export(conn, session, of, now)
    name = f"pulsepost-billing-evidence-{of}.csv"
    return StreamingResponse(
        service.exported(request.app.state.pool, session, whose, of, now),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/billing/close")
async def close_all(request: Request, conn: Tx, now: Now, session: Closing) -> Response:
    of = entries.month(await form_field(request, "month"), now.date())
    done = await service.close_all(conn, session, of, now)
    return RedirectResponse(f"/billing?month={of}&done={done}", status.HTTP_303_SEE_OTHER)


@router.get("/patients/{patient_id}/billing")
async def of_patient(
    request: Request, patient_id: UUID, conn: Tx, now: Now, session: Reading, month: Text = ""
) -> Response:
    known = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, known, now)
    return await _page(request, conn, session, known, _month(month, known, now), now)


@router.post("/patients/{patient_id}/billing/minutes")
async def write(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    known, typed = await _found(conn, session, patient_id), await form(request)
    try:
        month = await service.write(conn, session, known, typed, now)
    except Refused as refused:
        return await _page(request, conn, session, known, _month(typed.get("month", ""), known, now), now, refused)
    return _back(patient_id, month)


@router.post("/patients/{patient_id}/billing/minutes/{entry_id}/withdraw")
async def withdraw(
    request: Request, patient_id: UUID, entry_id: UUID, conn: Tx, now: Now, session: Clinical
) -> Response:
    known, typed = await _found(conn, session, patient_id), await form(request)
    month = _month(typed.get("month", ""), known, now)
    try:
        done = await service.withdraw(conn, session, known, entry_id, typed, now)
    except Refused as refused:
        return await _page(request, conn, session, known, month, now, refused, entry_id)
    if not done:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id, month)


@router.post("/patients/{patient_id}/billing/close")
async def close(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Closing) -> Response:
    known = await _found(conn, session, patient_id)
    month = _month(await form_field(request, "month"), known, now)
    if not await service.close(conn, session, known, month, now):
        raise HTTPException(status.HTTP_409_CONFLICT)
    return _back(patient_id, month)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    known: Known,
    month: Month,
    now: datetime,
    refused: Refused | None = None,
    refused_entry: UUID | None = None,
) -> Response:
    shown = await service.month_of(conn, known, month, now)
    periods, ledger, calls = await service.behind(conn, shown)
    return page(
        request,
        "patient_billing.html",
        patient=known,
        shown=shown,
        periods=periods,
        ledger=ledger,
        unbooked_calls=calls,
        activities=tuple(Activity),
        may_write=session.role in CLINICAL,
        may_close=session.role in CLOSING,
        refused=refused,
        refused_entry=refused_entry,
        newest=_month("", known, now),
        now=now,
    )


def _month(text: str, known: Known, now: datetime) -> Month:
    return entries.month(text, now.astimezone(zone_of(known.time_zone)).date())


def _back(patient_id: UUID, month: Month) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/billing?month={month}", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Known:
    return found_or_404(await service.patient(conn, session, patient_id))
