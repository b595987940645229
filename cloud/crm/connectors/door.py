"""The one way out to a CRM: bounded requests to one host that was looked at first.

No redirects, no proxy variables, an answer of limited size, all of it within CALL_WITHIN_S. The address is pinned;
name, SNI and certificate stay the host's. Whatever goes wrong is the port's error: before anything was sent
Unreachable, afterwards Ambiguous. What a status means is the connector's to say; ``check`` is what most would.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from cloud.crm.connectors.addresses import NotAllowed, Resolve, chosen, resolve
from cloud.crm.port import CALL_WITHIN_S, Ambiguous, Refused, Shut, TryLater, Unreachable

# It writes the address of each request into the log, and some hold a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)

LARGEST_ANSWER: Final = 65_536
LONGEST_RETRY_AFTER: Final = timedelta(hours=6)
# Not done, and the same may be asked again (RFC 9110, 6585).
FOR_NOW: Final = frozenset({408, 425, 429, 503})
# They do not want us, or not there: a person has to look.
SHUT: Final = frozenset({401, 402, 403, 404, 405, 407, 410})

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``headers`` in lower case. ``body`` is None where there was more of it than we read."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """To one destination. ``inside``: it may be in our own network, and without TLS.

    ``tls`` trusts whom the operator says. ``within_s``: all that one request may take.
    """

    tls: ssl.SSLContext = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    inside: bool = False
    resolve: Resolve = field(default=resolve, repr=False)
    within_s: float = CALL_WITHIN_S

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        largest_answer: int = LARGEST_ANSWER,
    ) -> Answer:
        """One request, whatever its status. Unreachable, Ambiguous, Shut (an address that is not allowed)."""
        return asyncio.run(self._within(method, url, body, headers or {}, largest_answer))

    async def _within(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], largest_answer: int
    ) -> Answer:
        sent = _Sent()
        try:
            async with asyncio.timeout(self.within_s):
                return await self._ask(method, url, body, headers, largest_answer, sent)
        except (TimeoutError, httpx.TimeoutException):
            raise sent.error("no answer in time") from None
        except httpx.InvalidURL:
            raise Shut("unusable address") from None
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise sent.error(type(error).__name__) from None

    async def _ask(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], largest_answer: int, sent: "_Sent"
    ) -> Answer:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and self.inside)):
            raise Shut("unusable address")
        address = await self._pinned(host, parts.port or (443 if parts.scheme == "https" else 80))
        pinned = httpx.URL(url).copy_with(host=address)
        # What is read is what was sent, and no longer than it says: nobody is let unpack it.
        named = {"User-Agent": "pulsepost", **headers, "Accept-Encoding": "identity"}
        named["Host"] = parts.netloc.rpartition("@")[2]
        async with (
            httpx.AsyncClient(
                verify=self.tls, follow_redirects=False, timeout=self.within_s, trust_env=False
            ) as client,
            client.stream(
                method, pinned, content=body, headers=named, extensions={"sni_hostname": host, "trace": sent.see}
            ) as answer,
        ):
            return Answer(
                status=answer.status_code,
                headers={name.lower(): value for name, value in answer.headers.items()},
                body=await _read(answer, largest_answer),
            )

    async def _pinned(self, host: str, port: int) -> str:
        try:
            found = await asyncio.to_thread(self.resolve, host, port)
        except OSError:
            raise Unreachable("no such host") from None
        try:
            return chosen(found, inside=self.inside)
        except NotAllowed:
            raise Shut("address not allowed") from None


class _Sent:
    """Whether anything of the request may have arrived."""

    def __init__(self) -> None:
        self.anything = False

    async def see(self, event: str, info: Mapping[str, Any]) -> None:
        del info
        if event.endswith("send_request_headers.started"):
            self.anything = True

    def error(self, what: str) -> Ambiguous | Unreachable:
        return Ambiguous(what) if self.anything else Unreachable(what)


async def _read(answer: httpx.Response, largest: int) -> bytes | None:
    received = bytearray()
    async for chunk in answer.aiter_raw():
        received += chunk
        if len(received) > largest:
            return None
    return bytes(received)


def decoded(body: bytes | msgspec.Raw | None, shape: type[Shape]) -> Shape | None:
    """What is said in JSON; None where it cannot be read, or is of another shape."""
    try:
        return msgspec.json.decode(body or b"", type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def check(answer: Answer, now: datetime) -> None:
    """Nothing where it is 2xx. TryLater, Shut, Refused; Ambiguous of a server's own errors: it may be done."""
    status, what = answer.status, f"status {answer.status}"
    if 200 <= status < 300:
        return
    wait = retry_after(answer, now)
    if status in FOR_NOW:
        raise TryLater(what, wait)
    if status >= 500:
        raise Ambiguous(what, wait)
    if status in SHUT or 300 <= status < 400:
        raise Shut(what, wait)
    raise Refused(what)


def retry_after(answer: Answer, now: datetime) -> timedelta | None:
    """What they ask us to wait (RFC 9110 section 10.2.3), at most LONGEST_RETRY_AFTER; None: nothing."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return min(max(until - now, timedelta(0)), LONGEST_RETRY_AFTER)
