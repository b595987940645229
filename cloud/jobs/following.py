"""What is due by patients' calendars follows of itself, each few minutes (``cloud.crm``)."""

import logging

import psycopg
from procrastinate import App
from psycopg_pool import PoolTimeout

from cloud.crm.advice.judging import advise
from cloud.crm.followups.judging import follow, tell_owners
from cloud.crm.groups.judging import accompany
from cloud.crm.reminders.judging import remind
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_MINUTE = "* * * * *"
EACH_HOUR = "17 * * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """``follow_up``, ``remind_patients``, ``advise_patients`` and ``accompany_events``: each may be done twice."""

    @app.periodic(cron=EVERY_FIVE_MINUTES)
    @app.task(name="follow_up", queueing_lock="follow_up")
    def follow_up(timestamp: int) -> None:
        del timestamp
        follow_all(desk)

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="remind_patients", queueing_lock="remind_patients")
    def remind_patients(timestamp: int) -> None:
        del timestamp
        remind_all(desk)

    @app.periodic(cron=EACH_HOUR)
    @app.task(name="advise_patients", queueing_lock="advise_patients")
    def advise_patients(timestamp: int) -> None:
        del timestamp
        advise_all(desk)

    @app.periodic(cron=EVERY_FIVE_MINUTES)
    @app.task(name="accompany_events", queueing_lock="accompany_events")
    def accompany_events(timestamp: int) -> None:
        del timestamp
        accompany_all(desk)


def follow_all(desk: Desk) -> int:
    """One turn, and the owners of what is due; how many. A database that is away: the next turn makes up."""
    try:
        with desk.pool.connection() as connection:
            done = follow(connection, desk.now())
        with desk.pool.connection() as connection:
            return done + tell_owners(connection, desk.now())
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("follow-ups were not looked at (%s); tried again in five minutes", type(error).__name__)
        return 0


def remind_all(desk: Desk) -> int:
    """One turn; how many are told. A database that is away: what was due lately is made up for."""
    try:
        with desk.pool.connection() as connection:
            return remind(connection, desk.now())
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("patients were not reminded (%s); tried again in a minute", type(error).__name__)
        return 0


def advise_all(desk: Desk) -> int:
    """One turn; how much is given. A database that is away: the next turn makes up."""
    try:
        with desk.pool.connection() as connection:
            return advise(connection, desk.now())
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("no advice was given (%s); tried again in an hour", type(error).__name__)
        return 0


def accompany_all(desk: Desk) -> int:
    """One turn around lectures and activities; how many are told. A database that is away: the next turn makes up."""
    try:
        with desk.pool.connection() as connection:
            return accompany(connection, desk.now())
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.error("nobody was reminded of an event (%s); tried again in five minutes", type(error).__name__)
        return 0
