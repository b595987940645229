"""Whose is it?

GET /whose          what waits in quarantine for a patient or a time, by device
POST /whose/answer  whose the ticked readings are, or that they are nobody's of ours, and why

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import only
from cloud.auth.models import SUPPORTING, Session
from cloud.console.edge import Connection, Now, Tx, form, form_fields
from cloud.console.pages import page
from cloud.plans.fields import Refused
from cloud.whose import service
from cloud.whose.service import ANSWERING

router = APIRouter(prefix="/whose")

Seeing = Annotated[Session, Depends(only(ANSWERING | SUPPORTING))]
Answering = Annotated[Session, Depends(only(ANSWERING))]


@router.get("")
async def whose(request: Request, conn: Tx, now: Now, session: Seeing) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="whose.read", subject="quarantine:readings"
    )
    return await _page(request, conn, session, now)


@router.post("/answer")
async def answer(request: Request, conn: Tx, now: Now, session: Answering) -> Response:
    try:
        await service.answer(conn, session, await form(request), await form_fields(request, "item"), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused, await form_fields(request, "item"))
    return RedirectResponse("/whose", status.HTTP_303_SEE_OTHER)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    now: datetime,
    refused: Refused | None = None,
    ticked: list[str] | None = None,
) -> Response:
    return page(
        request,
        "whose.html",
        groups=await service.groups(conn, session),
        answering=session.role in ANSWERING,
        refused=refused,
        ticked=ticked or [],
        now=now,
    )
