"""From what a gateway says of itself to the pages of support and of a nurse: the stored state, judged, and shown."""

import html
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from cloud.db.components import beat
from cloud.db.connect import Connection, open_connection
from cloud.fleet.judging import judge_fleet
from cloud.ingest.status import record
from gateway.wire import v1
from tests.cloud.ingest.test_status import delivered
from tests.cloud.live.reading import stream, until
from tests.cloud.made import GATEWAY, METER, NOW, expect, glucose, sent
from tests.fix_console import Console

DAY = timedelta(days=1)
IDENTITY = 'manufacturer "Roche", model "972", serial number "08831234", firmware "v2.5.0"'


@pytest.fixture
def judging(console: Console) -> Iterator[Connection]:
    """What the jobs process judges with."""
    console.ward.admin.execute("UPDATE device SET first_seen_at = %s", (NOW - 30 * DAY,))
    _we_are_there(console, NOW)
    with open_connection(console.ward.database.jobs_url, "test jobs", autocommit=True) as connection:
        yield connection


def test_a_device_that_no_profile_fits_reaches_support_with_its_identity(console: Console, judging: Connection) -> None:
    unknown = v1.WireDeviceState(name="meter", profile="p", visited_at=NOW, outcome="no_profile", identity=IDENTITY)
    with stream(console.sign_in("sam"), "/live/technical") as events:
        until(events, "technical")
        _says(console, unknown)
        judge_fleet(judging, NOW - DAY, NOW)
        queue = html.unescape(until(events, "technical").data)
    assert f">{IDENTITY}</pre>" in queue
    assert f'href="/gateways/{GATEWAY}"' in queue


def test_one_gateway_that_is_away_is_one_alarm_and_one_sentence_for_the_nurse(
    console: Console, judging: Connection
) -> None:
    console.ward.receive(sent(glucose("100", NOW - 2 * DAY)))
    expect(console.ward.admin, console.ward.patient_id, at="12:00")
    _says(console, v1.WireDeviceState(name="meter", profile="p", device_id=METER.device_id, complete_at=NOW - 2 * DAY))
    later = NOW + timedelta(minutes=20)
    console.clock.time = later
    _we_are_there(console, later)
    judge_fleet(judging, NOW - DAY, later)

    queue = console.sign_in("sam").get("/technical").text
    assert queue.count("data-alarm-id") == 1
    assert "Gateway away" in queue
    assert "Silent device" in queue.partition('class="hides"')[2]
    page = console.sign_in("nora").get(f"/patients/{console.ward.patient_id}").text
    assert "The gateway in the home is away." in page
    assert "Nobody measured." not in page

    _says(console, at=later)
    judge_fleet(judging, NOW - DAY, later)
    queue = console.sign_in("sam").get("/technical").text
    assert "Gateway away" not in queue.partition('id="resolved-heading"')[0]
    assert "Gateway away" in queue.partition('id="resolved-heading"')[2]


def _says(console: Console, *devices: v1.WireDeviceState, at: datetime = NOW) -> None:
    """A status of the gateway, as the ingest takes it."""
    status = v1.StatusMessage(v=1, state="online", at=at, devices=devices)
    record(console.ward.ingest, [delivered(v1.encode(status), seconds=int((at - NOW).total_seconds()))])


def _we_are_there(console: Console, at: datetime) -> None:
    since = {"broker": True, "since": (NOW - 30 * DAY).isoformat()}
    beat(console.ward.ingest, "ingest-1", "ingest", at, since)
    beat(console.ward.admin, "jobs-1", "jobs", at, {})
    beat(console.ward.admin, "console-1", "console", at, {})  # it does so by itself each 10 s, by its own clock
