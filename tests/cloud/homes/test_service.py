"""Homes are told once, and again when something changed; by the jobs' own role."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from cloud.config import JobsSettings
from cloud.db.connect import Connection, open_connection
from cloud.devices import store as devices
from cloud.homes.models import DAYS_AHEAD, TOLD_ANEW_BELOW
from cloud.homes.service import Memory, tell_homes
from cloud.jobs.desk import Desk
from cloud.jobs.telling_homes import tell_all
from tests.cloud.made import CUFF, GATEWAY, METER, NOW, Ward, expect, new_patient


@pytest.fixture
def jobs(ward: Ward) -> Iterator[Connection]:
    with closing(open_connection(ward.database.jobs_url, "test jobs")) as connection:
        yield connection


@pytest.fixture
def home(ward: Ward) -> Ward:
    """The ward's gateway has said which devices it has, and the patient measures glucose daily."""
    ward.admin.execute("UPDATE gateway SET last_seen_at = %s", (NOW,))
    for name, device in (("meter", METER), ("cuff", CUFF)):
        ward.admin.execute(
            "INSERT INTO gateway_device (gateway_id, name, profile, device_id, told_at) VALUES (%s, %s, '-', %s, %s)",
            (GATEWAY, name, device.device_id, NOW),
        )
    expect(ward.admin, ward.patient_id)
    return ward


def told(jobs: Connection, memory: Memory | None = None, at: datetime = NOW) -> int:
    number = tell_homes(jobs, memory or Memory(), at)
    jobs.commit()
    return number


def newest(ward: Ward) -> dict[str, Any]:
    """What the home was told last."""
    [(body,)] = ward.rows("SELECT body FROM gateway_command WHERE kind = 'home' ORDER BY created_at DESC LIMIT 1")
    found: dict[str, Any] = body
    return found


def test_a_home_is_told_what_its_devices_are_to_measure(home: Ward, jobs: Connection) -> None:
    assert told(jobs) == 1
    [due] = newest(home)["due"]
    assert (due["kind"], due["zone"]) == ("glucose", "Europe/Copenhagen")
    assert sorted(due["devices"]) == [["cuff", None], ["meter", None]]
    assert [NOW.isoformat(), (NOW - timedelta(hours=3)).isoformat(), (NOW + timedelta(hours=2)).isoformat()] in due[
        "windows"
    ]


def test_nothing_about_the_patient_is_in_it(home: Ward, jobs: Connection) -> None:
    told(jobs)
    body = str(newest(home))
    for secret in (str(home.patient_id), "Asta", METER.device_id, "XYZ1234"):
        assert secret not in body


def test_a_home_is_told_once_by_whatever_process(home: Ward, jobs: Connection) -> None:
    memory = Memory()
    assert [told(jobs, memory), told(jobs, memory), told(jobs), told(jobs, at=NOW + timedelta(days=1))] == [1, 0, 0, 0]
    assert home.count("gateway_command") == 1


def test_two_processes_at_once_tell_a_home_once(home: Ward, jobs: Connection) -> None:
    with closing(open_connection(home.database.jobs_url, "test jobs 2")) as other:
        assert tell_homes(jobs, Memory(), NOW) == 1
        assert tell_homes(other, Memory(), NOW) == 0
        jobs.commit()
        other.commit()
        assert told(other) == 0
    assert home.count("gateway_command") == 1


def test_a_change_of_the_plan_is_told_and_takes_the_place_of_what_was_said_before(home: Ward, jobs: Connection) -> None:
    memory = Memory()
    told(jobs, memory)
    expect(home.admin, home.patient_id, kind="blood_pressure", at="08:00")
    assert (told(jobs, memory), told(jobs, memory)) == (1, 0)
    assert [due["kind"] for due in newest(home)["due"]] == ["blood_pressure", "glucose"]
    assert home.count("gateway_command") == 1


def test_a_pause_is_told_and_so_is_its_end(home: Ward, jobs: Connection) -> None:
    memory = Memory()
    told(jobs, memory)
    home.admin.execute(
        "INSERT INTO measurement_pause (patient_id, valid, reason, set_by)"
        " VALUES (%s, tstzrange(%s, NULL), 'travel', %s)",
        (home.patient_id, NOW - timedelta(hours=1), home.nurse_id),
    )
    assert told(jobs, memory) == 1
    assert max(window[0] for window in newest(home)["due"][0]["windows"]) < NOW.isoformat()
    home.admin.execute("DELETE FROM measurement_pause")
    assert told(jobs, memory) == 1


def test_a_device_that_changes_hands_is_told_to_its_home(home: Ward, jobs: Connection) -> None:
    memory = Memory()
    told(jobs, memory)
    home.admin.execute(
        "UPDATE device_assignment SET valid = tstzrange(lower(valid), %s) WHERE device_id = %s",
        (NOW - timedelta(minutes=1), METER.device_id),
    )
    devices.assign_device(home.admin, METER.device_id, new_patient(home.admin, "Bent"), NOW - timedelta(minutes=1))
    assert told(jobs, memory) == 1
    assert [due["devices"] for due in newest(home)["due"]] == [[["cuff", None]]]


def test_a_home_that_knows_little_of_what_is_to_come_is_told_anew(home: Ward, jobs: Connection) -> None:
    memory = Memory()
    told(jobs, memory)
    assert told(jobs, memory, at=NOW + DAYS_AHEAD - TOLD_ANEW_BELOW) == 1


def test_a_gateway_that_was_revoked_or_never_came_is_told_nothing(home: Ward, jobs: Connection) -> None:
    devices.enrol_gateway(home.admin, "gw-never", NOW)
    home.admin.execute("UPDATE gateway SET revoked_at = %s WHERE gateway_id = %s", (NOW, GATEWAY))
    assert told(jobs) == 0


def test_a_gateway_of_an_older_release_is_not_asked_each_minute(home: Ward, jobs: Connection) -> None:
    told(jobs)
    home.admin.execute("UPDATE gateway_command SET stage = 'refused', publish_at = NULL")
    assert told(jobs, at=NOW + timedelta(minutes=5)) == 0
    assert told(jobs, at=NOW + timedelta(days=1, minutes=5)) == 1


def test_the_job_tells_and_says_how_many(home: Ward, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    desk = Desk(JobsSettings(database_url=home.database.jobs_url), lambda: NOW)
    desk.pool.open()
    try:
        assert [tell_all(desk, Memory()), tell_all(desk, Memory())] == [1, 0]
    finally:
        desk.pool.close()
    assert [record.getMessage() for record in caplog.records] == ["1 homes were told what is due"]
