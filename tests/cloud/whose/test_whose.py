"""Whose is it?: quarantined readings by device, said to be somebody's by whoever may know, then taken up."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from cloud.db.connect import open_connection
from cloud.devices import store as devices
from cloud.ingest.releases import Releases
from gateway.wire import v1
from tests.cloud.made import (
    CUFF,
    METER,
    NOW,
    arrival,
    glucose,
    message,
    new_patient,
    pressure,
    sent,
    session,
    wait_for_a_lock,
)
from tests.fix_console import Console, Person


@pytest.fixture
def waiting(console: Console) -> Console:
    """Nobody has the meter; two readings of it came through the gateway of Asta's cuff."""
    ward = console.ward
    ward.admin.execute("DELETE FROM device_assignment WHERE device_id = %s", (METER.device_id,))
    ward.admin.execute("UPDATE device SET complete_gateway_id = 'gw-home' WHERE device_id = %s", (CUFF.device_id,))
    ward.receive(sent(glucose("101"), glucose("205", at=NOW - timedelta(hours=30))))
    return console


def items(console: Console) -> list[str]:
    """The newest measured first."""
    rows = console.ward.rows("SELECT quarantine_id FROM quarantine ORDER BY effective_time DESC NULLS LAST")
    return [str(i) for (i,) in rows]


def say(person: Person, chosen: list[str], **typed: str) -> int:
    form: Mapping[str, object] = {
        "csrf_token": person.csrf_token(), "item": chosen, "reason": "she told me", "device": METER.device_id, **typed
    }  # fmt: skip
    return person.client.post("/whose/answer", data=form).status_code


def settle(console: Console) -> None:
    Releases(console.clock).settle(console.ward.ingest)


def test_a_nurse_sees_device_gateway_and_who_lives_there_and_support_no_name(waiting: Console) -> None:
    nora = waiting.sign_in("nora").get("/whose").text
    for text in (
        "LifeScan OneTouch Ultra 2",
        "XYZ1234",
        "gw-home",
        "101 mg/dL",
        "Device without a patient",
        "Asta Example",
    ):
        assert text in nora, text
    sam = waiting.sign_in("sam").get("/whose").text
    assert "LifeScan OneTouch Ultra 2" in sam
    assert "Asta Example" not in sam
    assert "/whose/answer" not in sam
    assert say(waiting.sign_in("sam"), items(waiting), answer="nobodys") == 404


def test_it_is_this_patients_assigns_and_lets_it_through_once(waiting: Console) -> None:
    ward, nora = waiting.ward, waiting.sign_in("nora")
    newest, oldest = items(waiting)
    assert say(nora, [newest], answer="patient", patient=str(ward.patient_id), and_after="yes") == 303
    assert "Said; it is being taken up." in nora.get("/whose").text
    # Said twice by two people at once: the second is told.
    assert say(nora, [newest], answer="patient", patient=str(ward.patient_id)) == 422
    settle(waiting)

    assert ward.rows("SELECT value::int, patient_id FROM glucose") == [(101, ward.patient_id)]
    at = NOW - timedelta(minutes=2)
    assert _assigned(waiting) == [(ward.patient_id, at, None)]
    assert [(o.fate, o.reason) for r in ward.receive(sent(glucose("101"))) for o in r.receipts.receipts] == [
        (v1.Fate.ALREADY_KNOWN, None)
    ]
    # The one of the day before: more than a day away, so it gets an assignment of its own.
    assert say(nora, [oldest], answer="patient", patient=str(ward.patient_id)) == 303
    settle(waiting)
    assert _assigned(waiting) == [
        (ward.patient_id, NOW - timedelta(hours=30), NOW - timedelta(hours=30) + timedelta(seconds=1)),
        (ward.patient_id, at, None),
    ]
    # 205 mg/dL of yesterday is history: nobody is called.
    assert ward.rows("SELECT count(*) FROM alert_case WHERE tier <> 'retrospective'") == [(0,)]
    assert [
        a for (a,) in ward.rows("SELECT action FROM audit WHERE action ~ 'quarantine|assignment' ORDER BY audit_id")
    ] == [
        "device.assignment_made",
        "quarantine.release",
        "device.assignment_made",
        "quarantine.release",
    ]
    assert "No reading waits for its patient." in nora.get("/whose").text


def test_of_two_who_answer_at_the_same_moment_the_second_is_told(waiting: Console) -> None:
    ward, nora = waiting.ward, waiting.sign_in("nora")
    [newest, _] = items(waiting)
    with ThreadPoolExecutor() as threads, open_connection(ward.database.admin_url, "test other nurse") as other:
        other.execute("SELECT FROM quarantine WHERE quarantine_id = %s FOR UPDATE", (newest,))
        other.execute(
            "INSERT INTO reading_release (reading_id, origin, patient_id, why, said_by, said_at)"
            " SELECT reading_id, 'quarantine', %s, 'he told me', %s, %s FROM quarantine WHERE quarantine_id = %s",
            (ward.patient_id, ward.nurse_id, NOW, newest),
        )
        second = threads.submit(say, nora, [newest], answer="patient", patient=str(ward.patient_id))
        wait_for_a_lock(ward)
        other.commit()
        assert second.result() == 422
    assert (ward.count("reading_release"), _assigned(waiting)) == (1, [])


