"""Outside CRMs are told in threads of their own: a CRM that hangs takes no place of a job from what is clinical.

One thread for each destination. They are ended with the process, in the middle of whatever they do: somebody else finds
the lease over, and goes on with the same keys.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from cloud.config import JobsSettings
from cloud.crm.outbox import store
from cloud.crm.outbox.dispatcher import Dispatcher
from cloud.crm.outbox.hints import settle
from cloud.crm.outbox.models import Destination
from cloud.crm.outbox.service import Connectors
from cloud.db.connect import CONNECT_TIMEOUT_S, Connection, noticing, session_options
from cloud.faults import placed

log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 4
WAIT_FOR_CONNECTION_S: Final = 5.0
AWAY_S: Final = 5.0


class Dispatching:
    """Looks which destinations there are, and has a thread for each."""

    def __init__(self, settings: JobsSettings, now: Callable[[], datetime]) -> None:
        self._every_s = settings.crm.every_s
        self._now = now
        self._stop = threading.Event()
        self._busy: dict[UUID, threading.Thread] = {}
        self._make = Connectors(settings.crm, now)
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            noticing(settings.database_url),
            min_size=0,
            max_size=MOST_CONNECTIONS,
            timeout=WAIT_FOR_CONNECTION_S,
            kwargs={
                "application_name": f"pulsepost {settings.name} crm",
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": session_options(),
            },
            check=ConnectionPool.check_connection,
            open=False,
        )
        self._dispatcher = Dispatcher(self._connect, self._make, settings.notify.base_url, now)

    def start(self) -> None:
        """Until ``stop``; whatever happens here, nobody else notices."""
        threading.Thread(target=self._run, name="crm", daemon=True).start()

    def stop(self) -> None:
        """Nothing new is begun. What is under way is not waited for."""
        self._stop.set()

    def _run(self) -> None:
        self._pool.open()
        while not self._stop.is_set():
            pause = self._every_s
            try:
                self._look()
            except (psycopg.Error, PoolTimeout) as error:
                log.error("CRMs are not told anything (%s); tried again in a few seconds", placed(error))
                pause = max(AWAY_S, self._every_s)
            self._stop.wait(pause)
        self._pool.close(timeout=0)

    def _look(self) -> None:
        """Have a thread at work for each destination that has none."""
        with self._connect() as connection:
            destinations = store.destinations(connection)
        for destination in destinations:
            thread = self._busy.get(destination.destination_id)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(target=self._serve, args=(destination,), name="crm one", daemon=True)
                self._busy[destination.destination_id] = thread
                thread.start()

    def _serve(self, destination: Destination) -> None:
        """All that may leave now, and what was heard."""
        try:
            while not self._stop.is_set() and self._dispatcher.turn(destination, at_most=1):
                pass
            settle(self._connect, self._make, destination, self._now)
        except (psycopg.Error, PoolTimeout) as error:
            log.error("%s is not told anything (%s); tried again", destination.name, placed(error))

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._pool.connection() as connection:
            yield connection
