"""A link to the database on which a process dies: at the k-th piece that passes, before it passes."""

import os
import signal
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


@dataclass
class KillingProxy:
    """Listens on a free loopback port and passes all on to the database, between ``start`` and ``stop``.

    Once armed, the pieces of connections whose name begins with ``counted`` are counted, both ways; at the number given
    the process is killed, and this piece and all that follow are lost. ``seen`` is how many there were since.
    """

    host: str
    target: int
    counted: str
    port: int = 0
    seen: int = 0
    died: threading.Event = field(default_factory=threading.Event)
    _pid: int = 0
    _kill_at: int = 0
    _life: int = 0  # of which process, the first being 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _listener: socket.socket | None = None

    def start(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def arm(self, pid: int, kill_at: int) -> None:
        """Kill ``pid`` at the piece with this number, from now on."""
        with self._lock:
            self._pid, self._kill_at, self.seen = pid, kill_at, 0
            self.died.clear()

    def disarm(self) -> None:
        """Kill nobody."""
        with self._lock:
            self._pid = 0
            self._life += not self.died.is_set()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection((self.host, self.target)) as far:
            life = self._life
            counted = self._begin(near, far)
            back = threading.Thread(target=self._pump, args=(far, near, life, counted), daemon=True)
            back.start()
            self._pump(near, far, life, counted)
            back.join()

    def _begin(self, near: socket.socket, far: socket.socket) -> bool:
        """Pass the first message on, after a request for encryption, if any; whether this connection counts."""
        while True:
            head = _exactly(near, 8)
            length, code = struct.unpack("!ii", head)
            rest = _exactly(near, length - 8)
            far.sendall(head + rest)
            if code not in (SSL_REQUEST, GSS_REQUEST):
                words = rest.split(b"\0")
                return words[words.index(b"application_name") + 1].decode().startswith(self.counted)
            near.sendall(_exactly(far, 1))

    def _pump(self, source: socket.socket, sink: socket.socket, life: int, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if self._is_the_end(life, counted):
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _is_the_end(self, life: int, counted: bool) -> bool:
        """Whether nothing passes on this connection any more: its process is dead, or dies at this piece."""
        with self._lock:
            if life < self._life or not counted or not self._pid:
                return life < self._life
            self.seen += 1
            if self.seen < self._kill_at:
                return False
            os.kill(self._pid, signal.SIGKILL)
            self._pid = 0
            self._life += 1
            self.died.set()
            return True


def through(url: str, port: int) -> str:
    """The same database, by way of a port of this machine."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data
