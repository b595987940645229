"""Signing in and out.

GET /                   leads everybody to their own first page
GET, POST /login        login and password
GET, POST /login/code   the code of the second factor, where there is one
POST /logout
POST /language
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth import cookies, service, store
from cloud.auth.access import Anyone, AtTheDoor, require_csrf_token
from cloud.auth.models import CodeNeeded, Refusal, Role, SignedIn, Waiting
from cloud.console.edge import LANGUAGE_COOKIE, Connection, Now, Tx, form_field, language_of, own_path
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.db.acting import act_for
from cloud.language.languages import known
from cloud.sign_in_config import SignInSettings

router = APIRouter()

# Checking a password takes a twentieth of a second and 64 MiB, and anybody may ask for it.
SIGN_INS_AT_ONCE: Final = 2


async def in_turn(request: Request) -> AsyncIterator[None]:
    """Wait for one's turn to sign in, before taking a connection that somebody at work needs."""
    turns: asyncio.Semaphore = request.app.state.sign_ins
    async with turns:
        yield


@router.get("/")
async def home(session: Anyone) -> Response:
    return _see(FIRST_PAGES[session.role])


@router.get("/login")
async def sign_in_page(request: Request, language: str = "") -> Response:
    """``language``: chosen on this very page; it is kept with the account of whoever signs in next."""
    chosen = known(language)
    response = sign_in_form(request, None, chosen)
    if chosen:
        cookies.remember(request, response, LANGUAGE_COOKIE, chosen)
    return response


@router.post("/login")
async def sign_in(
    request: Request, _turn: Annotated[None, Depends(in_turn, scope="function")], conn: Tx, now: Now
) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    login, password = await form_field(request, "login"), await form_field(request, "password")
    result = await service.sign_in(conn, login, password, now, browser_of(request))
    chosen = known(await form_field(request, "language"))
    if isinstance(result, Refusal):
        return sign_in_form(request, result, chosen)
    if isinstance(result, CodeNeeded):
        return ask_for_code(request, result, chosen)
    return await open_session(request, conn, result, chosen)


@router.get("/login/code")
async def code_page(request: Request, conn: Tx, now: Now, language: str = "") -> Response:
    if await _waiting(request, conn, now) is None:
        return _see("/login")
    return _code_form(request, None, known(language))


@router.post("/login/code")
async def enter_code(
    request: Request, _turn: Annotated[None, Depends(in_turn, scope="function")], conn: Tx, now: Now
) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    waiting = await _waiting(request, conn, now)
    if waiting is None:
        return _see("/login")
    settings: SignInSettings = request.app.state.sign_in
    typed = await form_field(request, "code")
    result = await service.enter_code(conn, waiting, settings.key, typed, now, browser_of(request))
    chosen = known(await form_field(request, "language"))
    if isinstance(result, Refusal):
        return _code_form(request, result, chosen)
    return await open_session(request, conn, result, chosen)


@router.post("/logout")
async def sign_out(request: Request, conn: Tx, now: Now, session: AtTheDoor) -> Response:
    await service.sign_out(conn, cookies.read(request, cookies.SESSION) or "")
    await audit.record(
        conn, at=now, account_id=session.account_id, action="sign_out", subject=f"account:{session.account_id}"
    )
    response = _see("/login")
    cookies.clear(request, response, cookies.SESSION)
    return response


@router.post("/language")
async def choose_language(request: Request, conn: Tx, session: AtTheDoor) -> Response:
    """Read in this language from now on, here and wherever the same person signs in."""
    language = known(await form_field(request, "language"))
    if language is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await act_for(conn, session.account_id)
    await store.choose_language(conn, session.account_id, language)
    response = _see(own_path(await form_field(request, "back")))
    cookies.remember(request, response, LANGUAGE_COOKIE, language)
    return response


FIRST_PAGES: Final[Mapping[Role, str]] = {
    Role.NURSE: "/worklist",
    Role.LEAD_NURSE: "/worklist",
    Role.DOCTOR: "/patients",
    Role.COORDINATOR: "/enrolments",
    Role.PATIENT: "/me",
    Role.SUPPORT: "/technical",
    Role.ADMINISTRATOR: "/technical",
    Role.AUDITOR: "/audit",
}


async def open_session(request: Request, conn: Connection, result: SignedIn, chosen: str | None) -> Response:
    """The answer to a sign-in that succeeded: a new cookie, and none of the old."""
    previous = cookies.read(request, cookies.SESSION)
    if previous:
        await service.sign_out(conn, previous)
    await act_for(conn, result.account_id)  # only now is it somebody's, whose own account they may read and change
    if chosen:
        await store.choose_language(conn, result.account_id, chosen)
    response = _see(cookies.way(request))
    # On a shared screen the next person does not inherit what the last one chose.
    cookies.remember(request, response, LANGUAGE_COOKIE, await store.language(conn, result.account_id))
    for used in (cookies.SIGN_IN, cookies.CODE, cookies.OUTSIDE, cookies.WAY):
        cookies.clear(request, response, used)
    cookies.write(request, response, cookies.SESSION, result.token)
    return response


def ask_for_code(request: Request, needed: CodeNeeded, chosen: str | None) -> Response:
    """Lead to the page that asks for the second factor's code."""
    response = _see(f"/login/code?language={chosen}" if chosen else "/login/code")
    cookies.write(request, response, cookies.CODE, needed.token)
    return response


def browser_of(request: Request) -> service.Browser:
    host = request.client.host if request.client else ""
    return service.Browser(address=service.counted_as(host), name=request.headers.get("user-agent", ""))


async def _waiting(request: Request, conn: Connection, now: Now) -> Waiting | None:
    token = cookies.read(request, cookies.CODE)
    return await service.waiting(conn, token, now) if token else None


def sign_in_form(request: Request, refusal: Refusal | None, chosen: str | None) -> Response:
    """The page with login and password, and why not, where somebody was refused."""
    settings: SignInSettings = request.app.state.sign_in
    return _sign_in_page(request, "sign_in.html", refusal, chosen, outside=settings.outside)


def _code_form(request: Request, refusal: Refusal | None, chosen: str | None) -> Response:
    return _sign_in_page(request, "sign_in_code.html", refusal, chosen)


def _sign_in_page(
    request: Request, template: str, refusal: Refusal | None, chosen: str | None, **context: Any
) -> Response:
    token = cookies.sign_in_token(request)
    response = page(
        request,
        template,
        status_code={
            None: status.HTTP_200_OK,
            Refusal.THROTTLED: status.HTTP_429_TOO_MANY_REQUESTS,
        }.get(refusal, status.HTTP_401_UNAUTHORIZED),
        csrf_token=token,
        chosen=chosen,
        refusal=spoken_in(language_of(request)).SIGN_IN_REFUSALS[refusal] if refusal else None,
        **context,
    )
    if refusal is Refusal.THROTTLED:
        response.headers["Retry-After"] = str(int(service.FAILURES_WITHIN.total_seconds()))
    cookies.write(request, response, cookies.SIGN_IN, token)
    return response


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
