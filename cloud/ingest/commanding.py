"""Commands for gateways, from their table to the broker: told of by the database, and looked for at intervals.

In a thread with a connection of its own. A command that was taken and never reached its gateway, because we or the
broker died in between, is due again until the gateway has told of it or its time is over.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import psycopg

from cloud.commands import outgoing
from cloud.commands.models import Outgoing
from cloud.config import IngestSettings
from cloud.db.connect import Connection, open_connection
from cloud.faults import placed
from gateway.wire import v1

log = logging.getLogger(__name__)

STOP_WITHIN_S = 10.0
# A notification is heard at once; this is how soon the end is, and what nobody told us of.
LISTEN_S = 0.5
SWEEP_EVERY = timedelta(seconds=2)
RETRY_S = 2.0


class Broker(Protocol):
    """Whoever hands a message to the broker."""

    def publish_command(self, topic: str, payload: bytes, expires_in_s: int) -> None:
        """At QoS 1; the broker keeps it for so long at most."""


class Commanding:
    """Publishes what is due, and ends what is over, from ``start`` to ``stop``."""

    def __init__(
        self, settings: IngestSettings, broker: Broker, hears: Callable[[], bool], now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._broker = broker
        self._hears = hears
        self._now = now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commands")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is due then is another's, or ours when we are back."""
        self._stop.set()
        self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                name = f"pulsepost {self._settings.client_id} commands"
                with open_connection(self._settings.database_url, name, autocommit=True) as connection:
                    self._work(connection)
            except psycopg.Error as error:
                # Never the message: it may quote a row.
                log.warning("no commands are published: the database is away (%s)", placed(error))
                self._stop.wait(RETRY_S)
            except Exception as error:  # noqa: BLE001 -- one command that cannot be said must not keep all others back
                log.error("a command was not published (%s)", placed(error))
                self._stop.wait(RETRY_S)

    def _work(self, connection: Connection) -> None:
        connection.execute("LISTEN gateway_commands")
        swept_at: datetime | None = None
        while not self._stop.is_set():
            told = any(True for _ in connection.notifies(timeout=LISTEN_S if swept_at else 0, stop_after=1))
            now = self._now()
            if told or swept_at is None or not timedelta() <= now - swept_at < SWEEP_EVERY:
                self.sweep(connection, now)
                swept_at = now

    def sweep(self, connection: Connection, now: datetime) -> None:
        """One look: what is over ends, and what is due goes out while we have the broker."""
        outgoing.expire(connection, now)
        while self._hears() and (due := outgoing.take_due(connection, now)):
            for command in due:
                self._publish(command, now)

    def _publish(self, command: Outgoing, now: datetime) -> None:
        message = v1.CommandsMessage(
            v=v1.VERSION,
            command_id=str(command.command_id),
            kind=command.kind,
            expires_at=command.expires_at,
            body=dict(command.body),
        )
        left_s = max(1, int((command.expires_at - now).total_seconds()))
        self._broker.publish_command(v1.topic(command.gateway_id, "commands"), v1.encode(message), left_s)
        log.info("command %s (%s) to gateway %s", command.command_id, command.kind, command.gateway_id)
