"""Homes are told once, and again when something changed; by the jobs' own role."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from cloud.config import JobsSettings
from cloud.db.connect import Connection, open_connection
from cloud.devices import store as devices
from cloud.homes import service, store
from cloud.homes.models import DAYS_AHEAD, TOLD_ANEW_BELOW
from cloud.homes.service import Memory, Transaction, tell_homes
from cloud.jobs.desk import Desk
from cloud.jobs.telling_homes import tell_all
from device_drivers.identity import DeviceIdentity
from tests.cloud.made import (
    CUFF,
    GATEWAY,
    METER,
    NOW,
    Ward,
    arrival,
    expect,
    glucose,
    message,
    new_patient,
    pressure,
    sent,
)


@pytest.fixture
def jobs(ward: Ward) -> Iterator[Transaction]:
    with transactions(ward) as transaction:
        yield transaction


@contextmanager
def transactions(ward: Ward) -> Iterator[Transaction]:
    """A process of the jobs' own role."""
    with closing(open_connection(ward.database.jobs_url, "test jobs", autocommit=True)) as connection:

        @contextmanager
        def transaction() -> Iterator[Connection]:
            with connection.transaction():
                yield connection

        yield transaction


@pytest.fixture
def home(ward: Ward) -> Ward:
    """The ward's gateway has said which devices it has and brought a reading of each; glucose is measured daily."""
    ward.receive(sent(glucose()), sent(pressure()))
    for name, device in (("meter", METER), ("cuff", CUFF)):
        says(ward, GATEWAY, name, device)
    expect(ward.admin, ward.patient_id)
    return ward


def says(ward: Ward, gateway_id: str, name: str, device: DeviceIdentity = METER) -> None:
    """A status of this gateway lists the device under this name."""
    ward.admin.execute("UPDATE gateway SET last_seen_at = %s WHERE gateway_id = %s", (NOW, gateway_id))
    ward.admin.execute(
        "INSERT INTO gateway_device (gateway_id, name, profile, device_id, told_at) VALUES (%s, %s, '-', %s, %s)",
        (gateway_id, name, device.device_id, NOW),
    )


def told(jobs: Transaction, memory: Memory | None = None, at: datetime = NOW) -> int:
    return tell_homes(jobs, memory or Memory(), at)


def newest(ward: Ward, gateway_id: str = GATEWAY) -> dict[str, Any]:
    """What the home was told last."""
    [(body,)] = ward.admin.execute(
        "SELECT body FROM gateway_command WHERE kind = 'home' AND gateway_id = %s ORDER BY created_at DESC LIMIT 1",
        (gateway_id,),
    ).fetchall()
    found: dict[str, Any] = body
    return found


def test_a_home_is_told_what_its_devices_are_to_measure(home: Ward, jobs: Transaction) -> None:
    assert told(jobs) == 1
    [due] = newest(home)["due"]
    assert (due["kind"], due["zone"]) == ("glucose", "Europe/Copenhagen")
    assert sorted(due["devices"]) == [["cuff", None], ["meter", None]]
    assert [NOW.isoformat(), (NOW - timedelta(hours=3)).isoformat(), (NOW + timedelta(hours=2)).isoformat()] in due[
        "windows"
    ]


def test_nothing_about_the_patient_is_in_it(home: Ward, jobs: Transaction) -> None:
    told(jobs)
    body = str(newest(home))
    for secret in (str(home.patient_id), "Asta", METER.device_id, "XYZ1234"):
        assert secret not in body


def test_a_home_is_told_once_by_whatever_process(home: Ward, jobs: Transaction) -> None:
    memory = Memory()
    assert [told(jobs, memory), told(jobs, memory), told(jobs), told(jobs, at=NOW + timedelta(days=1))] == [1, 0, 0, 0]
    assert home.count("gateway_command") == 1


def test_while_one_process_tells_homes_another_tells_none(home: Ward, jobs: Transaction) -> None:
    with transactions(home) as other:
        with jobs() as connection:
            assert store.is_mine(connection)
            assert told(other) == 0
        assert told(other) == 1


def test_a_home_that_was_told_something_meanwhile_is_not_told_what_was_worked_out_before(
    home: Ward, jobs: Transaction
) -> None:
    turns = 0

    @contextmanager
    def overtaken() -> Iterator[Connection]:
        nonlocal turns
        turns += 1
        if turns == 2:
            with transactions(home) as faster:
                assert told(faster) == 1
        with jobs() as connection:
            yield connection

    assert told(overtaken) == 0
    assert home.count("gateway_command") == 1


