"""How the imitations listen: HTTP on loopback, to whole requests only."""

import ssl
import sys
import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

LOOPBACK: Final = "127.0.0.1"
LOOK_EVERY_S: Final = 0.02  # whether it is to stop


class Conversation(BaseHTTPRequestHandler, ABC):
    """One connection. Of whoever hangs up amid a request, nothing was asked: no real server does half of one."""

    @abstractmethod
    def asked(self, body: bytes) -> None:
        """A request has come whole."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) == length:
            self.asked(body)
        else:
            self.close_connection = True

    do_GET = do_PUT = do_PATCH = do_POST  # noqa: N815 - names of http.server

    def say(self, status: int, body: bytes = b"", *headers: tuple[str, str], content: str = "application/json") -> None:
        """The answer."""
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", content), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: an address may be a secret, and each imitation keeps what came."""


class Listening:
    """Listens, from when it is made to its ``stop``, on ``port``: the one asked for, or a free one."""

    def __init__(self, conversation: type[Conversation], port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server((LOOPBACK, port), conversation)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOK_EVERY_S,), name="imitation")
        self._thread.start()

    def stop(self) -> None:
        """Whoever comes is refused by the machine itself; who is being answered is not waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hung up is no error of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
