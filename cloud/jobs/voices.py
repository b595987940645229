"""Surveys are asked and overdue complaints said to be so, each few minutes (``cloud.crm``)."""

import logging

import psycopg
from procrastinate import App
from psycopg_pool import PoolTimeout

from cloud.crm.complaints.overdue import look
from cloud.crm.surveys.asking import ask
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EVERY_FIVE_MINUTES = "*/5 * * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """``ask_surveys`` and ``look_at_complaints``: each may be done twice."""

    @app.periodic(cron=EVERY_FIVE_MINUTES)
    @app.task(name="ask_surveys", queueing_lock="ask_surveys")
    def ask_surveys(timestamp: int) -> None:
        del timestamp
        ask_all(desk)

    @app.periodic(cron=EVERY_FIVE_MINUTES)
    @app.task(name="look_at_complaints", queueing_lock="look_at_complaints")
    def look_at_complaints(timestamp: int) -> None:
        del timestamp
        look_at_all(desk)


def ask_all(desk: Desk) -> int:
    """One turn; how many are asked. A database that is away: the next turn makes up."""
    try:
        with desk.pool.connection() as connection:
            return ask(connection, desk.now())
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("surveys were not asked (%s); tried again in five minutes", type(error).__name__)
        return 0


def look_at_all(desk: Desk) -> int:
    """One turn; how many became overdue. A database that is away: the next turn makes up."""
    try:
        with desk.pool.connection() as connection:
            return look(connection, desk.now())
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("complaints were not looked at (%s); tried again in five minutes", type(error).__name__)
        return 0