def test_an_assignment_is_widened_and_what_somebody_else_had_is_not_taken_away(waiting: Console) -> None:
    ward = waiting.ward
    other, then = new_patient(ward.admin, "Bo Example"), NOW - timedelta(hours=20)
    assignment_id = devices.assign_device(ward.admin, METER.device_id, other, then, until=then + timedelta(hours=1))
    assert say(waiting.sign_in("nora"), items(waiting), answer="patient", patient=str(ward.patient_id)) == 422
    assert _assigned(waiting) == [(other, then, then + timedelta(hours=1))]
    assert ward.count("reading_release") == 0

    ward.admin.execute("DELETE FROM device_assignment WHERE assignment_id = %s", (assignment_id,))
    devices.assign_device(ward.admin, METER.device_id, ward.patient_id, NOW - timedelta(minutes=1))
    [newest, _] = items(waiting)
    assert say(waiting.sign_in("nora"), [newest], answer="patient", patient=str(ward.patient_id)) == 303
    assert _assigned(waiting) == [(ward.patient_id, NOW - timedelta(minutes=2), None)]


@pytest.mark.parametrize("theirs", [1, 2])
def test_where_somebody_else_had_one_memory_the_other_is_not_assigned_either(waiting: Console, theirs: int) -> None:
    ward = waiting.ward
    ward.admin.execute("UPDATE device_assignment SET valid = tstzrange(lower(valid), %s)", (NOW - timedelta(days=99),))
    ward.admin.execute("DELETE FROM quarantine")
    ward.receive(sent(pressure(user_index=1), pressure(user_index=2, at=NOW - timedelta(minutes=9))))
    other = new_patient(ward.admin, "Bo Example")
    devices.assign_device(ward.admin, CUFF.device_id, other, NOW - timedelta(days=1), user_index=theirs)

    assert say(waiting.sign_in("nora"), items(waiting), answer="patient", patient=str(ward.patient_id)) == 422
    assert ward.rows("SELECT patient_id, user_index FROM device_assignment WHERE upper_inf(valid)") == [(other, theirs)]
    assert ward.count("device_assignment") == 2
    assert (ward.count("reading_release"), ward.rows("SELECT FROM audit WHERE action ~ 'assignment'")) == (0, [])


def test_nobodys_of_ours_is_kept_with_who_said_so_and_why(waiting: Console) -> None:
    carl, ward = waiting.sign_in("carl"), waiting.ward
    ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (ward.patient_id, carl.account_id)
    )
    ward.receive(sent(glucose("99", at=NOW - timedelta(hours=40))))
    assert say(carl, items(waiting), answer="test", reason="") == 422
    for item, said in zip(items(waiting), ("nobodys", "test", "control_solution"), strict=True):
        assert say(carl, [item], answer=said) == 303
    assert ward.rows("SELECT resolution, resolved_by, resolution_why, resolved_at FROM quarantine ORDER BY 1") == [
        (said, carl.account_id, "she told me", NOW) for said in ("control_solution", "nobodys", "test")
    ]
    settle(waiting)
    assert ward.count("glucose_observation") == 0
    assert ward.fates(sent(glucose("101"))) == [(v1.Fate.QUARANTINED, "unassigned_device")]
    assert "No reading waits for its patient." in carl.get("/whose").text


def test_another_teams_home_is_not_there(waiting: Console) -> None:
    eve = waiting.sign_in("eve")
    assert "No reading waits for its patient." in eve.get("/whose").text
    assert say(eve, items(waiting), answer="nobodys") == 422
    assert waiting.ward.rows("SELECT count(*) FROM quarantine WHERE resolved_at IS NULL") == [(2,)]
    # Of nobody whom we know, anybody may know something.
    waiting.ward.admin.execute("DELETE FROM device_assignment")
    assert "LifeScan" in eve.get("/whose").text
    assert say(eve, items(waiting), answer="patient", patient=str(waiting.ward.patient_id)) == 422


def test_when_it_was_measured_may_be_said_only_within_the_evidence(console: Console) -> None:
    """The device's clock could not be read; our last visit, two days ago, took everything."""
    ward, nora = console.ward, console.sign_in("nora")
    ward.receive(
        arrival(
            message(pressure("131", "84", at=datetime(2012, 1, 1, tzinfo=NOW.tzinfo)), visit=session(CUFF, clock=None))
        )
    )
    [item] = items(console)
    typed = {"answer": "patient", "patient": str(ward.patient_id), "device": CUFF.device_id}
    when = f"time-{item}"
    assert "nobody can say when" in nora.get("/whose").text
    assert say(nora, [item], **typed, **{when: "2026-11-21T08:00"}) == 422

    ward.admin.execute("UPDATE quarantine SET measured_after = %s", (NOW - timedelta(days=2),))
    # It is 13:00 in Copenhagen, and 12:00 UTC.
    for text in ("2026-11-21T13:01", "2026-11-19T12:59", "2026-11-21T08:00Z", "yesterday", ""):
        assert say(nora, [item], **typed, **{when: text}) == 422, text
    assert say(nora, [item], **typed, **{when: "2026-11-21T08:00"}) == 303
    settle(console)

    assert ward.rows("SELECT effective_time, time_quality, reported_time FROM blood_pressure") == [
        (datetime(2026, 11, 21, 7, tzinfo=NOW.tzinfo), "stated", "2012-01-01T00:00:00")
    ]
    assert "time said by a person" in nora.get(f"/patients/{ward.patient_id}").text


def _assigned(console: Console) -> list[tuple[UUID, datetime, datetime | None]]:
    return [
        (patient_id, since, until)
        for patient_id, since, until in console.ward.admin.execute(
            "SELECT patient_id, lower(valid), upper(valid) FROM device_assignment WHERE device_id = %s ORDER BY 2",
            (METER.device_id,),
        )
    ]
