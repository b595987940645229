"""The cookies: of a session, of a sign-in form that has no session yet, and of what a browser was told to prefer."""

import re
import secrets

from fastapi import Request, Response

from cloud.console.edge import is_secure

SESSION = "pulsepost"
SIGN_IN = "pulsepost-sign-in"
CODE = "pulsepost-code"
OUTSIDE = "pulsepost-outside"
# Where a person was led to the sign-in from, if a message led them there: a case, and nothing else.
WAY = "pulsepost-way"
A_CASE = re.compile(r"/cases/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WAY_LASTS_S = 600
A_YEAR_S = 31_536_000


def read(request: Request, name: str) -> str | None:
    return request.cookies.get(_full(request, name))


def write(request: Request, response: Response, name: str, value: str) -> None:
    """For the browser's session only; no script reads it. Lax: a link in a message or a CRM opens a page signed in."""
    response.set_cookie(_full(request, name), value, path="/", httponly=True, samesite="lax", secure=is_secure(request))


def remember(request: Request, response: Response, name: str, value: str | None) -> None:
    """A preference, for a year; no script reads it. None: there is none any more."""
    if value is None:
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=is_secure(request))
        return
    response.set_cookie(
        name, value, max_age=A_YEAR_S, path="/", httponly=True, samesite="lax", secure=is_secure(request)
    )


def clear(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(_full(request, name), path="/", httponly=True, samesite="lax", secure=is_secure(request))


def keep_way(request: Request, response: Response) -> None:
    """Whoever opens the link of a page without a session sees the case once they have signed in, within ten minutes."""
    if A_CASE.fullmatch(request.url.path):
        response.set_cookie(
            _full(request, WAY),
            request.url.path,
            max_age=WAY_LASTS_S,
            path="/",
            httponly=True,
            samesite="lax",
            secure=is_secure(request),
        )


def way(request: Request) -> str:
    """Where to go after signing in; ``/`` unless a message led to a case."""
    kept = read(request, WAY) or ""
    return kept if A_CASE.fullmatch(kept) else "/"


def sign_in_token(request: Request) -> str:
    """What the sign-in form repeats in a hidden field: only a page of ours can know it."""
    return read(request, SIGN_IN) or secrets.token_urlsafe(32)


def _full(request: Request, name: str) -> str:
    # __Host-: the browser itself refuses it without Secure, from another host, or for a sub-path.
    return f"__Host-{name}" if is_secure(request) else name
