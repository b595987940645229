"""An outside CRM that takes our signed events, as a clinic's own integration would.

It believes nothing that is not signed with its secret, knows an event by its id, keeps what it was told, and has the
faults of real ones: away, busy, gone after doing what it was asked, poisoned by one event.
"""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from cloud.notifications.channels.signing import ID, is_genuine

LOOPBACK: Final = "127.0.0.1"
PATH: Final = "/pulsepost"


class Fault(StrEnum):
    """What goes wrong with the next request."""

    BROKEN = "broken"  # 500, nothing done
    BUSY = "busy"  # 429 with Retry-After
    REFUSED = "refused"  # 422
    FORBIDDEN = "forbidden"  # 401
    ELSEWHERE = "elsewhere"  # 302
    DONE_AND_GONE = "done_and_gone"  # does it, and hangs up without an answer
    TALKATIVE = "talkative"  # does it, and answers at length


@dataclass(frozen=True, slots=True)
class Taken:
    """An event as it was taken for the first time."""

    key: str
    type: str
    subject: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Crm:
    """Listens on a free port of loopback from ``start`` to ``stop``.

    ``down``: 503 to everybody. ``poison``: 500 for what is about these references. ``taken``: what it did, in order,
    each event once; ``repeats``: how often it was told something again, by the event's id. ``silent``: a verb that it
    does without giving an answer, until it is ``released``.
    """

    secret: bytes
    now: Callable[[], datetime]
    down: bool = False
    retry_after: str = "120"
    poison: set[str] = field(default_factory=set)
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    silent: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    repeats: Counter[str] = field(default_factory=Counter)
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"http://{LOOPBACK}:{self.port}{PATH}"

    def start(self) -> None:
        """Listen; on the same port as before, where it was stopped."""
        outer = self

        class Conversation(_Conversation):
            crm = outer

        self._server = _Server((LOOPBACK, self.port), Conversation)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="crm")
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self.released.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def of(self, reference: str) -> list[Taken]:
        """What it was told of one thing, in order."""
        return [one for one in self.taken if one.data["reference"] == reference]

    def todos(self) -> dict[str, str]:
        """Reference → 'open' or 'done'."""
        found: dict[str, str] = {}
        for one in self.taken:
            if one.data["verb"] == "add_todo":
                found[one.data["reference"]] = "open"
            elif one.data["verb"] == "complete_todo":
                found[one.data["reference"]] = "done"
        return found

    def take(self, request: Request) -> str:
        """Do what it says, once; what we call it."""
        event = json.loads(request.body)
        with self._lock:
            if any(one.key == event["id"] for one in self.taken):
                self.repeats[event["id"]] += 1
            else:
                self.taken.append(Taken(event["id"], event["type"], event["subject"], event["data"]))
        return f"crm-{event['data']['verb']}-{event['data']['reference'][:8]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


class _Conversation(BaseHTTPRequestHandler):
    """One request."""

    crm: Crm

    def do_POST(self) -> None:
        crm = self.crm
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request({name.lower(): value for name, value in self.headers.items()}, body)
        crm.requests.append(request)
        if crm.down:
            return self._answer(503)
        if not is_genuine(crm.secret, request.headers, body, crm.now()) or request.headers[ID] != _id(body):
            return self._answer(401)
        if json.loads(body)["data"]["reference"] in crm.poison:
            return self._answer(500)
        return self._serve(request)

    def _serve(self, request: Request) -> None:
        crm = self.crm
        if crm.silent and json.loads(request.body)["data"]["verb"] == crm.silent:
            crm.take(request)
            crm.released.wait()
            self.close_connection = True
            return
        match crm.faults.popleft() if crm.faults else None:
            case Fault.BROKEN:
                self._answer(500)
            case Fault.BUSY:
                self._answer(429, b"{}", ("Retry-After", crm.retry_after))
            case Fault.REFUSED:
                self._answer(422)
            case Fault.FORBIDDEN:
                self._answer(401)
            case Fault.ELSEWHERE:
                self._answer(302, b"", ("Location", crm.url))
            case Fault.DONE_AND_GONE:
                crm.take(request)
                self.close_connection = True
            case Fault.TALKATIVE:
                crm.take(request)
                self._answer(200, b" " * 1_000_000)
            case None:
                self._answer(200, json.dumps({"id": crm.take(request)}).encode())

    def _answer(self, status: int, body: bytes = b"{}", *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the other side has had enough

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what came is in ``requests``."""


def _id(body: bytes) -> str:
    found: str = json.loads(body)["id"]
    return found
