"""Patients are reminded of appointments, and slots that came free are offered (``cloud.crm.appointments``)."""

import logging
from uuid import UUID

from procrastinate import App

from cloud.crm.appointments import due, keeping
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """A timer for each appointment and each freed slot, and a sweep that misses none. All may be done twice."""

    @app.task(name="remind_of_appointment")
    def remind_of_appointment(appointment_id: str) -> None:
        remind(desk, UUID(appointment_id))

    @app.task(name="offer_freed_slot")
    def offer_freed_slot(freed_id: str) -> None:
        offer(desk, UUID(freed_id))

    # A timer that was lost with its job loses nothing.
    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="sweep_appointments", queueing_lock="sweep_appointments", lock="sweep_appointments")
    def sweep_appointments(timestamp: int) -> None:
        del timestamp
        sweep(desk)


def remind(desk: Desk, appointment_id: UUID) -> None:
    """Once, however often it is tried. psycopg.OperationalError, PoolTimeout: the sweep makes up."""
    with desk.pool.connection() as connection:
        keeping.remind(connection, appointment_id, desk.now())


def offer(desk: Desk, freed_id: UUID) -> None:
    """To the next who waits."""
    with desk.pool.connection() as connection:
        keeping.offer_freed(connection, freed_id, desk.now())


def sweep(desk: Desk) -> None:
    """Everything that is due now, each in a transaction of its own."""
    with desk.pool.connection() as connection:
        reminders, freed = due.reminders(connection, desk.now()), due.open_freed(connection)
    for appointment_id in reminders:
        remind(desk, appointment_id)
    for freed_id in freed:
        offer(desk, freed_id)
    if reminders:
        log.info("%d patients were reminded late of an appointment", len(reminders))
