"""A mail server that keeps what it takes: SMTP with STARTTLS and AUTH PLAIN, and faults that servers have."""

import base64
import socket
import socketserver
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum

LOOPBACK = "127.0.0.1"
LINE = 4096


class Fault(StrEnum):
    """What goes wrong with the next message."""

    REFUSED = "refused"  # 550 for its recipient
    BUSY = "busy"  # 451 for its recipient
    TAKEN_AND_GONE = "taken_and_gone"  # takes the message and hangs up without an answer
    SILENT = "silent"  # says nothing, until the other side hangs up
    DRIPPING = "dripping"  # answers with lines without end


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it came, and whether it came over TLS."""

    sender: str
    to: tuple[str, ...]
    octets: bytes
    encrypted: bool
    username: str | None

    @property
    def message(self) -> EmailMessage:
        """Parsed."""
        return message_from_bytes(self.octets, policy=default)


@dataclass(slots=True)
class MailServer:
    """Listens on a free port of loopback from ``start`` to ``stop``. ``mails``: what it took; ``read``: all."""

    tls: ssl.SSLContext | None = None
    mails: list[Mail] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    read: list[bytes] = field(default_factory=list)
    port: int = 0
    _server: socketserver.ThreadingTCPServer | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen."""
        outer = self

        class Conversation(_Conversation):
            server_of = outer

        self._server = _Server((LOOPBACK, 0), Conversation)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="mail server")
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, and wait for nobody."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _Conversation(socketserver.BaseRequestHandler):
    """One client (RFC 5321), until it quits."""

    server_of: MailServer

    def handle(self) -> None:
        self._link: socket.socket = self.request
        self._buffer = b""
        self._encrypted = False
        self._username: str | None = None
        self._sender, self._to = "", list[str]()
        try:
            self._say("220 imitation ESMTP")
            while line := self._line():
                if not self._do(line):
                    return
        except OSError:
            return  # the client hung up
        finally:
            self._link.close()

    def _do(self, line: bytes) -> bool:
        """One command; False where the conversation is over."""
        verb, _, rest = line.decode(errors="replace").strip().partition(" ")
        match verb.upper():
            case "EHLO" | "HELO":
                self._say(*self._abilities())
            case "STARTTLS" if self.server_of.tls is not None:
                self._say("220 go ahead")
                self._link = self.server_of.tls.wrap_socket(self._link, server_side=True)
                self._encrypted, self._buffer = True, b""
            case "AUTH":
                self._authenticate(rest)
            case "MAIL":
                self._sender, self._to = _path(rest), []
                self._say("250 ok")
            case "RCPT":
                return self._recipient(rest)
            case "DATA":
                return self._data()
            case "QUIT":
                self._say("221 bye")
                return False
            case _:
                self._say("502 not known")
        return True

    def _abilities(self) -> tuple[str, ...]:
        more = ["250-STARTTLS"] if self.server_of.tls is not None and not self._encrypted else []
        return ("250-imitation", *more, "250-AUTH PLAIN", "250 8BITMIME")

    def _authenticate(self, rest: str) -> None:
        _, _, given = rest.partition(" ")
        self._username = base64.b64decode(given).split(b"\0")[1].decode()
        self._say("235 welcome")

    def _recipient(self, rest: str) -> bool:
        fault = self.server_of.faults[0] if self.server_of.faults else None
        match fault:
            case Fault.REFUSED | Fault.BUSY:
                self.server_of.faults.popleft()
                self._say("550 no such mailbox" if fault is Fault.REFUSED else "451 come again")
            case Fault.SILENT:
                self.server_of.faults.popleft()
                while self._link.recv(LINE):
                    pass
                return False
            case Fault.DRIPPING:
                self.server_of.faults.popleft()
                tick = threading.Event()
                while not tick.wait(0.2):
                    self._say("250-and")
            case _:
                self._to.append(_path(rest))
                self._say("250 ok")
        return True

    def _data(self) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self._line()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        self.server_of.mails.append(
            Mail(self._sender, tuple(self._to), b"".join(lines), self._encrypted, self._username)
        )
        if self.server_of.faults and self.server_of.faults[0] is Fault.TAKEN_AND_GONE:
            self.server_of.faults.popleft()
            return False
        self._say("250 taken")
        return True

    def _say(self, *lines: str) -> None:
        self._link.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            more = self._link.recv(LINE)
            if not more:
                return b""
            self.server_of.read.append(more)
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"


def _path(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