def test_of_many_homes_some_are_told_now_and_the_others_in_the_next_turns(
    home: Ward, jobs: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_AT_ONCE", 2)
    for number in range(4):
        devices.enrol_gateway(home.admin, f"gw-{number}", NOW)
    home.admin.execute("UPDATE gateway SET last_seen_at = %s", (NOW,))
    memory = Memory()
    assert [told(jobs, memory) for _ in range(4)] == [2, 2, 1, 0]


def test_a_change_of_the_plan_is_told_and_takes_the_place_of_what_was_said_before(
    home: Ward, jobs: Transaction
) -> None:
    memory = Memory()
    told(jobs, memory)
    expect(home.admin, home.patient_id, kind="blood_pressure", at="08:00")
    assert (told(jobs, memory), told(jobs, memory)) == (1, 0)
    assert [due["kind"] for due in newest(home)["due"]] == ["blood_pressure", "glucose"]
    assert home.count("gateway_command") == 1


def test_a_pause_is_told_and_so_is_its_end(home: Ward, jobs: Transaction) -> None:
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


def test_a_device_that_changes_hands_is_told_to_its_home(home: Ward, jobs: Transaction) -> None:
    memory = Memory()
    told(jobs, memory)
    home.admin.execute(
        "UPDATE device_assignment SET valid = tstzrange(lower(valid), %s) WHERE device_id = %s",
        (NOW - timedelta(minutes=1), METER.device_id),
    )
    devices.assign_device(home.admin, METER.device_id, new_patient(home.admin, "Bent"), NOW - timedelta(minutes=1))
    assert told(jobs, memory) == 1
    assert [due["devices"] for due in newest(home)["due"]] == [[["cuff", None]]]


@pytest.fixture
def elsewhere(home: Ward) -> str:
    """Another gateway, whose status lists the patient's meter."""
    devices.enrol_gateway(home.admin, "gw-elsewhere", NOW)
    says(home, "gw-elsewhere", "mine")
    return "gw-elsewhere"


def test_a_gateway_that_merely_says_so_hears_nothing_of_somebody_elses_day(
    home: Ward, jobs: Transaction, elsewhere: str
) -> None:
    assert told(jobs) == 2
    assert newest(home, elsewhere)["due"] == []
    assert newest(home)["due"] != []


def test_a_gateway_that_brought_a_reading_is_told_by_its_own_name_of_the_device(
    home: Ward, jobs: Transaction, elsewhere: str
) -> None:
    home.receive(arrival(message(glucose("98", NOW - timedelta(minutes=1))), gateway_id=elsewhere))
    told(jobs)
    assert [due["devices"] for due in newest(home, elsewhere)["due"]] == [[["mine", None]]]


def test_a_gateway_that_read_an_empty_memory_to_its_end_is_told(home: Ward, jobs: Transaction, elsewhere: str) -> None:
    home.admin.execute(
        "UPDATE device SET complete_gateway_id = %s, complete_at = %s, complete_told_at = %s WHERE device_id = %s",
        (elsewhere, NOW - timedelta(minutes=1), NOW, METER.device_id),
    )
    told(jobs)
    assert [due["devices"] for due in newest(home, elsewhere)["due"]] == [[["mine", None]]]


@pytest.mark.parametrize(
    ("settled", "name", "knows"), [("taken", "mine", 1), ("another", "mine", 0), ("taken", "x", 0)]
)
def test_a_gateway_at_which_we_paired_it_is_told_before_anything_was_measured(
    home: Ward, jobs: Transaction, elsewhere: str, settled: str, name: str, knows: int
) -> None:
    home.admin.execute(
        "WITH made AS (INSERT INTO gateway_command (gateway_id, kind, created_at, expires_at)"
        " VALUES (%(gateway)s, 'pair', %(now)s, %(now)s::timestamptz + interval '1 minute') RETURNING command_id)"
        " INSERT INTO pairing (command_id, patient_id, profile, name, begun_at, begun_by, settled_at, settled)"
        " SELECT command_id, %(patient)s, 'p', %(name)s, %(now)s, %(nurse)s, %(now)s, %(settled)s FROM made",
        {
            "gateway": elsewhere,
            "now": NOW,
            "patient": home.patient_id,
            "name": name,
            "nurse": home.nurse_id,
            "settled": settled,
        },
    )
    told(jobs)
    assert len(newest(home, elsewhere)["due"]) == knows


def test_the_home_that_a_device_came_back_from_hears_nothing_of_whoever_has_it_next(
    home: Ward, jobs: Transaction
) -> None:
    """It still lists it, and may still bring what was measured there."""
    home.admin.execute(
        "UPDATE device SET complete_gateway_id = %s, complete_at = %s, complete_told_at = %s WHERE device_id = %s",
        (GATEWAY, NOW - timedelta(minutes=5), NOW - timedelta(minutes=5), METER.device_id),
    )
    home.admin.execute(
        "UPDATE device_assignment SET valid = tstzrange(lower(valid), %s) WHERE device_id = %s",
        (NOW - timedelta(minutes=1), METER.device_id),
    )
    bent = new_patient(home.admin, "Bent")
    devices.assign_device(home.admin, METER.device_id, bent, NOW - timedelta(minutes=1))
    expect(home.admin, bent)
    home.admin.execute(
        "UPDATE ledger SET received_at = %s, read_at = %s WHERE device_id = %s",
        (NOW, NOW - timedelta(minutes=3), METER.device_id),
    )
    told(jobs)
    assert [due["devices"] for due in newest(home)["due"]] == [[["cuff", None]]]
    home.receive(sent(glucose("99", NOW - timedelta(seconds=10))))
    assert told(jobs) == 1
    assert [["meter", None]] in [due["devices"] for due in newest(home)["due"]]


def test_a_home_that_knows_little_of_what_is_to_come_is_told_anew(home: Ward, jobs: Transaction) -> None:
    memory = Memory()
    told(jobs, memory)
    assert told(jobs, memory, at=NOW + DAYS_AHEAD - TOLD_ANEW_BELOW) == 1


def test_a_gateway_that_was_revoked_or_never_came_is_told_nothing(home: Ward, jobs: Transaction) -> None:
    devices.enrol_gateway(home.admin, "gw-never", NOW)
    home.admin.execute("UPDATE gateway SET revoked_at = %s WHERE gateway_id = %s", (NOW, GATEWAY))
    assert told(jobs) == 0


def test_a_gateway_of_an_older_release_is_not_asked_each_minute(home: Ward, jobs: Transaction) -> None:
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
