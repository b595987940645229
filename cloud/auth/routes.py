"""GET and POST /login, POST /logout, POST /language, and / which leads everybody to their own first page."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth import cookies, service, store
from cloud.auth.access import Anyone, require_csrf_token
from cloud.auth.models import Refusal, Role, Session
from cloud.console.edge import LANGUAGE_COOKIE, Now, Tx, form_field, language_of, own_path
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.language.languages import known

router = APIRouter()

# Checking a password takes a twentieth of a second and 64 MiB, and anybody may ask for it.
SIGN_INS_AT_ONCE: Final = 2


async def in_turn(request: Request) -> AsyncIterator[None]:
    """Wait for one's turn to sign in, before taking a connection that somebody at work needs."""
    turns: asyncio.Semaphore = request.app.state.sign_ins
    async with turns:
        yield


@router.get("/")
async def home(request: Request, session: Anyone) -> Response:
    path = first_page(session)
    return _see(path) if path else page(request, "no_pages_yet.html")


@router.get("/login")
async def sign_in_page(request: Request, language: str = "") -> Response:
    """``language``: chosen on this very page; it is kept with the account of whoever signs in next."""
    chosen = known(language)
    response = _form(request, None, chosen)
    if chosen:
        cookies.remember(request, response, LANGUAGE_COOKIE, chosen)
    return response


@router.post("/login")
async def sign_in(
    request: Request, _turn: Annotated[None, Depends(in_turn, scope="function")], conn: Tx, now: Now
) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    result = await service.sign_in(conn, await form_field(request, "login"), await form_field(request, "password"), now)
    chosen = known(await form_field(request, "language"))
    if isinstance(result, Refusal):
        return _form(request, result, chosen)
    previous = cookies.read(request, cookies.SESSION)
    if previous:
        await service.sign_out(conn, previous)
    await audit.record(
        conn, at=now, account_id=result.account_id, action="sign_in", subject=f"account:{result.account_id}"
    )
    if chosen:
        await store.choose_language(conn, result.account_id, chosen)
    response = _see("/")
    # On a shared screen the next person does not inherit what the last one chose.
    cookies.remember(request, response, LANGUAGE_COOKIE, await store.language(conn, result.account_id))
    cookies.clear(request, response, cookies.SIGN_IN)
    cookies.write(request, response, cookies.SESSION, result.token)
    return response


@router.post("/logout")
async def sign_out(request: Request, conn: Tx, now: Now, session: Anyone) -> Response:
    await service.sign_out(conn, cookies.read(request, cookies.SESSION) or "")
    await audit.record(
        conn, at=now, account_id=session.account_id, action="sign_out", subject=f"account:{session.account_id}"
    )
    response = _see("/login")
    cookies.clear(request, response, cookies.SESSION)
    return response


@router.post("/language")
async def choose_language(request: Request, conn: Tx, session: Anyone) -> Response:
    """Read in this language from now on, here and wherever the same person signs in."""
    language = known(await form_field(request, "language"))
    if language is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await store.choose_language(conn, session.account_id, language)
    response = _see(own_path(await form_field(request, "back")))
    cookies.remember(request, response, LANGUAGE_COOKIE, language)
    return response


FIRST_PAGES: Final[Mapping[Role, str]] = {
    Role.NURSE: "/worklist",
    Role.LEAD_NURSE: "/worklist",
    Role.DOCTOR: "/patients",
    Role.PATIENT: "/me",
    Role.SUPPORT: "/technical",
    Role.ADMINISTRATOR: "/technical",
}


def first_page(session: Session) -> str | None:
    """Where this role's work begins; None while no page has been built for it."""
    return FIRST_PAGES.get(session.role)


def _form(request: Request, refusal: Refusal | None, chosen: str | None) -> Response:
    token = cookies.sign_in_token(request)
    response = page(
        request,
        "sign_in.html",
        status_code={
            None: status.HTTP_200_OK,
            Refusal.WRONG: status.HTTP_401_UNAUTHORIZED,
            Refusal.THROTTLED: status.HTTP_429_TOO_MANY_REQUESTS,
        }[refusal],
        csrf_token=token,
        chosen=chosen,
        refusal=spoken_in(language_of(request)).SIGN_IN_REFUSALS[refusal] if refusal else None,
    )
    if refusal is Refusal.THROTTLED:
        response.headers["Retry-After"] = str(int(service.FAILURES_WITHIN.total_seconds()))
    cookies.write(request, response, cookies.SIGN_IN, token)
    return response


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
