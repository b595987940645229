"""Signing in with the clinic's provider.

GET /login/outside       sends the browser there
GET /login/outside/back  where it comes back to
"""

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth import cookies
from cloud.auth.models import CodeNeeded, Refusal
from cloud.auth.routes import ask_for_code, browser_of, open_session, sign_in_form
from cloud.console.edge import Now
from cloud.db.pool import Pool
from cloud.outside import service
from cloud.sign_in_config import BACK, SignInSettings

router = APIRouter()


@router.get("/login/outside")
async def leave(request: Request, now: Now) -> Response:
    settings: SignInSettings = request.app.state.sign_in
    if settings.outside is None:
        return _to_sign_in()
    pool: Pool = request.app.state.pool
    departure = await service.send(pool, settings.outside, now)
    if departure is None:
        return sign_in_form(request, Refusal.OUTSIDE, None)
    response = RedirectResponse(departure.address, status.HTTP_303_SEE_OTHER)
    cookies.write(request, response, cookies.OUTSIDE, departure.token)
    return response


@router.get(BACK)
async def come_back(request: Request, now: Now) -> Response:
    settings: SignInSettings = request.app.state.sign_in
    token = cookies.read(request, cookies.OUTSIDE)
    if settings.outside is None or not token:
        return _to_sign_in()
    pool: Pool = request.app.state.pool
    answer = dict(request.query_params)
    result = await service.receive(pool, settings.outside, token, answer, now, browser_of(request))
    if result is None:
        response = sign_in_form(request, Refusal.OUTSIDE, None)
    elif isinstance(result, CodeNeeded):
        response = ask_for_code(request, result, None)
    else:
        async with pool.connection() as conn:
            return await open_session(request, conn, result, None)
    cookies.clear(request, response, cookies.OUTSIDE)
    return response


def _to_sign_in() -> Response:
    return RedirectResponse("/login", status.HTTP_303_SEE_OTHER)
