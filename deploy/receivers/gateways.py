"""Gateways by HTTP that keep what they are told to send: for SMS, for voice, and whoever takes a webhook.

Like the real ones they know a message by its key: a second request with the same one sends nothing more.
"""

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

import httpx

from cloud.notifications.channels.signing import ID, signed
from deploy.listening import LOOPBACK, Conversation, Listening


class Fault(StrEnum):
    """What goes wrong with the next request."""

    BROKEN = "broken"  # 500, nothing sent
    REFUSED = "refused"  # 400
    BUSY = "busy"  # 429
    ELSEWHERE = "elsewhere"  # 302
    SILENT = "silent"  # no answer, nothing sent, until the client hangs up
    DONE_AND_GONE = "done_and_gone"  # sends the message, and hangs up without an answer
    DONE_AND_SILENT = "done_and_silent"  # sends the message, and gives no answer
    TALKATIVE = "talkative"  # sends the message, and answers without end


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    headers: dict[str, str]
    body: bytes
    at: float  # when it had come whole, on the monotonic clock

    @property
    def key(self) -> str:
        """By which the gateway knows the message."""
        return self.headers.get("idempotency-key") or self.headers.get(ID) or ""


@dataclass(slots=True)
class Gateway:
    """Listens on a free port of loopback from ``start`` to ``stop``.

    ``requests`` is all that came, ``pages`` what it sent on: key → request, in order. ``held``: while it is not set,
    requests wait for their answer before anything is done.
    """

    requests: list[Request] = field(default_factory=list)
    pages: dict[str, Request] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    arrived: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    open: set[object] = field(default_factory=set)  # conversations that are under way
    _ids: dict[str, str] = field(default_factory=dict)
    _listening: Listening | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"http://{LOOPBACK}:{self.port}/messages"

    def start(self) -> None:
        """Listen."""
        outer = self

        class Ours(_Conversation):
            gateway = outer

        self.held.set()
        self._listening = Listening(Ours)
        self.port = self._listening.port

    def stop(self) -> None:
        """Listen no more, and let everybody go."""
        self._over.set()
        self.held.set()
        if self._listening is not None:
            self._listening.stop()

    def send_on(self, request: Request) -> str:
        """Send the message, unless it is known; our id of it."""
        if request.key not in self.pages:
            self.pages[request.key] = request
            self._ids[request.key] = f"msg-{uuid4().hex[:12]}"
        return self._ids[request.key]

    def clock(self) -> float:
        """The clock of ``Request.at``."""
        return time.monotonic()

    def id_of(self, key: str) -> str:
        """Our id of the message with this key."""
        return self._ids[key]

    def report(self, callback: str, secret: bytes, message: str, status: str, at: datetime) -> httpx.Response:
        """A receipt, signed with this secret, to the one who asked for the message."""
        body = json.dumps({"id": message, "status": status}).encode()
        headers = {"Content-Type": "application/json", **signed(secret, uuid4().hex, at, body)}
        return httpx.post(callback, content=body, headers=headers, timeout=10)

    def rest(self) -> None:
        """Until the end of the imitation."""
        self._over.wait()


class _Conversation(Conversation):
    """One request."""

    gateway: Gateway

    def setup(self) -> None:
        self.gateway.open.add(self)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.gateway.open.discard(self)

    def asked(self, body: bytes) -> None:
        gateway = self.gateway
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(headers, body, time.monotonic())
        gateway.requests.append(request)
        gateway.arrived.set()
        gateway.held.wait()
        fault = gateway.faults.popleft() if gateway.faults else None
        match fault:
            case Fault.BROKEN:
                self.say(500, b"{}")
            case Fault.REFUSED:
                self.say(400, b"{}")
            case Fault.BUSY:
                self.say(429, b"{}")
            case Fault.ELSEWHERE:
                self.say(302, b"", ("Location", gateway.url))
            case Fault.SILENT:
                gateway.rest()
            case Fault.DONE_AND_GONE:
                gateway.send_on(request)
                self.close_connection = True
            case Fault.DONE_AND_SILENT:
                gateway.send_on(request)
                gateway.rest()
            case Fault.TALKATIVE:
                gateway.send_on(request)
                self._talk()
            case None:
                self.say(200, json.dumps({"id": gateway.send_on(request)}).encode())

    def _talk(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:  # until the other side has had enough
            self.wfile.write(b" " * 65536)
