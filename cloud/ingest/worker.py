"""One ingest worker: collect, store, acknowledge, answer; it outlives the database's and the broker's absences."""

import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from types import FrameType
from typing import TypeVar

import psycopg

from cloud import clock
from cloud.config import IngestSettings
from cloud.db.connect import Connection, open_connection
from cloud.faults import placed
from cloud.ingest import receipts, status
from cloud.ingest.commanding import Commanding
from cloud.ingest.handle import store
from cloud.ingest.presence import Presence
from cloud.ingest.receipts import Outcome
from cloud.ingest.releases import Releases
from cloud.ingest.subscriber import Delivery, Subscriber
from gateway.wire import v1

T = TypeVar("T")

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.05
LAST_RETRY_S = 5.0
IDLE_S = 0.5
# Whoever said "it was me" sees it counted this soon.
RELEASES_EVERY = timedelta(seconds=1)
# While the database works on one's batch, another makes up its own.
CONNECTIONS = 2
GARBAGE_AFTER_OBJECTS = 500_000
SWITCH_AFTER_S = 0.002


class Stopped(Exception):
    """We were asked to end while waiting; what is in hand is unacknowledged and comes again."""


class Worker:
    """The loop, with its connection to the database; several may share a subscriber."""

    def __init__(
        self, settings: IngestSettings, subscriber: Subscriber, stop: threading.Event, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._subscriber = subscriber
        self._stop = stop
        self._now = now
        self._connection: Connection | None = None
        self._releases = Releases(now)
        self._looked_for_releases_at: datetime | None = None
        self.taken_at: datetime | None = None

    def run(self, ready: Callable[[], None]) -> None:
        """Until asked to stop. ``ready`` is called once, when both sides answered."""
        try:
            self._persistently(lambda connection: connection.execute("SELECT 1"))
            while not self._subscriber.subscribed.wait(IDLE_S):
                if self._stop.is_set():
                    return
            ready()
            while not self._stop.is_set():
                self._turn(self._subscriber.collect(IDLE_S))
                self._release()
            self._finish()
        except Stopped:
            return
        finally:
            self._close()

    def _finish(self) -> None:
        """Store what the broker has given us already: after us nobody has it but the gateways."""
        self._subscriber.leave()
        while batch := self._subscriber.collect(0):
            self._turn(batch)

    def _release(self) -> None:
        """What people said of readings that were held back: looked for now and then, however much there is to do."""
        looked_at, now = self._looked_for_releases_at, self._now()
        if looked_at is not None and timedelta(0) <= now - looked_at < RELEASES_EVERY:
            return
        self._persistently(self._releases.settle)
        self._looked_for_releases_at = now

    def _turn(self, batch: Sequence[Delivery]) -> None:
        self.taken_at = batch[0].received_at if batch else None
        readings = [d.readings for d in batch if d.readings is not None]
        statuses = [d for d in batch if d.channel == "status"]
        outcomes: Sequence[Outcome] = []
        if readings:
            outcomes = self._persistently(lambda connection: store(connection, readings, self._now))
        if statuses:
            self._persistently(lambda connection: status.record(connection, statuses))
        self._subscriber.acknowledge(batch)
        self._subscriber.publish(
            [
                (v1.topic(outcome.gateway_id, "receipts"), v1.encode(outcome.receipts))
                for outcome in receipts.together(outcomes)
            ]
        )
        self.taken_at = None

    def _persistently(self, work: Callable[[Connection], T]) -> T:
        """Do it, again and again while the database is away; nothing is acknowledged meanwhile."""
        delay_s = FIRST_RETRY_S
        while True:
            try:
                return work(self._connected())
            except psycopg.Error as error:
                # Never the message: it may quote a row.
                log.error("the database is away or busy (%s)", placed(error))
            self._close()
            if self._stop.wait(delay_s):
                raise Stopped
            delay_s = min(delay_s * 2, LAST_RETRY_S)

    def _connected(self) -> Connection:
        if self._connection is None:
            name = f"pulsepost {self._settings.client_id}"
            self._connection = open_connection(self._settings.database_url, name, autocommit=True)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _prefer_throughput() -> None:
    # A batch is thousands of small objects without cycles: looking for cycles at the default's pace cost a fifth of all
    # its time, measured.
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER_OBJECTS)
    # The thread that comes back from the database takes over from the one that decodes before 5 ms (the default); each
    # switch costs both what they had in the processor's caches.
    sys.setswitchinterval(SWITCH_AFTER_S)


def run(settings: IngestSettings, ready: Callable[[], None]) -> int:
    """The ingest process: until SIGTERM or SIGINT."""
    stop = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        stop.set()

    _prefer_throughput()
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    subscriber = Subscriber(settings.broker, settings.client_id, clock.now)
    workers = [Worker(settings, subscriber, stop, clock.now) for _ in range(CONNECTIONS)]
    presence = Presence(settings, subscriber.subscribed.is_set, workers, clock.now)
    commanding = Commanding(settings, subscriber, subscriber.subscribed.is_set, clock.now)
    subscriber.start()
    presence.start()
    commanding.start()
    try:
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            loops = [threads.submit(worker.run, ready if n == 0 else _nothing) for n, worker in enumerate(workers)]
            for loop in as_completed(loops):
                stop.set()
                loop.result()
    finally:
        commanding.stop()
        presence.stop()
        subscriber.stop()
    return 0


def _nothing() -> None:
    """Only one of them says that we are ready."""
