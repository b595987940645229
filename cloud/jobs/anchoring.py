"""Says in the log where the audit's chain ends, and looks whether it still holds what was said before.

The log leaves this machine, or is kept by somebody who does not own the database; ``python -m cloud audit verify
--heads`` compares the chain with it. Whatever is taken off the end after that was said is noticed, here at the next
turn and by the verifier ever after.
"""

import logging
from dataclasses import dataclass

import psycopg
from procrastinate import App
from psycopg_pool import PoolTimeout

from cloud.audit.models import Head
from cloud.audit.store import head, head_at
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"


@dataclass(slots=True)
class Said:
    """What this process said last."""

    head: Head | None = None


def add_jobs(app: App, desk: Desk) -> None:
    """``say_audit_head``: one at a time, and harmless if it is done twice."""
    said = Said()

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="say_audit_head", queueing_lock="say_audit_head", lock="say_audit_head")
    def say(timestamp: int) -> None:
        del timestamp
        say_head(desk, said)


def say_head(desk: Desk, said: Said) -> None:
    """One line where the chain has grown; an error where it has lost, or changed, what was said before."""
    try:
        with desk.pool.connection() as connection:
            newest = head(connection)
            still = head_at(connection, said.head.position) if said.head else None
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("where the audit ends was not said (%s); again within a minute", type(error).__name__)
        return
    if said.head and still != said.head:
        log.error(
            "THE AUDIT WAS TOUCHED: %s was said, and is there no more; run python -m cloud audit verify", said.head
        )
    if newest and newest != said.head:
        log.info("%s", newest)
    said.head = newest
