"""What patients answer to questionnaires is judged at once, and a sweep misses none (``cloud.crm.questionnaires``)."""

import logging

from procrastinate import App

from cloud.crm.questionnaires.judging import AT_ONCE, judge
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """``judge_answers`` when somebody answered, ``sweep_answers`` each minute. Both may be done twice."""

    @app.task(name="judge_answers")
    def judge_answers() -> None:
        judge_all(desk)

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="sweep_answers", queueing_lock="sweep_answers")
    def sweep_answers(timestamp: int) -> None:
        del timestamp
        judge_all(desk)


def judge_all(desk: Desk) -> int:
    """All that waits; how many."""
    done = 0
    while True:
        with desk.pool.connection() as connection:
            judged = judge(connection, desk.now())
        done += judged
        if judged < AT_ONCE:
            return done
