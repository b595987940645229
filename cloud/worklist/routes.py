"""GET /worklist, POST /cases/{case_id}/acknowledge and /resolve.

A script reads the outcome from the status: 200 (or 303 without htmx) it is yours, 409 somebody else was faster,
404 there is no such case for you.
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.auth.access import Clinical, Nursing
from cloud.auth.models import Session
from cloud.components import service as components
from cloud.console.edge import Now, Tx, wants_fragment
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.worklist import service, store
from cloud.worklist.models import Case, Conflict
from cloud.worklist.views import row

router = APIRouter()


@router.get("/worklist")
async def worklist(request: Request, conn: Tx, now: Now, session: Nursing) -> Response:
    cases = await store.open_cases(conn, session.account_id)
    our_side = await components.our_side(conn, now)
    return page(request, "worklist.html", cases=cases, our_side=our_side, now=now)


@router.post("/cases/{case_id}/acknowledge")
async def acknowledge(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return _answer(request, session, now, await service.acknowledge(conn, session, case_id, now))


@router.post("/cases/{case_id}/resolve")
async def resolve(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return _answer(request, session, now, await service.resolve(conn, session, case_id, now))


def _answer(request: Request, session: Session, now: datetime, result: Case | Conflict | None) -> Response:
    if result is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    if isinstance(result, Conflict):
        owner = result.case.owner_name or ""
        notice = spoken_in(session.language).CONFLICTS[result.code].format(owner=owner)
        if wants_fragment(request):
            return HTMLResponse(row(result.case, session, now, notice), status.HTTP_409_CONFLICT)
        return page(request, "conflict.html", status_code=status.HTTP_409_CONFLICT, case=result.case, notice=notice)
    if wants_fragment(request):
        return HTMLResponse(row(result, session, now))
    return RedirectResponse(f"/patients/{result.patient_id}#case-{result.case_id}", status.HTTP_303_SEE_OTHER)
