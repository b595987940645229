"""Starting, reusing and stopping the services; one command of a clone at a time."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from deploy.services import databases, discovery, given, locks, mosquitto, passwords, postgres, roles, state
from deploy.services.door import Door
from deploy.services.passwords import Passwords
from deploy.services.ports import LOOPBACK
from deploy.services.running import Running
from deploy.services.source import OwnBroker, OwnDatabase, Source
from deploy.services.state import State

T = TypeVar("T")


@contextmanager
def services_in_use() -> Iterator[Running]:
    """The services, running as long as this lasts.

    At the end the last user of the clone stops what was started, unless `start` asked to keep it.
    """

    def begin(alone: bool) -> Running:
        running = _start(keep=False)
        if alone and given.DATABASE not in os.environ:
            databases.drop_scratch(running.postgres_admin_url)
        return running

    with _in_use(begin) as running:
        yield running


@contextmanager
def own_broker() -> Iterator[OwnBroker]:
    """A broker of the caller's own, beside the shared one."""
    with _in_use(_source_without_leftovers) as source, source.own_broker() as broker:
        yield broker


@contextmanager
def own_database() -> Iterator[OwnDatabase]:
    """A cluster of the caller's own, beside the shared one, with our roles: one that may be killed."""
    with _in_use(_source_without_leftovers) as source:
        with locks.exclusive(locks.START):
            words = passwords.load_or_create()
        with source.own_database(words) as database:
            roles.ensure(database.url(postgres.USER, "postgres"), words, ours=True)
            yield database


def prepare() -> None:
    """Make sure there is a source, and start nothing: making a Debian root takes a while and shows its progress."""
    _source(state.load())


def start() -> Running:
    """Start what is missing, and keep it running when its last user goes."""
    with locks.exclusive(locks.START):
        return _start(keep=True)


def stop() -> list[str]:
    """End exactly what was started here; what was ended, in words."""
    with locks.exclusive(locks.START):
        return _stop()


def running_state() -> State:
    """What runs now: the state file without what has died."""
    return _living(state.load())


def say(text: str) -> None:
    """One line of progress; on standard error, because `env` prints a shell script."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def _source_without_leftovers(alone: bool) -> Source:
    source = _source(state.load())
    if alone:
        source.remove_leftovers()
    return source


@contextmanager
def _in_use(begin: Callable[[bool], T]) -> Iterator[T]:
    """Count as a user of the services as long as this lasts; the last one stops what is not to be kept.

    `begin` is told whether there is no other user, and none can come while it works.
    """
    with ExitStack() as use:
        try:
            with locks.exclusive(locks.START):
                alone = not locks.is_held(locks.IN_USE)
                use.enter_context(locks.shared(locks.IN_USE))
                begun = begin(alone)
            yield begun
        finally:
            with locks.exclusive(locks.START):
                use.close()
                if not state.load().kept and not locks.is_held(locks.IN_USE):
                    _stop()


def _start(*, keep: bool) -> Running:
    words = passwords.load_or_create()
    database, broker = given.database_url(os.environ), given.broker_url(os.environ)
    if database is not None and broker is not None:
        roles.ensure(database, words, ours=False)
        return Running("addresses given in the environment", database, broker, words, _given_password, _given_door)
    return _start_own(words, database, broker, keep=keep)


def _start_own(words: Passwords, database: str | None, broker: str | None, *, keep: bool) -> Running:
    """Start the services that are not given; write down each as soon as it runs."""
    known = state.load()
    source = _source(known)
    if known.source != source.name:
        _stop()
        known = State(kept=known.kept)
    known = replace(known, source=source.name, kept=keep or known.kept)
    if database is None:
        known = replace(known, postgres=source.start_postgres(words, known.postgres))
        state.save(known)
    if broker is None:
        known = replace(known, mosquitto=source.start_mosquitto(words, known.mosquitto))
        state.save(known)
    return _running(source, known, words, database, broker)


def _running(source: Source, known: State, words: Passwords, database: str | None, broker: str | None) -> Running:
    if database is None and known.postgres is not None:
        admin_url = postgres.url(postgres.USER, words.postgres, known.postgres.port, "postgres")
        roles.ensure(admin_url, words, ours=True)
    else:
        admin_url = str(database)
        roles.ensure(admin_url, words, ours=False)
    if broker is None and known.mosquitto is not None:
        let_in = _OwnUsers(source, words)
        url = f"mqtt://{LOOPBACK}:{known.mosquitto.port}"
        return Running(source.words, admin_url, url, words, let_in, source.door)
    return Running(source.words, admin_url, str(broker), words, _given_password, _given_door)


@dataclass(frozen=True)
class _OwnUsers:
    """Lets users in at a broker of ours."""

    source: Source
    passwords: Passwords

    def __call__(self, user: str) -> str:
        if user == mosquitto.INGEST:
            return self.passwords.broker_ingest
        password = secrets.token_urlsafe(24)
        with locks.exclusive(locks.START):
            self.source.set_broker_password(user, password)
        return password


def _given_password(user: str) -> str:
    return given.broker_password(os.environ, user)


def _given_door() -> Door:
    return given.door(os.environ)


def _source(known: State) -> Source:
    running = _living(known)
    prefer = known.source if running.postgres is not None or running.mosquitto is not None else None
    return discovery.find(prefer, say=say)


def _stop() -> list[str]:
    known = state.load()
    source = None if known.source is None else discovery.known_source(known.source)
    if source is None:
        return []
    ended = list(source.stop(known))
    state.save(replace(known, kept=False))
    return ended


def _living(known: State) -> State:
    """Without the processes that have died; containers are left to Docker to know."""
    return replace(
        known,
        postgres=known.postgres if _lives(known.postgres) else None,
        mosquitto=known.mosquitto if _lives(known.mosquitto) else None,
    )


def _lives(started: state.Started | None) -> bool:
    return started is not None and (started.process is None or started.process.is_alive())
