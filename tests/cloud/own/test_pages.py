"""A patient's own pages: what is due, what was received when, what is wrong, what was agreed; and nothing untrue."""

import re
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from cloud.language.words import words_of
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState, Sample
from tests.cloud.made import NOW, expect, glucose, ketone, pressure, sent
from tests.fix_console import Console

PAGES = ("/me", "/me/readings", "/me/measured", "/me/plan")
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def text_of(console: Console, path: str = "/me") -> str:
    """What asta reads."""
    answer = console.sign_in("asta").get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def pause(console: Console, *, days: int) -> None:
    console.ward.admin.execute(
        "INSERT INTO measurement_pause (patient_id, valid, reason) VALUES (%s, tstzrange(%s, %s), 'hospital')",
        (console.ward.patient_id, NOW - timedelta(days=1), NOW + timedelta(days=days)),
    )


def test_a_reading_is_received_when_it_was_stored_for_good_on_the_patients_clock(console: Console) -> None:
    console.ward.receive(sent(glucose("48"), glucose("123", sample=Sample.CONTROL_SOLUTION)))
    [(stored_at,)] = console.ward.rows("SELECT stored_at FROM glucose WHERE sample = 'patient'")
    there, words = stored_at.astimezone(COPENHAGEN), words_of("en")
    today = there.date() == NOW.date()  # the database's clock is its own
    received = f"at {words.time(there)}" if today else f"on {words.short_day_and_time(there)}"
    for path in ("/me", "/me/readings"):
        page = text_of(console, path)
        assert "48 mg/dL" in page
        assert "21 Nov, 12:58" in page
        assert f"received by your care team {received}" in page
        assert "It does not mean that somebody has looked at it yet." in page
        assert "123 mg/dL" not in page, "a control solution is nobody's reading"


def test_what_waits_in_quarantine_is_not_said_to_be_received(console: Console) -> None:
    console.ward.receive(sent(glucose("9999")))
    assert console.ward.count("quarantine") == 1
    page = text_of(console)
    assert "No readings yet." in page
    assert "received by your care team" not in page


def test_today_says_what_is_done_what_is_open_and_what_comes_later(console: Console) -> None:
    ward = console.ward
    for kind, at in (("glucose", "07:00"), ("blood_pressure", "12:00"), ("glucose", "13:00"), ("glucose", "21:00")):
        expect(ward.admin, ward.patient_id, kind=kind, at=at)
    ward.receive(sent(pressure("128", "81", at=NOW - timedelta(minutes=50))))
    page = text_of(console)
    for said in (
        "07:00 Glucose Not measured by 09:00",
        "12:00 Blood pressure Done at 12:10",
        "13:00 Glucose Now: until 15:00",
        "21:00 Glucose Later: from 18:00 on",
    ):
        assert said in page
    assert page.index("07:00 Glucose") < page.index("12:00 Blood pressure") < page.index("21:00 Glucose")
    ward.receive(sent(glucose("100")))
    assert "13:00 Glucose Done at 12:58" in text_of(console)


def test_nothing_is_due_in_a_pause_and_the_page_says_why(console: Console) -> None:
    assert "No times to measure have been agreed with you yet." in text_of(console)
    expect(console.ward.admin, console.ward.patient_id)
    pause(console, days=2)
    page = text_of(console)
    assert "You have a pause until 23 Nov, 13:00. Nothing is due." in page
    assert "Now: until" not in page


def test_all_done_is_said(console: Console) -> None:
    expect(console.ward.admin, console.ward.patient_id)
    console.ward.receive(sent(glucose("100")))
    assert "All done for today. Thank you." in text_of(console)


def test_what_is_wrong_says_what_to_look_at_and_whom_to_call(console: Console) -> None:
    ward = console.ward
    [(device_id,)] = ward.rows("SELECT device_id FROM device WHERE model = 'UA-651BLE'")
    ward.admin.execute(
        "INSERT INTO gateway_device (gateway_id, name, profile, device_id, told_at)"
        " VALUES ('gw-home', 'cuff', 'p', %s, %s)",
        (device_id, NOW),
    )
    ward.admin.execute("UPDATE component SET seen_at = %s", (NOW,))
    page = text_of(console)
    assert "battery" not in page
    alarm(console, "device_battery", f"device:{device_id}", device_id)
    page = text_of(console)
    assert "A&amp;D UA-651BLE : The battery of this device is nearly empty. Please change it." in page
    assert "Do you need help with it? Write to your care team." in page
    ward.admin.execute("UPDATE duty_site SET phone = '+4533112233'")
    assert "Call your care team: +45 33 11 22 33" in text_of(console)
    alarm(console, "gateway_away", "gateway:gw-home", None)
    page = text_of(console)
    assert "We hear nothing from the box in your home." in page
    assert "battery" not in page, "a box that is away explains everything behind it"


