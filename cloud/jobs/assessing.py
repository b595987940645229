"""Sessions, repetition, "measure again" and each patient's day, every few seconds (``cloud.assessment``)."""

import logging
import threading
from datetime import timedelta

import psycopg
from procrastinate import App

from cloud.assessment.service import assess_all
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

# Whoever measures again is seen this soon.
EVERY_S = 3
# A turn with much to do makes room for the next one, which whoever is free takes.
AT_MOST = timedelta(seconds=30)


def add_jobs(app: App, desk: Desk) -> None:
    """``assess_patients``: whoever's turn it is. Several processes may do it at once, and each has one turn at a time:
    on a morning with thousands of patients' days there is room left for pages."""
    turn = threading.Lock()

    @app.periodic(cron=f"* * * * * */{EVERY_S}")
    @app.task(name="assess_patients", queueing_lock="assess_patients")
    def assess_patients(timestamp: int) -> None:
        del timestamp
        assess_in_turn(desk, turn)


def assess_in_turn(desk: Desk, turn: threading.Lock) -> None:
    """One turn, unless one is under way here."""
    if not turn.acquire(blocking=False):
        return
    try:
        done = assess_all(desk.pool, desk.now, desk.now() + AT_MOST)
    except psycopg.OperationalError as error:
        # What is due stays due.
        log.error("patients were not assessed (%s)", type(error).__name__)
        return
    finally:
        turn.release()
    if done.events:
        log.info("%d patients assessed, %d changes of their cases", done.patients, done.events)
