"""Asking a broker whether it lets a user in: one MQTT 3.1.1 CONNECT, by hand, and its CONNACK."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable

from deploy.services.errors import ServiceFailed

RETRY_S = 0.02
ACCEPTED = b"\x20\x02\x00\x00"


def wait_until_let_in(host: str, port: int, user: str, password: str, *, reload: Callable[[], None]) -> None:
    """Have the broker read its users again, until it lets this one in.

    Once is not always enough: Mosquitto forgets a SIGHUP that reaches it while it is reading.

    Raises:
        ServiceFailed: it does not within 10 s.
    """
    deadline = time.monotonic() + 10
    with selectors.DefaultSelector() as nothing:  # the broker has no event for "I have read my users"
        while time.monotonic() < deadline:
            reload()
            if lets_in(host, port, user, password):
                return
            nothing.select(RETRY_S)
    raise ServiceFailed(f"the broker does not let user {user!r} in")


def answers(host: str, port: int) -> bool:
    """Whether the broker answers a client, be it with a refusal: it serves, and a signal no longer ends it."""
    return _answer(host, port, "nobody", "nothing") != b""


def lets_in(host: str, port: int, user: str, password: str) -> bool:
    """Whether a client with this user and password is accepted; it disconnects at once."""
    return _answer(host, port, user, password) == ACCEPTED


def _answer(host: str, port: int, user: str, password: str) -> bytes:
    """The broker's CONNACK, or nothing where it is not there or hangs up.

    The packets: MQTT 3.1.1, 3.1 (CONNECT), 3.2 (CONNACK: 0x20, 2, session present, return code), 3.14 (DISCONNECT).
    """
    protocol, level, flags, keep_alive_s = _text("MQTT"), b"\x04", b"\xc2", b"\x00\x0a"  # user, password, clean session
    body = protocol + level + flags + keep_alive_s + _text(f"login-{user}") + _text(user) + _text(password)
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(b"\x10" + _length(len(body)) + body)
            answer = connection.recv(4, socket.MSG_WAITALL)
            if answer == ACCEPTED:
                connection.sendall(b"\xe0\x00")
            return answer
    except OSError:
        return b""


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def _length(count: int) -> bytes:
    """The remaining length, 7 bits an octet, least significant first (2.2.3)."""
    octets = b""
    while count > 127:
        octets += bytes([count % 128 | 0x80])
        count //= 128
    return octets + bytes([count])
