"""kill -9 in the middle of a release: as if nobody had begun, and the next worker does it, once."""

import psycopg

from tests.cloud.ingest.running import PATIENCE_S
from tests.cloud.ingest.test_releases import say
from tests.cloud.ingest.test_worker import Road
from tests.cloud.ingest.test_worker import road as road
from tests.cloud.made import Ward, glucose, sent, wait_for_a_lock


def test_kill_9_while_a_reading_is_released_stores_it_once(road: Road) -> None:
    ward, reading = road.ward, glucose("101")
    ward.admin.execute("DELETE FROM device_assignment")
    ward.receive(sent(reading))
    worker = road.start()
    with psycopg.connect(ward.database.admin_url) as holding:
        # Whoever stores it now waits, in the middle of its transaction.
        holding.execute("LOCK TABLE glucose_observation IN SHARE ROW EXCLUSIVE MODE")
        say(ward, reading.reading_id)
        wait_for_a_lock(ward)
        worker.kill()
        assert ward.rows("SELECT settled_at FROM reading_release") == [(None,)]
    road.start()

    settled(ward)
    assert ward.rows("SELECT outcome FROM reading_release") == [("stored",)]
    assert (ward.count("glucose_observation"), ward.rows("SELECT fate FROM ledger")) == (1, [("stored",)])


def settled(ward: Ward) -> None:
    """Return once the release is, by whoever did it: its update tells."""
    with psycopg.connect(ward.database.admin_url, autocommit=True) as listening:
        listening.execute("LISTEN live")
        if ward.rows("SELECT FROM reading_release WHERE settled_at IS NULL"):
            assert list(listening.notifies(timeout=PATIENCE_S, stop_after=1)), "nobody took the release up"
