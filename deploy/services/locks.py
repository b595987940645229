"""Locks between the commands of one clone (flock: the kernel frees them when a process dies)."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.services import places

START = places.SERVICES / "start.lock"
"""Held while services start or stop."""

IN_USE = places.SERVICES / "in-use.lock"
"""Shared by everyone who uses the services; who gets it exclusively is alone."""

AUTHORITY = places.SERVICES / "pki.lock"
"""Held while the clone's certificate authority is made."""

BUILD = places.LOCAL / "debian-13.lock"
"""Held while the Debian root is built."""


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Hold the lock alone; wait for it."""
    with _opened(file) as number:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(file: Path) -> Iterator[None]:
    """Hold the lock together with others."""
    with _opened(file) as number:
        fcntl.flock(number, fcntl.LOCK_SH)
        yield


def is_held(file: Path) -> bool:
    """Whether anybody holds the lock, shared or alone."""
    with _opened(file) as number:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        yield handle.fileno()
