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
from typing import Any, Final

from cloud.notifications.channels.signing import ID, is_genuine
from deploy.listening import LOOPBACK, Conversation, Listening

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
    _listening: Listening | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"http://{LOOPBACK}:{self.port}{PATH}"

    def start(self) -> None:
        """Listen; on the same port as before, where it was stopped."""
        outer = self

        class Ours(_Conversation):
            crm = outer

        self._listening = Listening(Ours, self.port)
        self.port = self._listening.port

    def stop(self) -> None:
        """Listen no more."""
        self.released.set()
        if self._listening is not None:
            self._listening.stop()
            self._listening = None

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


class _Conversation(Conversation):
    """One request."""

    crm: Crm

    def asked(self, body: bytes) -> None:
        crm = self.crm
        request = Request({name.lower(): value for name, value in self.headers.items()}, body)
        crm.requests.append(request)
        if crm.down:
            return self.say(503, b"{}")
        if not is_genuine(crm.secret, request.headers, body, crm.now()) or request.headers[ID] != _id(body):
            return self.say(401, b"{}")
        if json.loads(body)["data"]["reference"] in crm.poison:
            return self.say(500, b"{}")
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
                self.say(500, b"{}")
            case Fault.BUSY:
                self.say(429, b"{}", ("Retry-After", crm.retry_after))
            case Fault.REFUSED:
                self.say(422, b"{}")
            case Fault.FORBIDDEN:
                self.say(401, b"{}")
            case Fault.ELSEWHERE:
                self.say(302, b"", ("Location", crm.url))
            case Fault.DONE_AND_GONE:
                crm.take(request)
                self.close_connection = True
            case Fault.TALKATIVE:
                crm.take(request)
                self.say(200, b" " * 1_000_000)
            case None:
                self.say(200, json.dumps({"id": crm.take(request)}).encode())


def _id(body: bytes) -> str:
    found: str = json.loads(body)["id"]
    return found
