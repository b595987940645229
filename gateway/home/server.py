"""The page's own small HTTP server: a few fixed paths, GET and HEAD, and nothing that changes anything.

It answers those who came to it by its own address or by a name from the configuration: a page of somebody else's, to
whose name an attacker's DNS gives this address (DNS rebinding), is told nothing. It answers nobody from the internet.
No library: HTTP/1.1 (RFC 9112) as far as a browser's GET needs it, one request for each connection.
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.home.words import LANGUAGES, TAGS, Language, chosen

log = logging.getLogger(__name__)

HEAD_OCTETS = 8192
# From the first octet of a request to the last of its answer.
ANSWERED_WITHIN_S = 10.0
# Open connections; a browser opens six.
MOST_AT_ONCE = 32
# An address that is not there yet (the network comes up after us) is tried again.
AGAIN_AFTER_S = 10.0

# Nothing from elsewhere, nothing inline, nothing framed, nothing sent.
HEADERS = (
    "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Opener-Policy: same-origin",
    "Cross-Origin-Resource-Policy: same-origin",
    "Permissions-Policy: camera=(), geolocation=(), microphone=()",
    "Cache-Control: no-store",
    "Connection: close",
)
HTML, CSS, JS, TEXT = (f"{kind}; charset=utf-8" for kind in ("text/html", "text/css", "text/javascript", "text/plain"))
_STATIC = {"/style.css": ("style.css", CSS), "/refresh.js": ("refresh.js", JS)}


@dataclass(frozen=True, slots=True)
class Door:
    """Where the page is: the address that a request came to, and the names that it may be called by."""

    address: str
    port: int
    names: frozenset[str]

    def is_called(self, host: str) -> bool:
        """Whether a Host header means this page; the port may be left out where it is 80."""
        wanted = {*self.names, self.address, f"[{self.address}]"}
        name, colon, port = host.strip().lower().rpartition(":")
        if colon and port.isdecimal():
            return name in wanted and port == str(self.port)
        return self.port == 80 and host.strip().lower() in wanted


@dataclass(frozen=True, slots=True)
class _Answer:
    status: str
    kind: str = TEXT
    content: bytes = b""
    more: tuple[str, ...] = ()


_MISDIRECTED = _Answer("421 Misdirected Request", content=b"Not here.\n")
_MALFORMED = _Answer("400 Bad Request", content=b"No request of HTTP/1.1.\n")
_NOT_FOUND = _Answer("404 Not Found", content=b"No such page.\n")
_NOT_ALLOWED = _Answer("405 Method Not Allowed", content=b"This page only answers GET.\n", more=("Allow: GET, HEAD",))


def respond(head: bytes, door: Door, page: Callable[[Language], str], otherwise: Language) -> bytes:
    """The whole answer to a request's head, whatever its octets are. ``page`` is asked only where it is to be told."""
    lines = head.decode("latin-1").split("\r\n")
    method, _, rest = lines[0].partition(" ")
    target, _, version = rest.partition(" ")
    if not (method and target.startswith("/") and version.startswith("HTTP/1.")):
        return _octets(_MALFORMED)
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    hosts = [value for name, value in headers if name == "host"]
    if len(hosts) != 1 or not door.is_called(hosts[0]):
        return _octets(_MISDIRECTED)
    if method not in ("GET", "HEAD"):
        return _octets(_NOT_ALLOWED)
    languages = next((value for name, value in headers if name == "accept-language"), "")
    return _octets(_found(target.partition("?")[0], languages, page, otherwise), with_content=method == "GET")


def _found(path: str, languages: str, page: Callable[[Language], str], otherwise: Language) -> _Answer:
    if path in _STATIC:
        name, kind = _STATIC[path]
        return _Answer("200 OK", kind, Path(__file__).with_name(name).read_bytes())
    language = chosen(languages, otherwise) if path == "/" else next((o for o in LANGUAGES if path == f"/{o}"), None)
    if language is None:
        return _NOT_FOUND
    more = (f"Content-Language: {TAGS[language]}", "Vary: Accept-Language")
    return _Answer("200 OK", HTML, page(language).encode(), more)


def _octets(answer: _Answer, *, with_content: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status}",
        f"Content-Type: {answer.kind}",
        f"Content-Length: {len(answer.content)}",
        *HEADERS,
        *answer.more,
    )
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + (answer.content if with_content else b"")


def is_near(address: str) -> bool:
    """Whether an address is of this computer or of a private network: not of the internet."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_private or found.is_link_local or found.is_loopback


class PageServer:
    """Serves ``page`` at one address, for as long as ``run`` runs."""

    def __init__(
        self, address: str, port: int, names: frozenset[str], page: Callable[[Language], str], otherwise: Language
    ) -> None:
        self.port = port  # 0 until it listens: any free one
        self.listens = asyncio.Event()
        self._address = address
        self._names = names
        self._page = page
        self._otherwise = otherwise
        self._serving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen and answer, until cancelled; then nothing of it is left."""
        listener = await self._listening()
        self.port = listener.getsockname()[1]
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, self._accept, listener)
        log.info("the home's page is at http://%s:%d/", self._address, self.port)
        self.listens.set()
        try:
            await loop.create_future()
        finally:
            loop.remove_reader(listener)
            listener.close()
            for task in self._serving:
                task.cancel()
            if self._serving:
                await asyncio.wait(self._serving)

    async def _listening(self) -> socket.socket:
        """An address that cannot be had is tried again, and said once."""
        said = False
        while True:
            try:
                family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
                listener = socket.create_server((self._address, self.port), family=family)
                listener.setblocking(False)
                return listener
            except OSError as error:
                if not said:
                    where = f"{self._address} port {self.port}"
                    log.error("the home's page cannot be served at %s (%s); it is tried again", where, error.strerror)
                    said = True
                await asyncio.sleep(AGAIN_AFTER_S)

    # Not asyncio's own server: it takes connections in tasks that nobody else sees, and one could outlive `run`.
    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, peer = listener.accept()
        except OSError:
            return  # it has hung up already
        if len(self._serving) >= MOST_AT_ONCE or not is_near(peer[0]):
            connection.close()
            return
        task = asyncio.create_task(self._serve(connection))
        self._serving.add(task)
        task.add_done_callback(lambda done: self._served(done, connection))

    def _served(self, task: asyncio.Task[None], connection: socket.socket) -> None:
        self._serving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the home's page could not be written: %s", type(error).__name__)
        connection.close()  # where the task was cancelled before it began; after its work, it is closed already

    async def _serve(self, connection: socket.socket) -> None:
        address, port = connection.getsockname()[:2]
        reader, writer = await asyncio.open_connection(sock=connection, limit=HEAD_OCTETS)
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
                door = Door(address.lower(), port, self._names)
                writer.write(respond(head[:-4], door, self._page, self._otherwise))
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it went away, was too slow, or said too much
        finally:
            writer.transport.abort()
