"""The roster: read by those who care and by administrators, changed by lead nurses and administrators.

GET  /roster                       who is on duty now, and the coming 14 days with their holes
POST /roster/shifts                role, account_id, weekday_0..6 (none: of first_day alone), starts, ends, first_day,
                                   last_day, order
POST /roster/shifts/end            shift_ids: separated by spaces; last_day
POST /roster/absences              account_id, starts, ends, cover
POST /roster/absences/{absence_id}/end
POST /roster/holidays              day, name, own_roster
POST /roster/holidays/{day}/end
POST /roster/site                  time_zone, weekday_0..6, phone
POST /duty-gaps/{gap_id}/acknowledge

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Nursing, only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form
from cloud.console.pages import page
from cloud.contacts.numbers import said
from cloud.duty import service, store
from cloud.plans.fields import Form, Refused

router = APIRouter()

EDITORS = frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR})
Reader = Annotated[Session, Depends(only(CLINICAL | EDITORS))]
Editor = Annotated[Session, Depends(only(EDITORS))]
Change = Callable[[Connection, Session, Form, datetime], Awaitable[None]]


@router.get("/roster")
async def roster(request: Request, conn: Tx, now: Now, session: Reader) -> Response:
    return await _page(request, conn, session, now)


@router.post("/roster/shifts")
async def add_shifts(request: Request, conn: Tx, now: Now, session: Editor) -> Response:
    return await _changed(request, conn, session, now, service.add_shifts, "shifts")


@router.post("/roster/shifts/end")
async def end_shifts(request: Request, conn: Tx, now: Now, session: Editor) -> Response:
    try:
        ended = await service.end_shifts(conn, session, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused)
    return _back("shifts", found=ended)


@router.post("/roster/absences")
async def add_absence(request: Request, conn: Tx, now: Now, session: Editor) -> Response:
    return await _changed(request, conn, session, now, service.add_absence, "absences")


@router.post("/roster/absences/{absence_id}/end")
async def end_absence(absence_id: UUID, conn: Tx, now: Now, session: Editor) -> Response:
    return _back("absences", found=await service.withdraw_absence(conn, session, absence_id, now))


@router.post("/roster/holidays")
async def add_holiday(request: Request, conn: Tx, now: Now, session: Editor) -> Response:
    return await _changed(request, conn, session, now, service.add_holiday, "holidays")


@router.post("/roster/holidays/{day}/end")
async def end_holiday(day: date, conn: Tx, now: Now, session: Editor) -> Response:
    return _back("holidays", found=await service.remove_holiday(conn, session, day, now))


@router.post("/roster/site")
async def place(request: Request, conn: Tx, now: Now, session: Editor) -> Response:
    return await _changed(request, conn, session, now, service.place, "site")


@router.post("/duty-gaps/{gap_id}/acknowledge")
async def acknowledge_gap(gap_id: UUID, conn: Tx, now: Now, session: Nursing) -> Response:
    if not await service.may_see_gaps(conn, session, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    # Somebody else was faster, or it is over: the page shows it.
    await service.acknowledge_gap(conn, session, gap_id, now)
    return RedirectResponse("/worklist", status.HTTP_303_SEE_OTHER)


async def _changed(
    request: Request, conn: Connection, session: Session, now: datetime, change: Change, part: str
) -> Response:
    try:
        await change(conn, session, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused)
    return _back(part, found=True)


async def _page(
    request: Request, conn: Connection, session: Session, now: datetime, refused: Refused | None = None
) -> Response:
    return page(
        request,
        "roster.html",
        roster=await service.roster_page(conn, now),
        phone=await store.phone(conn),
        spoken_number=said,
        refused=refused,
        may_change=session.role in EDITORS,
        now=now,
    )


def _back(part: str, *, found: bool) -> Response:
    if not found:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(f"/roster#{part}", status.HTTP_303_SEE_OTHER)
