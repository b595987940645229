"""Starting, reusing and stopping the services; one command of a clone at a time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from deploy.services import discovery, local, locks, mosquitto, passwords, postgres, roles, state
from deploy.services.mosquitto import Mosquitto
from deploy.services.ports import LOOPBACK
from deploy.services.running import Running
from deploy.services.state import State


@contextmanager
def services_in_use() -> Iterator[Running]:
    """The services, running as long as this lasts.

    At the end the last user stops what was started, unless `start(keep=True)` asked to keep it.
    """
    with locks.exclusive(locks.START):
        running = _start(keep=False)
        use = locks.shared(locks.IN_USE)
        use.__enter__()
    try:
        yield running
    finally:
        with locks.exclusive(locks.START):
            use.__exit__(None, None, None)
            if not locks.is_held(locks.IN_USE):
                _stop_unless_kept()


def start(*, keep: bool) -> Running:
    """Start what is missing; `keep` leaves it running when its last user goes."""
    with locks.exclusive(locks.START):
        return _start(keep=keep)


def stop() -> list[str]:
    """End exactly what was started here; what was ended, in words."""
    with locks.exclusive(locks.START):
        return _stop()


def _start(*, keep: bool) -> Running:
    known = state.load() or State(source="")
    words = passwords.load_or_create()
    installation = discovery.installation()
    cluster = local.start_postgres(installation, words, known.postgres)
    state.save(replace(known, source="debian", postgres=cluster))
    broker = local.start_mosquitto(installation, words, known.mosquitto)
    state.save(State("debian", cluster, broker, kept=keep or known.kept))
    admin_url = postgres.url(postgres.USER, words.postgres, cluster.port, "postgres")
    roles.ensure(admin_url, words)

    def broker_password(user: str) -> str:
        if user == mosquitto.INGEST:
            return words.broker_ingest
        password = secrets.token_urlsafe(24)
        Mosquitto(installation).set_password(user, password)
        return password

    return Running("debian", admin_url, f"mqtt://{LOOPBACK}:{broker.port}", words, broker_password)


def _stop_unless_kept() -> None:
    known = state.load()
    if known is not None and not known.kept:
        _stop()


def _stop() -> list[str]:
    known = state.load()
    if known is None:
        return []
    ended = []
    if known.mosquitto is not None and known.mosquitto.process.is_alive():
        mosquitto.stop(known.mosquitto.process)
        ended.append(f"mosquitto (pid {known.mosquitto.process.pid})")
    if known.postgres is not None and known.postgres.process.is_alive():
        postgres.stop(known.postgres.process)
        ended.append(f"postgres (pid {known.postgres.process.pid})")
    state.save(replace(known, kept=False))
    return ended
