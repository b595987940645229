"""The edge of a request: its one transaction, its one time, its forms."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, status
from psycopg import AsyncConnection
from starlette.datastructures import UploadFile

from cloud.db.pool import Pool
from cloud.language.languages import ENGLISH, accepted, known

Connection = AsyncConnection[Any]
Found = TypeVar("Found")

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Our forms are a handful of short fields; whatever is larger is none of them.
LARGEST_FORM = 16_384
# Fields beside a file, and the borders between its parts.
AROUND_A_FILE = 16_384
# What a route that is not here may be sent is LARGEST_FORM, and no file. See ``takes``.
_TAKES: dict[Callable[..., Any], "_Taken"] = {}
Route = TypeVar("Route", bound=Callable[..., Any])
# So many who are not signed in are answered at once, by a link or as a calendar program: however many ask, whoever is
# at work has the other connections of the pool.
LINKS_AT_ONCE = 4
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


@dataclass(frozen=True, slots=True)
class _Taken:
    octets: int
    is_file: bool


def takes(octets: int, *, is_file: bool = False) -> Callable[[Route], Route]:
    """Marks a route whose form is longer than others, or has a file of at most so many octets in it."""

    def marked(route: Route) -> Route:
        _TAKES[route] = _Taken(octets + AROUND_A_FILE if is_file else octets, is_file)
        return route

    return marked


async def link_in_turn(request: Request) -> AsyncIterator[None]:
    """Wait for one's turn before taking a connection, where nobody is signed in."""
    turns: asyncio.Semaphore = request.app.state.links
    async with turns:
        yield


async def closing(request: Request) -> AsyncIterator[None]:
    """Whatever becomes of a request, the file that came with it is closed."""
    try:
        yield
    finally:
        await request.close()


def exceeds(request: Request, most: int) -> bool:
    """Whether the body of a request by signature may be longer than that: it says so, or does not say how long it is.

    One in chunks has no length, whatever Content-Length stands beside them (RFC 9112 section 6.3).
    """
    return "transfer-encoding" in request.headers or int(request.headers.get("content-length") or most + 1) > most


async def same_origin(request: Request) -> None:
    """Refuse an unsafe request that does not come from a page of this very origin.

    Every browser sends ``Origin`` with such a request; a script has to send it too.
    """
    if request.method not in UNSAFE:
        return
    taken = _TAKES.get(request.scope.get("endpoint"), _Taken(LARGEST_FORM, False))  # type: ignore[arg-type]  # or None
    if int(request.headers.get("content-length") or 0) > taken.octets or "transfer-encoding" in request.headers:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE)
    # Our forms come in one piece, but for one with a file. One in parts could name an alphabet in which texts are no
    # texts (lone surrogates): browsers name none.
    kind = request.headers.get("content-type", "").strip().lower()
    if kind.startswith("multipart/") and not (taken.is_file and "charset" not in kind):
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE)
    origin = request.headers.get("origin", "")
    if not origin or _host_of(origin) != request.headers.get("host"):
        raise HTTPException(status.HTTP_403_FORBIDDEN)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # brackets of an IPv6 address that is none
        return None


async def form(request: Request) -> dict[str, str]:
    """The submitted texts; of a field that comes several times the last. A NUL, which the database refuses, is no
    letter; the end of a line, for which browsers count one letter and send two, is one.
    """
    return {name: _text(value) for name, value in (await request.form()).items()}


async def form_field(request: Request, name: str) -> str:
    """A text field of the submitted form; empty when it is not there."""
    return _text((await request.form()).get(name))


async def form_fields(request: Request, name: str) -> list[str]:
    """All values of a field that may come several times, such as what was ticked."""
    return [_text(value) for value in (await request.form()).getlist(name)]


async def form_file(request: Request, name: str) -> bytes | None:
    """What is in the file of this field; None where none was chosen. Its name, which may be a patient's, is dropped."""
    found = (await request.form()).get(name)
    if not isinstance(found, UploadFile):
        return None
    return await found.read() or None


def _text(value: object) -> str:
    return value.replace("\0", "").replace("\r\n", "\n") if isinstance(value, str) else ""


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


def found_or_404(found: Found | None) -> Found:
    """What was asked for, else 404: what is not permitted looks like what does not exist."""
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return found


def wants_fragment(request: Request) -> bool:
    """Whether a script asked (htmx, anew.js), which puts the answer into the page."""
    return request.headers.get("hx-request") == "true"


Tx = Annotated[Connection, Depends(transaction, scope="function")]
Now = Annotated[datetime, Depends(now)]
