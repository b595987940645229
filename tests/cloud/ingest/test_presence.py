"""That a worker is there: said, kept through an absence of the database, and taken back at the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg import sql

from cloud.config import BrokerAddress, IngestSettings
from cloud.ingest.presence import Presence
from deploy.services.running import Running
from tests.cloud.made import NOW, Ward

PATIENCE_S = 30.0


@dataclass
class Hand:
    """Something that works on messages."""

    taken_at: datetime | None = None


@dataclass
class Worker:
    """What a worker's presence is told."""

    ward: Ward
    hand: Hand
    hears: bool = True
    now: datetime = NOW

    def detail(self) -> dict[str, Any] | None:
        """What the row says; None where there is none."""
        rows = self.ward.rows("SELECT detail FROM component WHERE name = 'ingest-1' AND kind = 'ingest'")
        return rows[0][0] if rows else None

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The row, once that holds of it."""
        patience = Event()
        for _ in range(int(PATIENCE_S / 0.02)):
            if (detail := self.detail()) is not None and holds(detail):
                return detail
            patience.wait(0.02)
        raise AssertionError(f"the row stayed {self.detail()}")


@pytest.fixture
def worker(ward: Ward) -> Iterator[Worker]:
    """A worker that says each 50 ms that it is there."""
    made = Worker(ward, Hand())
    settings = IngestSettings(
        database_url=ward.database.ingest_url, broker=BrokerAddress(host="127.0.0.1", port=1), beat_every_s=0.05
    )
    presence = Presence(settings, lambda: made.hears, [made.hand], lambda: made.now)
    presence.start()
    try:
        yield made
    finally:
        presence.stop()
        assert made.detail() is None


def test_a_worker_says_whether_it_hears_the_broker_and_since_when(worker: Worker) -> None:
    assert worker.until(bool) == {"broker": True, "since": NOW.isoformat(), "lag_s": 0.0}

    worker.now += timedelta(minutes=1)
    worker.hears = False
    lost = worker.until(lambda said: said["broker"] is False)
    assert lost["since"] == worker.now.isoformat()


def test_the_oldest_message_in_its_hands_says_how_far_it_is_behind(worker: Worker) -> None:
    worker.hand.taken_at = NOW - timedelta(seconds=7)
    assert worker.until(lambda said: said["lag_s"] > 0)["lag_s"] == 7.0


def test_after_an_absence_of_the_database_it_has_heard_nothing_before(worker: Worker, services: Running) -> None:
    worker.until(bool)
    name = worker.ward.admin.info.dbname
    with psycopg.connect(services.postgres_admin_url, autocommit=True) as outside:
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        outside.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name LIKE '%%presence' AND datname = %s",
            (name,),
        )
        worker.now += timedelta(minutes=1)
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
    later = worker.now.isoformat()

    assert worker.until(lambda said: said["since"] == later)["broker"] is True
