"""A fleet is judged whole: where all is well, in its worst minute, and when that goes on."""

from datetime import datetime, timedelta

from cloud.db.components import beat
from cloud.db.connect import open_connection
from cloud.fleet.judging import Judged, judge_fleet
from cloud.fleet.schedules import Memory
from deploy.bench.fleet import plant
from tests.cloud.made import NOW, Ward

GATEWAYS = 500


def test_a_fleet_that_falls_silent_as_one_is_judged_whole(ward: Ward) -> None:
    plant(ward.admin, NOW, GATEWAYS)
    memory = Memory()
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs:

        def judged(at: datetime) -> Judged:
            since = NOW - timedelta(days=1)
            beat(ward.ingest, "ingest-1", "ingest", at, {"broker": True, "since": since.isoformat()})
            found = judge_fleet(jobs, since, at, memory=memory)
            assert found is not None
            return found

        # The second look at each meets what the first has kept.
        for at, in_force in (
            (NOW, 0),
            (NOW + timedelta(hours=1), GATEWAYS),
            (NOW + timedelta(days=2), 2 * GATEWAYS),
        ):
            assert [judged(at).in_force for _ in range(2)] == [in_force] * 2
