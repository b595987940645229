"""What outside CRMs have taken, and what they told us, is deleted each night, after its time (``cloud.crm.outbox``)."""

import logging
from datetime import timedelta

import psycopg
from procrastinate import App
from psycopg_pool import PoolTimeout

from cloud.crm.outbox import store
from cloud.crm.outbox.course import KEPT
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

# UTC, after what is over was ended (``cloud.jobs.retaining``).
EACH_NIGHT = "50 2 * * *"
# Of one transaction: a second or two, and nobody waits for it. What is left after ten minutes is next night's.
AT_ONCE = 5_000
AT_MOST = timedelta(minutes=10)


def add_jobs(app: App, desk: Desk) -> None:
    """``forget_what_crms_took``: one at a time, and harmless if it is done twice."""

    @app.periodic(cron=EACH_NIGHT)
    @app.task(name="forget_what_crms_took", queueing_lock="forget_what_crms_took", lock="forget_what_crms_took")
    def forget(timestamp: int) -> None:
        del timestamp
        forget_all(desk)


def forget_all(desk: Desk) -> int:
    """Piece by piece, each in a transaction of its own; how many events are gone, hints aside."""
    forgotten, until = 0, desk.now() + AT_MOST
    try:
        while desk.now() < until:
            with desk.pool.connection() as connection:
                piece = store.forget(connection, desk.now() - KEPT, AT_ONCE)
                hints = store.forget_hints(connection, desk.now() - KEPT, AT_ONCE)
            if not piece and not hints:
                break
            forgotten += piece
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("what CRMs took was not forgotten to its end (%s); next night again", type(error).__name__)
    log.info("%d events that CRMs took, or that were settled, are gone", forgotten)
    return forgotten
