"""The jobs that there are, and when: one procrastinate application, put together for one process."""

from collections.abc import Callable, Sequence
from typing import Any

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from cloud.db.connect import CONNECT_TIMEOUT_S, noticing, session_options
from cloud.db.pool import check_transacting, reset
from cloud.jobs import (
    anchoring,
    answers,
    assessing,
    counting_figures,
    delivering,
    escalating,
    following,
    forgetting_told,
    keeping_appointments,
    measuring,
    reaching,
    retaining,
    ringing,
    telling_homes,
    tidying,
    trying_limits,
    voices,
)
from cloud.jobs.desk import Desk

POOL_SIZE = 4
WAIT_FOR_CONNECTION_S = 5.0


# Each room's jobs: a function that adds its tasks to the application.
ROOMS: Sequence[Callable[[App, Desk], None]] = (
    anchoring.add_jobs,
    answers.add_jobs,
    assessing.add_jobs,
    counting_figures.add_jobs,
    delivering.add_jobs,
    escalating.add_jobs,
    following.add_jobs,
    forgetting_told.add_jobs,
    keeping_appointments.add_jobs,
    measuring.add_jobs,
    reaching.add_jobs,
    retaining.add_jobs,
    ringing.add_jobs,
    telling_homes.add_jobs,
    tidying.add_jobs,
    trying_limits.add_jobs,
    voices.add_jobs,
)


def _pool(**arguments: Any) -> AsyncConnectionPool[AsyncConnection[Any]]:
    """procrastinate's own, but that what it cancels leaves each connection as it was."""
    return AsyncConnectionPool(**{**arguments, "check": check_transacting, "reset": reset})


def make_app(desk: Desk, judge: Callable[[], None]) -> App:
    """An application whose workers judge the fleet at intervals, and do each room's jobs."""
    app = App(
        connector=PsycopgConnector(
            conninfo=noticing(desk.settings.database_url),
            min_size=1,
            max_size=POOL_SIZE,
            timeout=WAIT_FOR_CONNECTION_S,
            pool_factory=_pool,
            kwargs={
                "application_name": f"pulsepost {desk.settings.name}",
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": session_options(),
            },
        ),
        # Late is as good as never for these: the next turn sees all that this one would have seen.
        periodic_defaults={"max_delay": 60},
    )

    # The sixth field of a cron line is its seconds.
    @app.periodic(cron=f"* * * * * */{desk.settings.judge_every_s}")
    @app.task(name="judge_fleet", queueing_lock="judge_fleet")
    def judge_the_fleet(timestamp: int) -> None:
        del timestamp
        judge()

    for room in ROOMS:
        room(app, desk)
    return app
