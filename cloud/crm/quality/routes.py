"""Quality audits, for whoever audits, and for everybody whose work they are about.

GET  /quality                                                samples, findings in one's own work, and actions
POST /quality/samples                                        month, percent: draw one, once the month is over
GET  /quality/samples/{sample_id}                            its cases, what was found, and the draw made again
GET  /quality/samples/{sample_id}/frame.csv                  all that it was drawn from
POST /quality/samples/{sample_id}/cases/{case_id}/audit      begin; 409 where it was begun, or is one's own work
GET  /quality/audits/{audit_id}                              the case as it was, and the checklist
POST /quality/audits/{audit_id}                              answers and remarks; finish
POST /quality/audits/{audit_id}/reply                        body: by whose work it was
POST /quality/audits/{audit_id}/actions                      kind, what, owner, due_on, check_on
POST /quality/actions/{action_id}/done                       outcome, answered_by: by its owner
POST /quality/actions/{action_id}/check                      effective, check_note: by somebody else
GET  /quality/scripts                                        versions of the scripts, and what led to them

303 back to the page when it is done; 422 with the page and what is wrong when it is not; 409 as things stand.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import only
from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.crm.quality import service
from cloud.crm.quality.models import AUDITING, CONCERNED, FEWEST, PERCENT, Answer, Kind
from cloud.plans.fields import Refused
from cloud.worklist import views

router = APIRouter(prefix="/quality")

Auditing = Annotated[Session, Depends(only(AUDITING))]
Concerned = Annotated[Session, Depends(only(CONCERNED))]


@router.get("")
async def quality(request: Request, conn: Tx, now: Now, session: Concerned) -> Response:
    return await _overview(request, conn, session, now)


@router.post("/samples")
async def draw(request: Request, conn: Tx, now: Now, session: Auditing) -> Response:
    try:
        sample_id = await service.draw(conn, session, await form(request), now)
    except Refused as refused:
        return await _overview(request, conn, session, now, refused)
    return RedirectResponse(f"/quality/samples/{sample_id}", status.HTTP_303_SEE_OTHER)


@router.get("/samples/{sample_id}")
async def sample(request: Request, sample_id: UUID, conn: Tx, now: Now, session: Auditing) -> Response:
    shown = found_or_404(await service.sample(conn, session, sample_id, now))
    return page(request, "quality_sample.html", shown=shown, fewest=FEWEST, now=now)


@router.get("/samples/{sample_id}/frame.csv")
async def frame(sample_id: UUID, conn: Tx, now: Now, session: Auditing) -> Response:
    of, text = found_or_404(await service.frame(conn, session, sample_id, now))
    name = f"pulsepost-closed-cases-{of.month:%Y-%m}.csv"
    return Response(text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.post("/samples/{sample_id}/cases/{case_id}/audit")
async def begin(sample_id: UUID, case_id: UUID, conn: Tx, now: Now, session: Auditing) -> Response:
    try:
        begun = await service.begin(conn, session, sample_id, case_id, now)
    except service.NotToBeAudited:
        raise HTTPException(status.HTTP_409_CONFLICT) from None
    return _back(found_or_404(begun))


@router.get("/audits/{audit_id}")
async def audit(request: Request, audit_id: UUID, conn: Tx, now: Now, session: Concerned) -> Response:
    return _page(request, session, await _found(conn, session, audit_id, now), now)


@router.post("/audits/{audit_id}")
async def write(request: Request, audit_id: UUID, conn: Tx, now: Now, session: Auditing) -> Response:
    shown = await _found(conn, session, audit_id, now)
    try:
        done = await service.write(conn, session, shown, await form(request), now)
    except Refused as refused:
        return _page(request, session, shown, now, refused)
    return _answer(audit_id, done)


@router.post("/audits/{audit_id}/reply")
async def reply(request: Request, audit_id: UUID, conn: Tx, now: Now, session: Concerned) -> Response:
    shown = await _found(conn, session, audit_id, now)
    try:
        done = await service.reply(conn, session, shown, await form(request), now)
    except Refused as refused:
        return _page(request, session, shown, now, refused)
    return _answer(audit_id, done)


@router.post("/audits/{audit_id}/actions")
async def act(request: Request, audit_id: UUID, conn: Tx, now: Now, session: Auditing) -> Response:
    shown = await _found(conn, session, audit_id, now)
    try:
        done = await service.act(conn, session, shown, await form(request), now)
    except Refused as refused:
        return _page(request, session, shown, now, refused)
    return _answer(audit_id, done)


@router.post("/actions/{action_id}/done")
async def done(request: Request, action_id: UUID, conn: Tx, now: Now, session: Concerned) -> Response:
    try:
        is_done = await service.done(conn, session, action_id, await form(request), now)
    except Refused as refused:
        return await _overview(request, conn, session, now, refused, action_id)
    return _to_actions(is_done)


@router.post("/actions/{action_id}/check")
async def check(request: Request, action_id: UUID, conn: Tx, now: Now, session: Auditing) -> Response:
    try:
        is_done = await service.check(conn, session, action_id, await form(request), now)
    except Refused as refused:
        return await _overview(request, conn, session, now, refused, action_id)
    return _to_actions(is_done)


@router.get("/scripts")
async def scripts(request: Request, conn: Tx, now: Now, session: Concerned) -> Response:
    return page(request, "quality_scripts.html", scripts=await service.scripts(conn, session, now), now=now)


async def _overview(
    request: Request,
    conn: Connection,
    session: Session,
    now: datetime,
    refused: Refused | None = None,
    refused_action: UUID | None = None,
) -> Response:
    return page(
        request,
        "quality.html",
        shown=await service.overview(conn, session, now),
        may_audit=session.role in AUDITING,
        least=PERCENT,
        later_versions=service.later_versions,
        titles=service.titles(),
        refused=refused,
        refused_action=refused_action,
        now=now,
    )


def _page(
    request: Request, session: Session, shown: service.AuditPage, now: datetime, refused: Refused | None = None
) -> Response:
    seen = shown.seen
    return page(
        request,
        "quality_audit.html",
        shown=shown,
        case=seen.case if seen else None,
        alerts=seen.alerts if seen else (),
        calls=seen.calls if seen else (),
        history=views.entries(seen.history, session, seen.case.time_zone) if seen else (),
        answers=tuple(Answer),
        kinds=tuple(Kind),
        may_audit=session.role in AUDITING,
        later_versions=service.later_versions,
        titles=service.titles(),
        refused=refused,
        now=now,
    )


async def _found(conn: Connection, session: Session, audit_id: UUID, now: datetime) -> service.AuditPage:
    return found_or_404(await service.audit(conn, session, audit_id, now))


def _answer(audit_id: UUID, done: bool) -> Response:
    if not done:
        raise HTTPException(status.HTTP_409_CONFLICT)
    return _back(audit_id)


def _to_actions(done: bool | None) -> Response:
    if not found_or_404(done):
        raise HTTPException(status.HTTP_409_CONFLICT)
    return RedirectResponse("/quality#actions", status.HTTP_303_SEE_OTHER)


def _back(audit_id: UUID) -> Response:
    return RedirectResponse(f"/quality/audits/{audit_id}", status.HTTP_303_SEE_OTHER)
