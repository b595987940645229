"""A patient's devices: what they hold and what is stored, and the clock that somebody compares with a watch."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from cloud.devices.store import end_assignment
from tests.cloud.gateways.test_routes import text_of
from tests.cloud.made import CUFF, GATEWAY, METER, NOW, arrival, glucose, message, pressure, sent, session
from tests.cloud.planted_fleet import Fleet
from tests.fix_console import Console


@pytest.fixture
def fleet(console: Console) -> Fleet:
    return Fleet(console.ward.admin)


def test_a_device_holds_what_is_stored(console: Console) -> None:
    visit = msgspec.structs.replace(session(), holds=2, complete=True, ended_at=NOW, received=2)
    console.ward.receive(
        sent(glucose("100"), glucose("101", NOW - timedelta(minutes=9)), visit=visit),
        arrival(message(glucose("100"), visit=visit)),
    )
    row = _row(console, "meter")
    assert "holds 2 · stored 2" in row
    assert "21 Nov 2026, 13:00" in row
    assert "have not arrived" not in row


def test_a_gap_is_said_in_words_and_what_is_held_back_is_not_called_stored(console: Console) -> None:
    visit = msgspec.structs.replace(session(), holds=9, complete=True, ended_at=NOW, received=9)
    readings = [glucose("100", sequence_number=n, at=NOW - timedelta(minutes=99 - n)) for n in (10, 11, 15, 17, 18)]
    console.ward.receive(sent(*readings, glucose("9999", sequence_number=16), visit=visit))
    row = _row(console, "meter")
    for words in ("holds 9 · stored 5", "1 held in quarantine", "3 have not arrived: numbers 12 to 14"):
        assert words in row


def test_a_low_battery_is_said(console: Console, fleet: Fleet) -> None:
    fleet.device(GATEWAY, "cuff", device_id=CUFF.device_id, battery_low=True)
    fleet.gateway("older")
    fleet.device("older", "cuff", device_id=CUFF.device_id, battery_low=False, told_at=NOW - timedelta(days=9))
    assert "low: change it" in _row(console, "cuff")
    assert "not known" in _row(console, "meter")


def test_devices_that_were_given_back_are_not_listed(console: Console) -> None:
    [(assignment,)] = console.ward.rows("SELECT assignment_id FROM device_assignment WHERE device_id LIKE '%XYZ1234%'")
    end_assignment(console.ward.admin, assignment, NOW - timedelta(days=1))
    assert "UA-651BLE" in _page(console)
    assert "OneTouch" not in _page(console)


def test_a_clock_that_is_read_needs_nobody(console: Console) -> None:
    console.ward.receive(sent(glucose("100")))
    assert "read from the device at each visit" in _row(console, "meter")
    assert "clock-check" not in _row(console, "meter")
    assert console.sign_in("nora").post(_check_path(console, METER.device_id)).status_code == 404


def test_a_nurse_says_that_a_clock_is_right_and_from_then_on_its_readings_count(console: Console) -> None:
    blind = session(CUFF, clock=None)
    before = pressure("130", at=NOW - timedelta(hours=1, minutes=30))
    console.ward.receive(sent(before, visit=blind))
    assert "nobody has compared it" in _row(console, "cuff")
    nora = console.sign_in("nora")
    answer = nora.post(_check_path(console, CUFF.device_id))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/patients/{console.ward.patient_id}#devices")
    assert "compared with a watch 21 Nov 2026, 13:00, Nora Quist" in _row(console, "cuff")
    assert console.ward.rows(
        "SELECT account_id, subject, patient_id FROM audit WHERE action = 'device.clock_check'"
    ) == [
        (console.accounts["nora"], f"device_assignment:{_assignment(console, CUFF.device_id)}", console.ward.patient_id)
    ]
    # The cuff's wall clock shows the time of Copenhagen.
    after = pressure("140", at=NOW + timedelta(hours=1, minutes=5))
    later = NOW + timedelta(minutes=10)
    console.ward.receive(
        arrival(message(after, before, visit=msgspec.structs.replace(blind, session_id=uuid4().hex)), at=later),
        at=later,
    )
    assert [s for (s,) in console.ward.rows("SELECT systolic FROM blood_pressure")] == [140]
    assert "stored 1" in _row(console, "cuff"), "what was held before stays held, as the page says"


@pytest.mark.parametrize("login", ["ada", "eve", "sam", "asta"])
def test_nobody_but_a_nurse_of_the_patient_checks_a_clock(console: Console, login: str) -> None:
    assert console.sign_in(login).post(_check_path(console, CUFF.device_id)).status_code == 404
    assert console.ward.rows("SELECT clock_checked_at FROM device_assignment WHERE clock_checked_at IS NOT NULL") == []


def test_a_device_of_another_patient_is_not_checked(console: Console) -> None:
    path = f"/patients/{console.ward.patient_id}/devices/{uuid4()}/clock-check"
    assert console.sign_in("nora").post(path).status_code == 404


def test_a_doctor_reads_of_the_clock_and_has_no_button(console: Console) -> None:
    page = console.sign_in("ada").get(f"/patients/{console.ward.patient_id}").text
    assert "UA-651BLE" in page
    assert "clock-check" not in page


def _page(console: Console) -> str:
    answer = console.sign_in("nora").get(f"/patients/{console.ward.patient_id}")
    assert answer.status_code == 200
    return answer.text


def _row(console: Console, device: str) -> str:
    device_id = {"meter": METER, "cuff": CUFF}[device].device_id
    page = _page(console)
    assignment = _assignment(console, device_id)
    [row] = re.findall(rf'<tr data-assignment-id="{assignment}">.*?</tr>', page, re.DOTALL)
    return text_of(row) if "clock-check" not in row else text_of(row) + row


def _assignment(console: Console, device_id: str) -> UUID:
    row = console.ward.admin.execute(
        "SELECT assignment_id FROM device_assignment WHERE device_id = %s", (device_id,)
    ).fetchone()
    assert row
    assignment_id: UUID = row[0]
    return assignment_id


def _check_path(console: Console, device_id: str) -> str:
    return f"/patients/{console.ward.patient_id}/devices/{_assignment(console, device_id)}/clock-check"
