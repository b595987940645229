"""Ports on loopback: finding a free one, and waiting until somebody listens."""

from __future__ import annotations

import secrets
import selectors
import socket
import time
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
RETRY_S = 0.02

FIRST, LAST = 20_000, 29_999
"""Below Linux's range for outgoing connections (32768 on): a client that keeps trying a stopped service's port must not
be given that very port as its own, and connect to itself."""


def free_port(preferred: int | None = None) -> int:
    """A TCP port free on loopback at this moment; `preferred` if it is free."""
    if preferred is not None and is_free(preferred):
        return preferred
    for _ in range(1000):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        if is_free(port):
            return port
    raise OSError(f"no free port on {LOOPBACK} between {FIRST} and {LAST}")


def is_free(port: int) -> bool:
    """Whether a server could bind the port on loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listens(host: str, port: int) -> bool:
    """Whether a connection to host:port is accepted now."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until_listening(port: int, *, given_up: Callable[[], bool], timeout_s: float) -> bool:
    """Wait until loopback:port accepts; False when `given_up` says so or after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    with selectors.DefaultSelector() as nothing:  # the kernel has no event for "somebody listens": ask again and again
        while time.monotonic() < deadline:
            if listens(LOOPBACK, port):
                return True
            if given_up():
                return False
            nothing.select(RETRY_S)
    return False
