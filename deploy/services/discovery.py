"""Where the services come from: Docker, the machine's packages, or a Debian root of ours; the first that can."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from deploy.services import debian_root, docker, places
from deploy.services.docker import Docker
from deploy.services.errors import ServicesUnavailable
from deploy.services.installation import Installation
from deploy.services.local import Local
from deploy.services.source import Source

S = TypeVar("S", bound=Source)

NOTHING = (
    "No TimescaleDB and no Mosquitto: start Docker, or install the Debian 13 packages postgresql-17-timescaledb and "
    "mosquitto, or run this as root on a Debian machine, or give addresses "
    "(python -m deploy.services --help names the variables)."
)


def find(prefer: str | None = None, *, say: Callable[[str], None]) -> Source:
    """A source that can run both services; `prefer`, the one that runs them now, before all others.

    Raises:
        ServicesUnavailable: with one sentence that says what to install.
    """
    if prefer is not None and (source := known_source(prefer)) is not None:
        return source
    return choose(_present(), _builder(say))


def find_local(*, say: Callable[[str], None]) -> Local:
    """As `find`, but never Docker: processes of this machine."""
    return choose(_present_locally(), _builder(say))


def choose(present: Iterable[S], build: Callable[[], S] | None) -> S:
    """The first that is present, else one that is built, else ServicesUnavailable."""
    for source in present:
        return source
    if build is None:
        raise ServicesUnavailable(NOTHING)
    return build()


def known_source(name: str) -> Source | None:
    """The source of this name, if it is present."""
    return next((source for source in _present() if source.name == name), None)


def _present() -> Iterator[Source]:
    """What can be used without installing anything, in order; a question is asked only when it is reached."""
    if docker.answers():
        yield Docker()
    yield from _present_locally()


def _present_locally() -> Iterator[Local]:
    if is_usable(on_machine().installation):
        yield on_machine()
    if os.geteuid() == 0 and debian_root.is_complete(places.DEBIAN_ROOT):
        yield in_debian_root()


def _builder(say: Callable[[str], None]) -> Callable[[], Local] | None:
    """What makes a Debian root, on a machine where one can be made."""

    def build() -> Local:
        debian_root.build(places.DEBIAN_ROOT, say=say)
        return in_debian_root()

    return build if debian_root.can_be_built() else None


def on_machine() -> Local:
    """The machine's own packages, with data under .local/services."""
    return Local("machine", "the packages installed on this machine", Installation(Path("/"), places.SERVICES))


def in_debian_root() -> Local:
    """Our Debian root; what its programs write stands inside it, where they can reach it."""
    installation = Installation(places.DEBIAN_ROOT, places.DEBIAN_ROOT / "srv" / "pulsepost")
    return Local("debian-root", "a Debian 13 root under .local/debian-13", installation)


def is_usable(installation: Installation) -> bool:
    """Both programs are there; and, as root, their own users can reach the data's folder."""
    if not (installation.has_postgres() and installation.has_mosquitto()):
        return False
    return os.geteuid() != 0 or all(folder.stat().st_mode & 0o001 for folder in places.LOCAL.parents)
