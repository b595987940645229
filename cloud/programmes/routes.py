"""The programmes: read by clinicians, changed by lead nurses, doctors and administrators.

GET /programmes
POST /programmes                          a new one
POST /programmes/{programme_id}           its regimes, times, classes, budget
POST /programmes/{programme_id}/terms     the promises of one tier

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not.
"""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response, status
from fastapi.responses import RedirectResponse

from alerting.regimes import REGIMES
from alerting.tiers import TERMS
from cloud.auth.access import only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form
from cloud.console.pages import page
from cloud.plans.fields import Refused
from cloud.programmes import service
from cloud.programmes.models import CLOSING_CLASSES

router = APIRouter(prefix="/programmes")

LEADING: Final = frozenset({Role.LEAD_NURSE, Role.DOCTOR, Role.ADMINISTRATOR})
Reader = Annotated[Session, Depends(only(CLINICAL | LEADING))]
Leader = Annotated[Session, Depends(only(LEADING))]
ProgrammeId = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]


@router.get("")
async def programmes(request: Request, conn: Tx, now: Now, session: Reader) -> Response:
    return await _page(request, conn, session, now)


@router.post("")
async def add(request: Request, conn: Tx, now: Now, session: Leader) -> Response:
    try:
        programme_id = await service.add(conn, session, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused, "new")
    return _back(programme_id)


@router.post("/{programme_id}")
async def change(request: Request, programme_id: ProgrammeId, conn: Tx, now: Now, session: Leader) -> Response:
    try:
        changed = await service.change(conn, session, programme_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused, programme_id)
    return _back(programme_id, is_there=changed)


@router.post("/{programme_id}/terms")
async def change_terms(request: Request, programme_id: ProgrammeId, conn: Tx, now: Now, session: Leader) -> Response:
    try:
        changed = await service.change_terms(conn, session, programme_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused, programme_id)
    return _back(programme_id, is_there=changed)


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    now: datetime,
    refused: Refused | None = None,
    of: str = "",
) -> Response:
    """``of``: the programme in whose form something was refused."""
    return page(
        request,
        "programmes.html",
        programmes=await service.programmes(conn, now),
        regimes=REGIMES,
        defaults=TERMS,
        closing_classes=CLOSING_CLASSES,
        may_change=session.role in LEADING,
        refused=refused,
        refused_of=of,
    )


def _back(programme_id: str, *, is_there: bool = True) -> Response:
    if not is_there:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(f"/programmes#programme-{programme_id}", status.HTTP_303_SEE_OTHER)
