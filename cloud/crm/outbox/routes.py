"""Outside CRMs: how they stand, what they could not be told, and what they tell us.

GET /crm                                       every destination, for administrators and support
POST /crm/{destination_id}/try                 do not wait any longer before trying it
POST /crm/{destination_id}/replay              dead letters again: ``seq`` or all, with a ``reason``; 422: none
POST /crm/{destination_id}/settle              a dead letter that nobody needs: ``seq``, with a ``reason``; 422: none
GET /crm/open/{reference}                      the page that a link in a CRM means, for whoever may see it
POST /crm/inbound/{destination_id}             a CRM's own webhook, by its signature (``inbound``)
"""

import ssl
from typing import Final
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import PlainTextResponse, RedirectResponse

from cloud.auth.access import Anyone, Supporting
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, exceeds, form_field, found_or_404
from cloud.console.pages import page
from cloud.crm.outbox import service, store
from cloud.crm.port import NotGenuine
from cloud.crm_config import CrmSettings
from cloud.db.pool import Pool

router = APIRouter(prefix="/crm")

HERE: Final = "/crm"
LARGEST_BODY: Final = 65_536
LONGEST_SEQ: Final = 18  # digits: whatever has more is none of ours, and may be more than the database can hold
# So many requests of CRMs are looked at at once; whoever has no secret holds up nobody else.
HINTS_AT_ONCE: Final = 2
NOBODY: Final = "not taken: nobody listens here\n"


async def notices(request: Request, conn: Tx, session: Anyone) -> None:
    """A dependency of every page: staff sees which CRM is down. Nothing else comes of it."""
    if session.role != Role.PATIENT:
        request.state.crm_down = await store.down(conn)


@router.get("")
async def overview(request: Request, conn: Tx, now: Now, session: Supporting) -> Response:
    del session
    return await _page(request, conn, now)


@router.post("/{destination_id}/try")
async def try_now(destination_id: UUID, conn: Tx, now: Now, session: Supporting) -> Response:
    if not await service.try_now(conn, session, destination_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.post("/{destination_id}/replay")
async def replay(request: Request, destination_id: UUID, conn: Tx, now: Now, session: Supporting) -> Response:
    seq, reason = await form_field(request, "seq"), await form_field(request, "reason")
    try:
        await service.replay(conn, session, destination_id, _number(seq), reason.replace("\0", ""), now)
    except service.NothingReplayed as nothing:
        return await _page(request, conn, now, refused=(str(destination_id), nothing.code, reason))
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.post("/{destination_id}/settle")
async def settle(request: Request, destination_id: UUID, conn: Tx, now: Now, session: Supporting) -> Response:
    seq, reason = await form_field(request, "seq"), await form_field(request, "reason")
    try:
        await service.settle_letter(conn, session, destination_id, _number(seq), reason.replace("\0", ""), now)
    except service.NothingReplayed as nothing:
        return await _page(request, conn, now, refused=(str(destination_id), nothing.code, reason))
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.get("/open/{reference}")
async def opened(reference: UUID, conn: Tx, session: Anyone) -> Response:
    path = found_or_404(await service.place(conn, reference) if _may_open(session) else None)
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)


async def inbound(request: Request) -> Response:
    """POST /crm/inbound/{destination_id}, outside of what is asked of browsers: a CRM has a signature, and no session.

    204: heard, now or before. 403: not signed by whom we know, too old, replayed, or not to be read; or nobody listens.
    """
    if exceeds(request, LARGEST_BODY):
        return Response(status_code=status.HTTP_413_CONTENT_TOO_LARGE)
    try:
        destination_id = UUID(request.path_params["destination_id"])
    except ValueError:
        return PlainTextResponse(NOBODY, status.HTTP_403_FORBIDDEN)
    body = await request.body()
    now = request.app.state.now()
    settings: CrmSettings = request.app.state.crm
    tls: ssl.SSLContext = request.app.state.crm_tls
    pool: Pool = request.app.state.pool
    try:
        async with request.app.state.crm_hints, pool.connection() as conn:
            heard = await service.hear(conn, settings, tls, destination_id, request.headers, body, now)
    except NotGenuine as error:
        return PlainTextResponse(f"not taken: {error.what}\n", status.HTTP_403_FORBIDDEN)
    if heard is None:
        return PlainTextResponse(NOBODY, status.HTTP_403_FORBIDDEN)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def _may_open(session: Session) -> bool:
    return session.role in CLINICAL


def _number(text: str) -> int | None:
    """A letter's number; None for all. One that is none is nobody's."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_SEQ else 0


async def _page(request: Request, conn: Connection, now: Now, refused: tuple[str, str, str] | None = None) -> Response:
    return page(
        request,
        "crm.html",
        destinations=await service.overview(conn),
        refused=refused,
        now=now,
    )
