"""One gateway that says absurd things: all others are judged, and the pages can be read."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cloud.db.components import beat
from cloud.db.connect import Connection, open_connection
from cloud.fleet.judging import judge_fleet
from cloud.ingest.status import record
from gateway.wire import v1
from tests.cloud.ingest.test_status import delivered, status
from tests.cloud.made import METER, NOW, Ward, arrival, expect, glucose, message, sent, session

DAY = timedelta(days=1)
TIMES = [
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-14:00",
    "9999-12-31T23:59:59Z",
]


@pytest.fixture
def jobs(ward: Ward) -> Iterator[Connection]:
    """The jobs role's connection; an ingest worker is there, and the meter is expected to be used."""
    expect(ward.admin, ward.patient_id)
    beat(ward.ingest, "ingest-1", "ingest", NOW, {"broker": True, "since": (NOW - DAY).isoformat()})
    connection = open_connection(ward.database.jobs_url, "test jobs", autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("field", ["at", "started_at", "certificate_until"])
@pytest.mark.parametrize("time", TIMES)
def test_no_time_of_a_gateway_stops_the_judgement(ward: Ward, jobs: Connection, field: str, time: str) -> None:
    record(ward.ingest, [delivered(status(**{"outbox_depth": 0, "clock_synchronised": False, field: time}))])

    assert judge_fleet(jobs, NOW - DAY, NOW)
    assert ward.rows("SELECT started_at, certificate_until FROM gateway")


@pytest.mark.parametrize("field", ["visited_at", "complete_at", "heard_at"])
@pytest.mark.parametrize("time", TIMES)
def test_no_time_of_a_device_stops_the_judgement(ward: Ward, jobs: Connection, field: str, time: str) -> None:
    device = {"name": "meter", "profile": "p", "device_id": METER.device_id, "outcome": "cut", "heard_at": NOW}
    record(ward.ingest, [delivered(status(outbox_depth=0, devices=[{**device, field: time}]))])

    assert judge_fleet(jobs, NOW - DAY, NOW)
    assert ward.rows("SELECT visited_at, complete_at, heard_at FROM gateway_device")


@pytest.mark.parametrize("time", TIMES)
def test_no_time_of_a_session_stops_the_judgement(ward: Ward, jobs: Connection, time: str) -> None:
    ended: Any = msgspec.to_builtins(msgspec.structs.replace(session(), ended_at=NOW, complete=True, holds=5))
    told = msgspec.to_builtins(message(visit=session())) | {"session": ended | {"started_at": time, "ended_at": time}}
    ward.receive(arrival(msgspec.json.encode(told)))
    record(ward.ingest, [delivered(status(outbox_depth=0), seconds=3600)])

    assert ward.rows("SELECT holds FROM device") != [(None,), (None,)]
    assert judge_fleet(jobs, NOW - DAY, NOW + DAY)
    assert ward.rows("SELECT last_seen_at, complete_at FROM device")
    assert ward.rows("SELECT started_at, ended_at FROM device_session")


@pytest.mark.parametrize("count", [2**31, 2**63, 10**30])
def test_no_count_of_a_session_holds_its_readings_back_or_slows_the_others_down(
    ward: Ward, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    visit = session()
    told: Any = msgspec.to_builtins(message(glucose(), visit=visit))
    told["session"] |= {"holds": count, "received": count}
    fates = ward.fates(arrival(json.dumps(told, default=str).encode()), sent(glucose("99")))

    assert [fate for fate, _ in fates] == [v1.Fate.STORED, v1.Fate.STORED]
    assert ward.rows("SELECT holds, received FROM device_session ORDER BY holds") == [(3, None), (None, None)]
    assert "together were refused" not in caplog.text
