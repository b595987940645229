"""GET /technical and POST /technical/{alarm_id}/acknowledge.

A script reads the outcome from the status: 200 (or 303 without htmx) it is yours, 409 somebody else was faster or the
condition is gone, 404 there is no such alarm.
"""

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.auth.access import Supporting, Technical
from cloud.console.edge import Now, Tx, wants_fragment
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.technical import service
from cloud.technical.models import Conflict
from cloud.technical.views import may, row

router = APIRouter()


@router.get("/technical")
async def technical(request: Request, conn: Tx, now: Now, session: Technical) -> Response:
    return page(
        request,
        "technical.html",
        queue=await service.queue(conn),
        resolved=await service.resolved(conn, now),
        may_acknowledge=may(session),
        now=now,
    )


@router.post("/technical/{alarm_id}/acknowledge")
async def acknowledge(request: Request, alarm_id: UUID, conn: Tx, now: Now, session: Supporting) -> Response:
    result = await service.acknowledge(conn, session, alarm_id, now)
    if result is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    if not wants_fragment(request):
        return RedirectResponse(f"/technical#alarm-{alarm_id}", status.HTTP_303_SEE_OTHER)
    if isinstance(result, Conflict):
        owner = result.alarm.acknowledged_by_name or ""
        notice = spoken_in(session.language).CONFLICTS[result.code].format(owner=owner)
        return HTMLResponse(row(result.alarm, session, now, notice), status.HTTP_409_CONFLICT)
    return HTMLResponse(row(result, session, now))
