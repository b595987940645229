"""Patients' newest figures are worked out anew as readings come, and each night (``cloud.crm.segments.measuring``)."""

import logging

from procrastinate import App

from cloud.crm.segments.measuring import changed, everybody, in_parts, measure
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EACH_FIVE_MINUTES = "*/5 * * * *"
# UTC; after the figures of the centre.
EACH_NIGHT = "50 3 * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """``measure_changed`` and ``measure_everybody``: one at a time, and harmless if they are done twice."""

    @app.periodic(cron=EACH_FIVE_MINUTES)
    @app.task(name="measure_changed", queueing_lock="measure_changed", lock="measure_patients")
    def measure_changed(timestamp: int) -> None:
        del timestamp
        measure_patients(desk, all_of_them=False)

    @app.periodic(cron=EACH_NIGHT)
    @app.task(name="measure_everybody", queueing_lock="measure_everybody", lock="measure_patients")
    def measure_everybody(timestamp: int) -> None:
        del timestamp
        measure_patients(desk, all_of_them=True)


def measure_patients(desk: Desk, *, all_of_them: bool) -> int:
    """How many were worked out, a part of them in each transaction: a long night keeps what it has done."""
    with desk.pool.connection() as connection:
        patients = everybody(connection) if all_of_them else changed(connection, desk.now())
    for part in in_parts(patients):
        with desk.pool.connection() as connection:
            measure(connection, part, desk.now())
    if patients:
        log.info("worked out the figures of %d patients", len(patients))
    return len(patients)
