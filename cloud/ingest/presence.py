"""That an ingest worker is there, said at intervals into the table of our own processes.

In a thread of its own: a worker that is busy is there, too. It says whether it hears the broker, since when, and how
long the oldest message in its hands has waited. While the database is away nothing is said, and hearing begins anew
after it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import psycopg

from cloud.config import IngestSettings
from cloud.db.components import beat, gone
from cloud.db.connect import Connection, open_connection

log = logging.getLogger(__name__)

STOP_WITHIN_S = 10.0


class Hand(Protocol):
    """Whoever works on messages."""

    @property
    def taken_at(self) -> datetime | None:
        """When the oldest message that is worked on came; None: nothing is."""


class Presence:
    """Says that a worker is there from ``start`` to ``stop``, which takes its row away: nobody is to miss it."""

    def __init__(
        self,
        settings: IngestSettings,
        hears: Callable[[], bool],
        hands: Sequence[Hand],
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._hears = hears
        self._hands = hands
        self._now = now
        self._heard: bool | None = None
        self._since = now()
        self._connection: Connection | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye."""
        self._stop.set()
        self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        while True:
            self._say(lambda connection: self._beat(connection))
            if self._stop.wait(self._settings.beat_every_s):
                break
        self._say(lambda connection: gone(connection, self._settings.client_id))
        if self._connection is not None:
            self._connection.close()

    def _say(self, work: Callable[[Connection], None]) -> None:
        try:
            if self._connection is None:
                name = f"pulsepost {self._settings.client_id} presence"
                self._connection = open_connection(self._settings.database_url, name, autocommit=True)
            work(self._connection)
        except psycopg.Error as error:
            log.warning("could not say that we are there (%s)", type(error).__name__)
            self._heard = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _beat(self, connection: Connection) -> None:
        now, hears = self._now(), self._hears()
        if hears is not self._heard:
            self._heard, self._since = hears, now
        waiting = [now - taken_at for hand in self._hands if (taken_at := hand.taken_at) is not None]
        detail = {
            "broker": hears,
            "since": self._since.isoformat(),
            "lag_s": max(waiting, default=timedelta()).total_seconds(),
        }
        beat(connection, self._settings.client_id, "ingest", now, detail)
