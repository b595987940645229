"""The edge of a request: its one transaction, its one time, its forms."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, status
from psycopg import AsyncConnection

from cloud.db.pool import Pool
from cloud.language.languages import ENGLISH, accepted, known

Connection = AsyncConnection[Any]

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Our forms are a handful of short fields; whatever is larger is none of them.
LARGEST_FORM = 16_384
# A preference and no secret: it says nothing of who somebody is.
LANGUAGE_COOKIE = "pulsepost-language"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


async def transaction(request: Request) -> AsyncIterator[Connection]:
    """One transaction per request: committed once, before the response leaves; rolled back by any error."""
    pool: Pool = request.app.state.pool
    async with pool.connection() as conn:
        yield conn


def now(request: Request) -> datetime:
    """The time of this request (aware, UTC)."""
    moment: datetime = request.app.state.now()
    return moment


async def same_origin(request: Request) -> None:
    """Refuse an unsafe request that does not come from a page of this very origin.

    Every browser sends ``Origin`` with such a request; a script has to send it too.
    """
    if request.method not in UNSAFE:
        return
    if int(request.headers.get("content-length") or 0) > LARGEST_FORM or "transfer-encoding" in request.headers:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE)
    origin = request.headers.get("origin", "")
    if not origin or urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(status.HTTP_403_FORBIDDEN)


async def form_field(request: Request, name: str) -> str:
    """A text field of the submitted form; empty when it is not there."""
    value = (await request.form(max_files=0, max_fields=20)).get(name)
    return value if isinstance(value, str) else ""


async def form_fields(request: Request, name: str) -> list[str]:
    """All values of a field that may come several times, such as what was ticked."""
    values = (await request.form(max_files=0, max_fields=20)).getlist(name)
    return [value for value in values if isinstance(value, str)]


def is_secure(request: Request) -> bool:
    """Whether cookies may and must be Secure: always, except over plain HTTP on this machine itself."""
    return request.url.scheme == "https" or request.url.hostname not in LOOPBACK


def language_of(request: Request) -> str:
    """The reader's language: chosen by whoever is signed in, else chosen in this browser, else the browser's own."""
    session = getattr(request.state, "session", None)
    return known(session.language) or ENGLISH if session is not None else language_of_browser(request)


def language_of_browser(request: Request) -> str:
    """What was chosen in this browser, else what it asks for, else English."""
    chosen = known(request.query_params.get("language")) or known(request.cookies.get(LANGUAGE_COOKIE))
    return chosen or accepted(request.headers.get("accept-language", "")) or ENGLISH


def own_path(text: str) -> str:
    """A path of this site to go back to; ``/`` for whatever else was sent."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_ours and not urlsplit(text).netloc else "/"


def wants_fragment(request: Request) -> bool:
    """Whether htmx asked, who puts the answer into the page."""
    return request.headers.get("hx-request") == "true"


Tx = Annotated[Connection, Depends(transaction, scope="function")]
Now = Annotated[datetime, Depends(now)]
