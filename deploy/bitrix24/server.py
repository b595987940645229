"""The portal by HTTP on a free port of loopback, with the faults that are asked for, in order."""

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlencode

from deploy.bitrix24.calls import OF_APPLICATIONS
from deploy.bitrix24.faults import LATE_BY, Fault
from deploy.bitrix24.portal import Event, Failed, Portal
from deploy.bitrix24.shapes import Json
from deploy.listening import LOOPBACK, Conversation, Listening

PAGE: Final = b"<html><body>nginx</body></html>"


@dataclass(slots=True)
class Bitrix24:
    """Listens from ``start`` to ``stop``; ``go_down`` and ``come_up`` keep its port.

    ``faults``: of the next requests, in order; None: that one goes well. ``user`` and ``secret`` are in the address of
    its incoming webhook; ``application_token`` is in what it sends out. ``tokens``: of an application, which asks at
    ``portal_url`` and exchanges them at ``exchange_url``: the access token, and the one that it is renewed with.
    """

    portal: Portal = field(repr=False)
    user: int = 1
    secret: str = "imitation0secret"  # noqa: S105 - of an imitation on loopback
    application_token: str = "imitation0token"  # noqa: S105 - the same
    tokens: tuple[str, str] = ("", "renew0")
    faults: deque[Fault | None] = field(default_factory=deque)
    requests: list[tuple[str, Fault | None]] = field(default_factory=list, repr=False)
    port: int = 0
    _listening: Listening | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Of its incoming webhook: a secret, as the real one's."""
        return f"http://{LOOPBACK}:{self.port}/rest/{self.user}/{self.secret}/"

    @property
    def portal_url(self) -> str:
        """Of the portal itself."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def exchange_url(self) -> str:
        """Where an application's tokens are exchanged."""
        return f"{self.portal_url}/oauth/token/"

    def start(self) -> None:
        """Listen."""
        self._over.clear()
        self.come_up()

    def stop(self) -> None:
        """Listen no more, and let everybody go."""
        self._over.set()
        self.go_down()

    def come_up(self) -> None:
        """Listen again, where it listened before."""
        outer = self

        class Ours(_Conversation):
            bitrix24 = outer

        self._listening = Listening(Ours, self.port)
        self.port = self._listening.port

    def go_down(self) -> None:
        """Whoever comes is refused by the machine itself."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None

    def answer(self, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Status and body, or None where it hangs up."""
        with self._lock:
            fault = self.faults.popleft() if self.faults else None
            self.requests.append((path.rpartition("/")[2].removesuffix(".json"), fault))
            return self._answer(path, body, fault)

    def silence(self) -> None:
        """Until the end of the imitation."""
        self._over.wait()

    def told(self, event: Event) -> bytes:
        """The body of its outgoing webhook about the event: form-urlencoded, and an id is all that it says."""
        said = {
            "event": event.name,
            "event_handler_id": "7",
            "data[FIELDS][ID]": str(event.id),
            "ts": str(int(event.at.timestamp())),
            "auth[domain]": f"{LOOPBACK}:{self.port}",
            "auth[client_endpoint]": f"http://{LOOPBACK}:{self.port}/rest/",
            "auth[member_id]": "a223c6b3710f85df22e9377d6c4f7553",
            "auth[application_token]": self.application_token,
        }
        return urlencode(said).encode()

    def _answer(self, path: str, body: bytes, fault: Fault | None) -> tuple[int, bytes] | None:
        match fault:
            case Fault.BROKEN:
                return _failed(Failed(500, "INTERNAL_SERVER_ERROR", "Internal server error"))
            case Fault.BAD_GATEWAY:
                return 502, PAGE
            case Fault.UNAVAILABLE:
                return 503, PAGE
            case Fault.BUSY:
                return _failed(Failed(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"))
            case Fault.WORKED_TOO_LONG:
                return _failed(Failed(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."))
            case Fault.GONE:
                return None
            case Fault.SILENT:
                return 0, b""
        return self._done(path, body, fault)

    def _done(self, path: str, body: bytes, fault: Fault | None) -> tuple[int, bytes] | None:
        if path == "/oauth/token/":
            return self._exchanged(body)
        try:
            name, params = self._admitted(path, body)
            if fault is Fault.GONE_AND_DONE:
                self.portal.call_later(name, params, LATE_BY)
                return None
            answer = self.portal.call(name, params)
        except Failed as error:
            return _failed(error)
        match fault:
            case Fault.DONE_AND_BROKEN:
                return _failed(Failed(500, "INTERNAL_SERVER_ERROR", "Internal server error"))
            case Fault.DONE_AND_GONE:
                return None
            case Fault.DONE_AND_SILENT:
                return 0, b""
            case Fault.DONE_AND_GARBLED:
                return 200, PAGE
        return 200, json.dumps(answer, ensure_ascii=False).encode()

    def _admitted(self, path: str, body: bytes) -> tuple[str, Json]:
        """The method's name and its parameters. Failed."""
        parts = path.strip("/").split("/")
        if len(parts) == 2 and parts[0] == "rest":
            return self._of_application(parts[1].removesuffix(".json"), body)
        if len(parts) != 4 or parts[0] != "rest" or (parts[1], parts[2]) != (str(self.user), self.secret):
            raise Failed(401, "INVALID_CREDENTIALS", "Invalid request credentials")
        name = parts[3].removesuffix(".json")
        if name in OF_APPLICATIONS:
            raise Failed(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method")
        self.portal.admit(name)
        try:
            params = json.loads(body)
        except ValueError:
            params = None
        if not isinstance(params, dict):
            raise Failed(400, "ERROR_ARGUMENT", "no object of parameters")
        return name, params

    def _of_application(self, name: str, body: bytes) -> tuple[str, Json]:
        """The same of an application, by its access token. Failed."""
        params = json.loads(body)
        if not isinstance(params, dict) or not self.tokens[0] or params.pop("auth", "") != self.tokens[0]:
            raise Failed(401, "expired_token", "The access token provided has expired")
        self.portal.admit(name)
        return name, params

    def _exchanged(self, body: bytes) -> tuple[int, bytes]:
        """New tokens for the one to renew with, which is good once."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.tokens[1]:
            return _failed(Failed(400, "invalid_grant", ""))
        number = int(self.tokens[1].removeprefix("renew")) + 1
        self.tokens = (f"access{number}", f"renew{number}")
        answer = {"access_token": self.tokens[0], "refresh_token": self.tokens[1], "expires_in": 3600}
        return 200, json.dumps(answer).encode()


def _failed(error: Failed) -> tuple[int, bytes]:
    return error.status, json.dumps({"error": error.code, "error_description": error.description}).encode()


class _Conversation(Conversation):
    """One connection: one request."""

    bitrix24: Bitrix24

    def asked(self, body: bytes) -> None:
        answer = self.bitrix24.answer(self.path, body)
        self.close_connection = True
        if answer is None:
            return
        status, body = answer
        if status == 0:
            self.bitrix24.silence()
            return
        self.say(status, body, content="application/json" if body[:1] == b"{" else "text/html")
