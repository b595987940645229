"""Which part of an ingest worker's time the alert rules take, their cases and SQL included.

Measured in this process, with the functions that a worker calls: full messages decoded and stored batch by batch, and
``alerts.evaluate`` timed within, the waiting for the database included.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from cloud.alerts import service as alerts
from cloud.alerts.models import Doubted
from cloud.alerts.store import StoredEvent
from cloud.db.connect import Connection, open_connection
from cloud.ingest.arrivals import Arrival, decode
from cloud.ingest.handle import store
from cloud.observations.models import Observation
from deploy.bench import clock
from deploy.bench.messages import messages
from deploy.bench.stage import HOMES, Stage
from gateway.wire import v1

MESSAGES_A_BATCH = 36
BATCHES = 10
READINGS_A_HOME = MESSAGES_A_BATCH * BATCHES * v1.MAX_READINGS // HOMES


def alerting_share(stage: Stage, first: int) -> float:
    """Of the time from payloads to a committed batch, for READINGS_A_HOME readings from the ``first``th on."""
    numbers = range(first, first + READINGS_A_HOME)
    arrivals = [
        Arrival(
            gateway_id=home.gateway_id,
            payload=v1.encode(message),
            correlation=bytes.fromhex(message.message_id),
            received_at=clock.now(),
        )
        for home, message in messages(stage.homes, numbers, v1.MAX_READINGS, clock.now())
    ]
    with (
        open_connection(stage.database.ingest_url, "pulsepost-bench", autocommit=True) as connection,
        _timed() as taken,
    ):
        begun = clock.monotonic()
        for place in range(0, len(arrivals), MESSAGES_A_BATCH):
            batch = [decode(arrival) for arrival in arrivals[place : place + MESSAGES_A_BATCH]]
            store(connection, batch, clock.now)
        return sum(taken) / (clock.monotonic() - begun)


@contextmanager
def _timed() -> Iterator[list[float]]:
    """The seconds of each call of ``alerts.evaluate``."""
    taken: list[float] = []
    evaluate = alerts.evaluate

    def timed(
        connection: Connection, observations: Sequence[Observation], at: datetime, doubted: Sequence[Doubted] = ()
    ) -> Sequence[StoredEvent]:
        begun = clock.monotonic()
        events = evaluate(connection, observations, at, doubted)
        taken.append(clock.monotonic() - begun)
        return events

    alerts.evaluate = timed
    try:
        yield taken
    finally:
        alerts.evaluate = evaluate
