"""PostgreSQL and Mosquitto as processes of this machine, from one installation: start, reuse, stop."""

from __future__ import annotations

from pathlib import Path

from deploy.services import mosquitto, postgres
from deploy.services.installation import Installation
from deploy.services.mosquitto import Mosquitto
from deploy.services.passwords import Passwords
from deploy.services.ports import LOOPBACK, listens
from deploy.services.postgres import Postgres
from deploy.services.state import Started


def start_postgres(installation: Installation, passwords: Passwords, known: Started | None) -> Started:
    """The running cluster if it is ours and answers, else the same data started again (on its old port if free)."""
    cluster = Postgres(installation)
    if known is not None and known.process == cluster.process() and listens(LOOPBACK, known.port):
        return known
    leftover = cluster.process()
    if leftover is not None:  # started, but we died before writing it down
        postgres.stop(leftover)
    cluster.create(passwords.postgres)
    process, port = cluster.start(None if known is None else known.port)
    return Started(process, port)


def start_mosquitto(installation: Installation, passwords: Passwords, known: Started | None) -> Started:
    """The running broker if it is ours and answers, else the same data started again (on its old port if free)."""
    broker = Mosquitto(installation)
    if known is not None and known.process == broker.process() and listens(LOOPBACK, known.port):
        return known
    leftover = broker.process()
    if leftover is not None:
        mosquitto.stop(leftover)
    broker.create()
    broker.set_password(mosquitto.INGEST, passwords.broker_ingest)
    process, port = broker.start(None if known is None else known.port)
    return Started(process, port)


def machine() -> Installation:
    """What the machine's own packages have put in place; data under .local/services."""
    from deploy.services import places

    return Installation(Path("/"), places.SERVICES)
