"""Homes are told each minute what is due in them, where that changed (``cloud.homes``)."""

import logging

import psycopg
from procrastinate import App
from psycopg_pool import PoolTimeout

from cloud.homes.service import Memory, tell_homes
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """``tell_homes``: one at a time, and harmless if it is done twice."""
    memory = Memory()

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="tell_homes", queueing_lock="tell_homes", lock="tell_homes")
    def tell(timestamp: int) -> None:
        del timestamp
        tell_all(desk, memory)


def tell_all(desk: Desk, memory: Memory) -> int:
    """One turn; how many homes were told. A database that is away: the next turn makes up."""
    try:
        told = tell_homes(desk.pool.connection, memory, desk.now())
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("homes were not told what is due (%s); tried again in a minute", type(error).__name__)
        return 0
    if told:
        log.info("%d homes were told what is due", told)
    return told