def alarm(console: Console, condition: str, subject: str, device_id: str | None) -> None:
    console.ward.admin.execute(
        "INSERT INTO technical_alarm (condition, subject, gateway_id, device_id, priority, sentence, reason, raised_at,"
        " changed_at) VALUES (%s, %s, 'gw-home', %s, 'low', 'x', '{}', %s, %s)",
        (condition, subject, device_id, NOW, NOW),
    )


def test_the_emergency_number_is_that_of_the_card(console: Console) -> None:
    assert "call your local emergency number at once" in text_of(console)
    console.ward.admin.execute(
        "INSERT INTO emergency_card (patient_id, address, emergency_number, set_by, set_at)"
        " VALUES (%s, 'Home 1', '112', %s, %s)",
        (console.ward.patient_id, console.accounts["nora"], NOW),
    )
    for path in ("/me", "/me/plan"):
        assert 'href="tel:112"' in console.sign_in("asta").get(path).text
        assert "This page and its messages are not for emergencies." in text_of(console, path)


def test_the_plan_says_in_plain_words_what_to_measure_and_when_the_care_team_is_told(console: Console) -> None:
    ward = console.ward
    expect(ward.admin, ward.patient_id, at="08:00")
    ward.receive(sent(glucose("100")))
    ward.admin.execute(
        "INSERT INTO alarm_limit (patient_id, condition, unit, value, priority, reason, set_by, set_at)"
        " VALUES (%s, 'hyperglycaemia', 'mg/dL', 190, 'low', 'frail, lives alone', %s, %s)",
        (ward.patient_id, console.accounts["ada"], NOW - timedelta(days=20)),
    )
    page = text_of(console, "/me/plan")
    assert "08:00 Glucose every day" in page
    assert "Glucose above 190 mg/dL set for you by Ada Weiss" in page
    assert "Glucose below 54 mg/dL usual limit of your programme" in page
    assert page.count("Glucose below 70 mg/dL") == 1, "each limit once"
    assert "A limit is no diagnosis." in page
    assert "Systolic" not in page, "the patient measures no pressure"
    assert "frail" not in page, "a doctor's reason is a colleague's to read"


def test_no_page_says_that_somebody_is_told_while_nobody_watches(console: Console) -> None:
    ward = console.ward
    ward.receive(sent(glucose("100")))
    ward.admin.execute("INSERT INTO participation (patient_id, begun_at) VALUES (%s, %s)", (ward.patient_id, NOW))
    assert "your care team is told" not in text_of(console, "/me/plan")
    measured = console.sign_in("asta").get("/me/measured").text
    assert "your care team is told" not in measured
    assert "those that a doctor has set for you, and otherwise those of your programme" in measured
    for path in ("/me", "/me/plan", "/me/measured"):
        assert "Nobody watches your readings yet." in text_of(console, path), path
    ward.admin.execute("UPDATE participation SET activated_at = %s", (NOW,))
    assert "your care team is told" in text_of(console, "/me/plan")
    for path in ("/me", "/me/plan", "/me/measured"):
        assert "Nobody watches" not in text_of(console, path), path


def test_all_readings_stand_in_a_table_beside_the_charts(console: Console) -> None:
    console.ward.receive(
        sent(
            glucose("5.40", unit=Unit.MMOL_L), glucose(None, NOW - timedelta(hours=1), state=QuantityState.ABOVE_RANGE)
        ),
        sent(ketone("0.7", NOW - timedelta(hours=2))),
        sent(pressure("128", "81")),
    )
    page = text_of(console, "/me/measured")
    for said in ("5.40 mmol/L", "HI", "0.7 mmol/L", "128/81 mmHg", "pulse 70"):
        assert said in page
    charts = console.sign_in("asta").get("/me/series.json").json()["charts"]
    assert [chart["kind"] for chart in charts] == ["glucose", "glucose", "ketone", "blood_pressure"]


@pytest.mark.parametrize("login", ["nora", "ada", "sam"])
def test_staff_have_no_readings_of_their_own(console: Console, login: str) -> None:
    person = console.sign_in(login)
    assert {person.get(path).status_code for path in PAGES} == {404}


def test_a_patient_sees_nothing_of_another_patient(console: Console) -> None:
    ward, other = console.ward, console.other_patient_id
    ward.receive(sent(glucose("111")))
    expect(ward.admin, ward.patient_id)
    account_of(console, other)
    for path in (*PAGES, "/me/series.json"):
        page = console.sign_in("asta").get(path).text
        assert "111" not in page
        assert "Asta" not in page.replace("Asta Example<small>", "")


def account_of(console: Console, patient_id: UUID) -> None:
    """asta is that patient from now on."""
    console.ward.admin.execute("UPDATE account SET patient_id = %s WHERE login = 'asta'", (patient_id,))


def test_opening_ones_own_pages_is_in_the_audit(console: Console) -> None:
    asta = console.sign_in("asta")
    for path in PAGES:
        asta.get(path)
    assert console.ward.rows("SELECT DISTINCT action FROM audit WHERE action LIKE 'own%' ORDER BY 1") == [
        ("own_plan.read",),
        ("own_readings.read",),
    ]
