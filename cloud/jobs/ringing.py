"""Having telephones ring, telling a system that a call is over, and forgetting where recordings were."""

import logging
from uuid import UUID

from procrastinate import App

from cloud.crm.telephony import store
from cloud.crm.telephony.ringing import Ringer, Systems
from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

# UTC, after what ends each night.
EACH_NIGHT = "55 2 * * *"


def add_jobs(app: App, desk: Desk) -> None:
    """``ring_telephone`` and ``telephone_over`` for one, ``end_recordings`` each night."""
    make = Systems(desk.settings.crm, desk.pool.connection, desk.now)
    ringer = Ringer(desk.pool.connection, make, desk.now)

    @app.task(name="ring_telephone")
    def ring_telephone(ring_id: str) -> None:
        ringer.ring(UUID(ring_id))

    @app.task(name="telephone_over")
    def telephone_over(ring_id: str) -> None:
        ringer.over(UUID(ring_id))

    @app.periodic(cron=EACH_NIGHT)
    @app.task(name="end_recordings", queueing_lock="end_recordings", lock="end_recordings")
    def end_recordings(timestamp: int) -> None:
        del timestamp
        with desk.pool.connection() as connection:
            many = store.end_recordings(connection, desk.now())
        log.info("ended: %d references to recordings", many)
