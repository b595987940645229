"""The judgement of the fleet as a job, with its connection to the database."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from alerting.technical.limits import TechnicalLimits
from cloud.db.connect import Connection, open_connection
from cloud.faults import placed
from cloud.fleet.judging import judge_fleet
from cloud.fleet.schedules import Memory

log = logging.getLogger(__name__)


class Judge:
    """Judges the fleet when asked; never raises, since the next turn makes up for it. ``judged_at`` is the last."""

    def __init__(self, database_url: str, name: str, limits: TechnicalLimits, now: Callable[[], datetime]) -> None:
        self.judged_at: datetime | None = None
        self._url = database_url
        self._name = name
        self._limits = limits
        self._now = now
        self._since = now()
        self._memory = Memory()
        self._turn = threading.Lock()
        self._connection: Connection | None = None

    def __call__(self) -> None:
        """One judgement; nothing where one is under way, here or elsewhere."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._judge()
        finally:
            self._turn.release()

    def close(self) -> None:
        """Leave the database."""
        with self._turn:
            self._close()

    def _judge(self) -> None:
        try:
            judged = judge_fleet(self._connected(), self._since, self._now(), self._limits, self._memory)
        except Exception as error:  # noqa: BLE001 -- a defect of ours, too: procrastinate keeps it to itself, with a row
            # Never the message: it may quote a row.
            log.error("the fleet was not judged (%s)", placed(error))
            self._close()
            # While we were away nobody's sign of life could be seen.
            self._since = self._now()
            return
        if judged:
            self.judged_at = self._now()
        if judged and (judged.raised or judged.resolved or judged.cases):
            log.info(
                "%d technical conditions in force: %d raised, %d resolved; %d cases of missing measurements changed",
                judged.in_force,
                judged.raised,
                judged.resolved,
                judged.cases,
            )

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = open_connection(self._url, f"pulsepost {self._name} judge", autocommit=True)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
