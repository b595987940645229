"""The escalation as jobs: a case is looked at when it says so, and a sweep misses none."""

import logging
from uuid import UUID

from procrastinate import App

from cloud.escalation import service, store
from cloud.escalation.models import Telling
from cloud.faults import placed
from cloud.jobs.desk import Desk
from cloud.notifications.service import notify, notify_of_gap

log = logging.getLogger(__name__)

# A look that was lost with its process is made up for this late at most (proposal of this project).
EVERY_S = 5
EVERY_MINUTE = "* * * * *"
TELLING = Telling(notify=notify, notify_of_gap=notify_of_gap)


def add_jobs(app: App, desk: Desk) -> None:
    """``look_at_case`` for one, a sweep of those whose job was lost, and each minute ``tend_gaps``."""

    @app.task(name="look_at_case")
    def look_at_case(case_id: str) -> None:
        look(desk, UUID(case_id))

    @app.periodic(cron=f"* * * * * */{EVERY_S}")
    @app.task(name="sweep_cases", queueing_lock="sweep_cases")
    def sweep_cases(timestamp: int) -> None:
        del timestamp
        sweep(desk)

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="tend_gaps", queueing_lock="tend_gaps")
    def tend_gaps(timestamp: int) -> None:
        del timestamp
        tend(desk)


def look(desk: Desk, case_id: UUID) -> None:
    """One look, committed; never raises, since the sweep makes up for it."""
    try:
        with desk.pool.connection() as connection:
            service.look(connection, case_id, desk.now(), TELLING)
    except Exception as error:  # noqa: BLE001 -- a defect of ours, too: procrastinate keeps it to itself, with a row
        # Never the message: it may quote a row.
        log.error("case %s was not looked at (%s)", case_id, placed(error))


def sweep(desk: Desk) -> None:
    """Have cases looked at that nobody looks at in time, each in a job of its own; never raises: the next one comes."""
    try:
        with desk.pool.connection() as connection:
            lost = store.lost(connection, desk.now())
        for case_id in lost:
            # Each by itself: whoever holds several jobs at once must take them in the order of their cases.
            with desk.pool.connection() as connection:
                store.wake_now(connection, case_id)
    except Exception as error:  # noqa: BLE001 -- as above
        log.error("overdue cases were not swept (%s)", placed(error))


def tend(desk: Desk) -> None:
    """Close gaps that are none any more, and tell of the others again; never raises: the next one comes."""
    try:
        with desk.pool.connection() as connection:
            service.tend_gaps(connection, desk.now(), TELLING)
    except Exception as error:  # noqa: BLE001 -- as above
        log.error("gaps in the roster were not tended (%s)", placed(error))
