"""How I sign in: a person's own second factor, sessions and password.

GET  /me/sign-in                               all of it
GET  /me/sign-in/second-factor                 a secret for an app, as text and QR code
POST /me/sign-in/second-factor                 its first code: from then on it counts; shows the recovery codes, once
POST /me/sign-in/second-factor/remove
POST /me/sign-in/recovery-codes                ten new ones
POST /me/sign-in/password                      another password; ends the other sessions
POST /me/sign-in/sessions/end                  all but this one
POST /me/sign-in/sessions/{session_id}/end
"""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth import cookies, factor_store, factors, own_service, qr, service, store
from cloud.auth.access import Anyone, AtTheDoor
from cloud.auth.models import Session
from cloud.auth.password_rules import SHORTEST
from cloud.auth.routes import browser_of, in_turn
from cloud.console.edge import Connection, Now, Tx, form_field
from cloud.console.pages import page
from cloud.sign_in_config import SignInSettings

router = APIRouter()

HERE: Final = "/me/sign-in"
SECOND_FACTOR: Final = f"{HERE}/second-factor"
Turn = Annotated[None, Depends(in_turn, scope="function")]


@router.get(HERE)
async def own_sign_in(request: Request, conn: Tx, now: Now, session: Anyone) -> Response:
    return await _page(request, conn, now, session)


@router.get(SECOND_FACTOR)
async def second_factor(request: Request, conn: Tx, now: Now, session: AtTheDoor) -> Response:
    return await _set_up_page(request, conn, now, session)


@router.post(SECOND_FACTOR)
async def confirm_second_factor(request: Request, _turn: Turn, conn: Tx, now: Now, session: AtTheDoor) -> Response:
    key = _key(request)
    if key is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    if await _asks_for_password(conn, session):
        typed = await form_field(request, "password")
        refused = await own_service.password_refused(conn, session, typed, now, browser_of(request))
        if refused:
            return await _set_up_page(request, conn, now, session, refused)
    made = await factors.confirm(conn, session, key, await form_field(request, "code"), now)
    if made is None:
        return await _set_up_page(request, conn, now, session, "code")
    return await _with_another_cookie(request, conn, session, made)


@router.post(f"{SECOND_FACTOR}/remove")
async def remove_second_factor(request: Request, conn: Tx, now: Now, session: Anyone) -> Response:
    if session.role in await factor_store.required_roles(conn):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    refused = await _code_refused(request, conn, now, session)
    if refused:
        return await _page(request, conn, now, session, refused)
    await factors.reset(conn, session.account_id, session.account_id, now)
    return _back()


@router.post(f"{HERE}/recovery-codes")
async def new_recovery_codes(request: Request, conn: Tx, now: Now, session: Anyone) -> Response:
    refused = await _code_refused(request, conn, now, session)
    if refused:
        return await _page(request, conn, now, session, refused)
    made = await factors.renew_recovery_codes(conn, session, now)
    return page(request, "recovery_codes.html", codes=made)


@router.post(f"{HERE}/password")
async def change_password(request: Request, _turn: Turn, conn: Tx, now: Now, session: Anyone) -> Response:
    present, chosen, again = [await form_field(request, name) for name in ("password", "new_password", "again")]
    refused = await own_service.change_password(conn, session, present, chosen, again, now, browser_of(request))
    if refused:
        return await _page(request, conn, now, session, refused, section="password")
    response = _back()
    cookies.write(request, response, cookies.SESSION, await service.rotate(conn, session))
    return response


@router.post(f"{HERE}/sessions/end")
async def end_other_sessions(conn: Tx, now: Now, session: Anyone) -> Response:
    ended = await store.end_sessions(conn, session.account_id, but=session.token_hash)
    await _record_ended(conn, now, session, ended)
    return _back()


@router.post(f"{HERE}/sessions/{{session_id}}/end")
async def end_session(session_id: UUID, conn: Tx, now: Now, session: Anyone) -> Response:
    if not await store.end_own_session(conn, session.account_id, session_id):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await _record_ended(conn, now, session, 1)
    return _back()


async def _record_ended(conn: Connection, now: Now, session: Session, ended: int) -> None:
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="session.ended",
        subject=f"account:{session.account_id}",
        detail={"sessions": ended},
    )


async def _page(
    request: Request,
    conn: Connection,
    now: Now,
    session: Session,
    refusal: str | None = None,
    section: str = "second-factor",
) -> Response:
    set_up = await factors.is_set_up(conn, session.account_id)
    return page(
        request,
        "own_sign_in.html",
        status_code=_status(refusal),
        refusal=refusal,
        section=section,
        offered=_key(request) is not None,
        set_up=set_up,
        codes_left=await factor_store.recovery_codes_left(conn, session.account_id),
        required=session.role in await factor_store.required_roles(conn),
        has_password=await store.password_hash_of(conn, session.account_id) is not None,
        sessions=await store.sessions_of(conn, session.account_id, session.token_hash, now),
        shortest=SHORTEST,
        now=now,
    )


async def _set_up_page(
    request: Request, conn: Connection, now: Now, session: Session, refusal: str | None = None
) -> Response:
    key = _key(request)
    offer = await factors.offer(conn, session, key, now) if key is not None else None
    if key is not None and offer is None:
        return _back()
    context: dict[str, Any] = {"offer": offer, "qr": qr.svg(offer.address) if offer else None}
    return page(
        request,
        "second_factor.html",
        status_code=_status(refusal),
        refusal=refusal,
        asks_for_password=await _asks_for_password(conn, session),
        **context,
    )


async def _with_another_cookie(request: Request, conn: Connection, session: Session, made: list[str]) -> Response:
    """The recovery codes; the session may do more than before, so its cookie is another one, and the others end."""
    await store.end_sessions(conn, session.account_id, but=session.token_hash)
    token = await service.rotate(conn, session)
    request.state.session = await service.session_of(conn, token, request.app.state.now()) or session
    response = page(request, "recovery_codes.html", codes=made)
    cookies.write(request, response, cookies.SESSION, token)
    return response


async def _asks_for_password(conn: Connection, session: Session) -> bool:
    """Whoever was just let in for this has typed it; an account from outside has none."""
    return not session.confined and await store.password_hash_of(conn, session.account_id) is not None


async def _code_refused(request: Request, conn: Connection, now: Now, session: Session) -> str | None:
    typed = await form_field(request, "code")
    return await own_service.code_refused(conn, session, _key(request), typed, now, browser_of(request))


def _key(request: Request) -> bytes | None:
    settings: SignInSettings = request.app.state.sign_in
    return settings.key


def _status(refusal: str | None) -> int:
    if refusal == "throttled":
        return status.HTTP_429_TOO_MANY_REQUESTS
    return status.HTTP_422_UNPROCESSABLE_CONTENT if refusal else status.HTTP_200_OK


def _back() -> Response:
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)
