"""Trying limits and counting budgets, as jobs: in slices, so that what is urgent never waits for a trial."""

import logging
from datetime import timedelta

import psycopg
from procrastinate import App
from psycopg_pool import PoolTimeout

from cloud.db.connect import Connection
from cloud.faults import placed
from cloud.jobs.desk import Desk
from cloud.what_if import runs, spending
from cloud.what_if.trying import AT_ONCE, take_slice

log = logging.getLogger(__name__)

# A slice holds one of this process's places for jobs, and its interpreter, for about so long.
SLICE = timedelta(seconds=2)
EVERY_MINUTE = "* * * * *"
EVERY_TEN_MINUTES = "*/10 * * * *"
# Behind whatever waits already, and by the database's clock: what lies in the future is found seconds late.
_AGAIN = "SELECT wake('try_limits', 'try_limits', '{\"timestamp\": 0}', now() + %s)"


def add_jobs(app: App, desk: Desk) -> None:
    """Adds ``try_limits``, which the console asks for by name and a sweep makes up for, and the counting of budgets."""

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="try_limits", queueing_lock="try_limits")
    def try_limits(timestamp: int) -> None:
        del timestamp
        again = slice_of(desk)
        if again is not None:
            with desk.pool.connection() as connection:
                connection.execute(_AGAIN, (again,))

    @app.periodic(cron=EVERY_TEN_MINUTES)
    @app.task(name="count_alert_budgets", queueing_lock="count_alert_budgets")
    def count_alert_budgets(timestamp: int) -> None:
        del timestamp
        with desk.pool.connection() as connection:
            spending.count(connection, desk.now())


def slice_of(desk: Desk) -> timedelta | None:
    """One slice; after how long to come again (None: nothing is left).

    A defect of ours fails the run that it is in, instead of all that follow.
    """
    try:
        with desk.pool.connection() as connection:
            return take_slice(connection, desk.now, desk.now() + SLICE)
    except (psycopg.OperationalError, PoolTimeout):
        # The database is away: the run stays where it was, and the sweep goes on with it.
        raise
    except Exception as error:  # noqa: BLE001 -- whatever one run's data does to us, the next person's run goes on
        log.error("a run of what-if failed (%s)", placed(error))
        with desk.pool.connection() as connection:
            _give_up(connection, desk)
        return AT_ONCE


def _give_up(connection: Connection, desk: Desk) -> None:
    run = runs.next_run(connection)
    if run is not None:
        runs.fail(connection, run, "It failed by a defect of ours. Tell support when it was.", desk.now())
