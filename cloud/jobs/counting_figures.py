"""The month that runs is counted each night, and the one before until what was due in it is settled."""

import logging

from procrastinate import App

from cloud.crm.figures.counting import count, months_to_count
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

# UTC, when fewest people wait for anything; what was missed one night is counted in the next.
EACH_NIGHT = "20 3 * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """``count_figures``: one at a time, and harmless if it is done twice."""

    @app.periodic(cron=EACH_NIGHT)
    @app.task(name="count_figures", queueing_lock="count_figures", lock="count_figures")
    def count_figures(timestamp: int) -> None:
        del timestamp
        count_all(desk)


def count_all(desk: Desk) -> int:
    """How many months were counted. Each in a transaction of its own, so that a long night keeps what it has done."""
    at = desk.now()
    with desk.pool.connection() as connection:
        months = months_to_count(connection, at)
    for month, start, end in months:
        with desk.pool.connection() as connection:
            count(connection, month, start, end, at)
        log.info("counted the figures of %s", f"{month:%Y-%m}")
    return len(months)
