"""What is kept only for so long is ended each night, piece by piece (``cloud.retention``)."""

import logging
from datetime import timedelta

import psycopg
from procrastinate import App
from psycopg_pool import PoolTimeout

from cloud.jobs.desk import Desk
from cloud.retention.service import Ended, end_what_is_over

log = logging.getLogger(__name__)

# UTC; another hour than backups begin at is the operator's to choose, and this one is as good as any.
EACH_NIGHT = "40 2 * * *"
# What is left then is next night's.
AT_MOST = timedelta(minutes=10)


def add_jobs(app: App, desk: Desk) -> None:
    """``end_what_is_over``: one at a time, and harmless if it is done twice."""

    @app.periodic(cron=EACH_NIGHT)
    @app.task(name="end_what_is_over", queueing_lock="end_what_is_over", lock="end_what_is_over")
    def end(timestamp: int) -> None:
        del timestamp
        end_all(desk)


def end_all(desk: Desk) -> Ended:
    """Each piece in a transaction of its own. Whatever was ended is counted in the log: nothing goes silently."""
    until = desk.now() + AT_MOST
    ended = Ended()
    try:
        while desk.now() < until:
            with desk.pool.connection() as connection:
                piece = end_what_is_over(connection, desk.now())
            if not piece:
                break
            ended += piece
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("what is over was not ended to its end (%s); next night again", type(error).__name__)
    log.info(
        "ended: %d sessions without a reading, %d resolved technical alarms, %d commands;"
        " emptied: %d in quarantine, of patients who have withdrawn",
        ended.sessions,
        ended.alarms,
        ended.commands,
        ended.forgotten,
    )
    return ended
