"""Break-glass, for clinical roles.

GET /break-glass                              whom, and why
POST /break-glass                             303 to the patient's page; 422: nobody was opened
POST /break-glass/{break_glass_id}/close      before its time is over
POST /break-glass/{break_glass_id}/seen       a lead nurse has taken notice
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Anyone, Clinical, only
from cloud.auth.models import Role, Session
from cloud.break_glass import service
from cloud.console.edge import Now, Tx, form_field
from cloud.console.pages import page

router = APIRouter(prefix="/break-glass")

LeadNurse = Annotated[Session, Depends(only(frozenset({Role.LEAD_NURSE})))]
FIELDS: Final = ("name", "born", "patient_id", "reason")


async def notices(request: Request, conn: Tx, session: Anyone) -> None:
    """A dependency of every page: what its reader opened, and what others did that they have to see."""
    glass = await service.notices(conn, session)
    request.state.glass = glass
    request.state.opened = frozenset(one.patient_id for one in glass if one.account_id == session.account_id)


@router.get("")
async def form(request: Request, _: Clinical) -> Response:
    return page(request, "break_glass.html", typed={}, refusal=None)


@router.post("")
async def break_glass(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = {name: await form_field(request, name) for name in FIELDS}
    try:
        patient_id = await service.open_patient(conn, session, service.entry(typed), now)
        refusal = "nobody"
    except service.Refused as refused:
        patient_id, refusal = None, refused.code
    if patient_id is not None:
        return RedirectResponse(f"/patients/{patient_id}", status.HTTP_303_SEE_OTHER)
    return page(
        request,
        "break_glass.html",
        status_code=status.HTTP_422_UNPROCESSABLE_CONTENT,
        typed=typed,
        refusal=refusal,
    )


@router.post("/{break_glass_id}/close")
async def close(break_glass_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return _done(await service.close(conn, session, break_glass_id, now))


@router.post("/{break_glass_id}/seen")
async def seen(break_glass_id: UUID, conn: Tx, now: Now, session: LeadNurse) -> Response:
    return _done(await service.see(conn, session, break_glass_id, now))


def _done(was_there: bool) -> Response:
    if not was_there:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse("/", status.HTTP_303_SEE_OTHER)
