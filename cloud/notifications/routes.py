"""How I am reached, what I was paged with, and what gateways say later.

GET /me/reached                                 a member of the staff's own addresses
POST /me/addresses                              add one: a test page is sent there
POST /me/addresses/{address_id}/test            another test page
POST /me/addresses/{address_id}/code            the code of the test page: from then on pages go there
POST /me/addresses/{address_id}/first           to be tried before the others
POST /me/addresses/{address_id}/remove
POST /me/pages                                  what this person was paged with; that they ask confirms that it arrived
POST /receipts/{channel}                        a gateway's receipt, by its signature (``receipt``)
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from cloud.auth.access import only
from cloud.auth.models import Role, Session
from cloud.console.edge import LARGEST_FORM, Connection, Now, Tx, exceeds, form_field
from cloud.console.pages import page
from cloud.db.pool import Pool
from cloud.notifications import service, store
from cloud.notifications.channels.offered import offered_names
from cloud.notifications.channels.signing import is_genuine
from cloud.notifications.models import ChannelName
from cloud.notifications.views import banner
from cloud.notify_config import NotifySettings

router = APIRouter()

Staff = Annotated[Session, Depends(only(frozenset(Role) - {Role.PATIENT}))]
HERE: Final = "/me/reached"


@router.get(HERE)
async def reached(request: Request, conn: Tx, now: Now, session: Staff) -> Response:
    return await _page(request, conn, now, session)


@router.post("/me/addresses")
async def add(request: Request, conn: Tx, now: Now, session: Staff) -> Response:
    name, address = await form_field(request, "channel"), await form_field(request, "address")
    try:
        channel = ChannelName(name)
    except ValueError:
        return await _page(request, conn, now, session, refusal="channel", typed=address)
    try:
        await service.add(conn, session, channel, address, _offered(request), now)
    except service.UnusableAddress as unusable:
        return await _page(request, conn, now, session, refusal=unusable.code, typed=address, chosen=channel)
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.post("/me/addresses/{address_id}/test")
async def test(request: Request, address_id: UUID, conn: Tx, now: Now, session: Staff) -> Response:
    try:
        begun = await service.test(conn, session, address_id, now)
    except service.UnusableAddress as unusable:
        return await _page(request, conn, now, session, refusal=unusable.code)
    if not begun:
        return await _page(request, conn, now, session, refusal="under_way")
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.post("/me/addresses/{address_id}/code")
async def code(request: Request, address_id: UUID, conn: Tx, now: Now, session: Staff) -> Response:
    if not await service.verify(conn, session, address_id, await form_field(request, "code"), now):
        return await _page(request, conn, now, session, refusal="code")
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.post("/me/addresses/{address_id}/first")
async def first(address_id: UUID, conn: Tx, session: Staff) -> Response:
    return _done(await store.put_first(conn, session.account_id, address_id))


@router.post("/me/addresses/{address_id}/remove")
async def remove(address_id: UUID, conn: Tx, now: Now, session: Staff) -> Response:
    return _done(await service.remove(conn, session, address_id, now))


@router.post("/me/pages")
async def pages(conn: Tx, now: Now, session: Staff) -> Response:
    return HTMLResponse(banner(await service.fetch_pages(conn, session, now), session, now))


async def receipt(request: Request) -> Response:
    """POST /receipts/{channel}, outside of what is asked of browsers: a gateway has a signature, and no session.

    204: taken. 403: not signed by whom we know, or too old. 404: we know of no such message (yet: come again).
    """
    if exceeds(request, LARGEST_FORM):
        return Response(status_code=status.HTTP_413_CONTENT_TOO_LARGE)
    name = request.path_params["channel"]
    body = await request.body()
    now = request.app.state.now()
    key = request.app.state.receipt_keys.get(name)
    if key is None or not is_genuine(key, request.headers, body, now):
        return PlainTextResponse("the signature is not right\n", status.HTTP_403_FORBIDDEN)
    pool: Pool = request.app.state.pool
    async with pool.connection() as conn:
        taken = await service.receive(conn, ChannelName(name), body, now)
    return Response(status_code=status.HTTP_204_NO_CONTENT if taken else status.HTTP_404_NOT_FOUND)


def _offered(request: Request) -> tuple[ChannelName, ...]:
    settings: NotifySettings = request.app.state.notify
    return offered_names(settings)


def _done(was_theirs: bool) -> Response:
    if not was_theirs:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


async def _page(
    request: Request,
    conn: Connection,
    now: Now,
    session: Session,
    *,
    refusal: str | None = None,
    typed: str = "",
    chosen: str = "",
) -> Response:
    return page(
        request,
        "reached.html",
        status_code=status.HTTP_422_UNPROCESSABLE_CONTENT if refusal else status.HTTP_200_OK,
        addresses=await store.addresses_of(conn, session.account_id),
        offered=_offered(request),
        refusal=refusal,
        typed=typed,
        chosen=chosen,
        now=now,
    )
