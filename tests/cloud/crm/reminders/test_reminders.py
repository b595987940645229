"""Reminders over a real database: at the right time, once, and not where something stops them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cloud.crm.reminders.judging import remind
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.fleet.test_judging import Tower
from tests.cloud.made import NOW, expect, glucose, sent
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def switch(told: Reaching, what: str, is_on: bool = True) -> None:
    told.ward.admin.execute(
        "INSERT INTO reminder_choice (patient_id, what, is_on, set_by, set_at) VALUES (%s, %s, %s, %s, %s)",
        (told.ward.patient_id, what, is_on, told.ward.nurse_id, NOW),
    )


def kinds(told: Reaching) -> list[tuple[str, str]]:
    return [(what, state) for what, state, _ in told.states()]


def test_who_is_reminded_to_measure_hears_of_it_at_the_due_time_once(told: Reaching, phone_gateway: Gateway) -> None:
    expect(told.ward.admin, told.ward.patient_id)  # 13:00 in Copenhagen is NOW
    assert remind(told.jobs, NOW) == 0, "nobody has switched it on"
    switch(told, "measure")
    assert remind(told.jobs, NOW - timedelta(minutes=1)) == 0
    assert [remind(told.jobs, NOW + timedelta(minutes=n)) for n in (0, 1, 29, 31)] == [1, 0, 0, 0]
    told.look()
    assert kinds(told) == [("measure", "sent")]
    assert len(phone_gateway.pages) == 1


def test_a_measurement_stops_a_reminder_before_it_is_made_and_before_it_leaves(told: Reaching) -> None:
    expect(told.ward.admin, told.ward.patient_id)
    switch(told, "measure")
    assert remind(told.jobs, NOW) == 1
    told.ward.receive(sent(glucose("101", NOW - timedelta(minutes=2))))
    told.look()
    assert kinds(told) == [("measure", "withdrawn")]
    told.ward.admin.execute("DELETE FROM outside_message")
    assert remind(told.jobs, NOW) == 0


@pytest.mark.parametrize("stop", ["pause", "hospital", "end", "off"])
def test_a_pause_a_hospital_the_end_and_a_word_stop_it(told: Reaching, stop: str) -> None:
    expect(told.ward.admin, told.ward.patient_id)
    switch(told, "measure")
    admin, ids = told.ward.admin, (told.ward.patient_id, NOW - timedelta(hours=1), told.ward.nurse_id)
    match stop:
        case "pause":
            admin.execute(
                "INSERT INTO measurement_pause (patient_id, valid, reason) VALUES (%s, tstzrange(%s, NULL), 'away')",
                ids[:2],
            )
        case "hospital":
            admin.execute("INSERT INTO hospital_stay (patient_id, since, entered_by) VALUES (%s, %s, %s)", ids)
        case "end":
            admin.execute(
                "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason)"
                " VALUES (%(p)s, %(at)s, %(at)s, %(at)s, %(by)s, 'moved')",
                {"p": ids[0], "at": ids[1], "by": ids[2]},
            )
        case "off":
            switch(told, "measure", is_on=False)
    assert remind(told.jobs, NOW) == 0


def test_the_patient_hears_of_a_missed_measurement_before_a_nurse_has_a_case(
    told: Reaching, phone_gateway: Gateway
) -> None:
    tower = Tower(told.ward, told.jobs)
    tower.expect()
    told.ward.receive(sent(glucose("101", NOW - timedelta(days=1))))
    told.clock.time = NOW + timedelta(hours=2)
    tower.later(told.clock())
    assert remind(told.jobs, told.clock()) == 1
    told.look()
    assert kinds(told) == [("nudge", "sent")]
    assert told.ward.rows("SELECT count(*) FROM alert_case WHERE condition = 'missing_measurement'") == [(0,)]
    told.clock.time = NOW + timedelta(hours=49)
    tower.later(told.clock())
    assert remind(told.jobs, told.clock()) == 0
    [(opened_at,)] = told.ward.rows("SELECT opened_at FROM alert_case WHERE condition = 'missing_measurement'")
    [(nudged_at,)] = told.ward.rows("SELECT created_at FROM outside_message WHERE what = 'nudge'")
    assert opened_at - nudged_at >= timedelta(hours=46)


def test_what_stops_a_nudge_stops_it_while_it_waits_for_the_morning_too(told: Reaching) -> None:
    """Missed at one at night: it waits until quiet hours are over, and what has happened by then counts."""
    tower = Tower(told.ward, told.jobs)
    tower.expect()
    told.ward.receive(sent(glucose("101", NOW - timedelta(days=1))))
    missed, morning = NOW + timedelta(hours=2), NOW + timedelta(hours=3)
    tower.later(missed)
    admin, patient_id = told.ward.admin, told.ward.patient_id
    admin.execute(
        "INSERT INTO patient_reach (patient_id, quiet_from, quiet_until, language, set_by, set_at)"
        " VALUES (%s, '14:00', '16:00', 'en', %s, %s)", (patient_id, told.ward.nurse_id, NOW))  # fmt: skip
    given = {"p": patient_id, "at": missed + timedelta(minutes=5), "by": told.ward.nurse_id}
    stops = {
        "pause": (
            "INSERT INTO measurement_pause (patient_id, valid, reason) VALUES (%(p)s, tstzrange(%(at)s, NULL), 'away')",
            "DELETE FROM measurement_pause",
        ),
        "hospital": (
            "INSERT INTO hospital_stay (patient_id, since, entered_by) VALUES (%(p)s, %(at)s, %(by)s)",
            "DELETE FROM hospital_stay",
        ),
        "withdrawn": (
            "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason)"
            " VALUES (%(p)s, %(at)s, %(at)s, %(at)s, %(by)s, 'moved')",
            "DELETE FROM participation",
        ),
        "off": (
            "INSERT INTO reminder_choice (patient_id, what, is_on, set_by, set_at)"
            " VALUES (%(p)s, 'nudge', false, %(by)s, %(at)s)",
            "DELETE FROM reminder_choice",
        ),
        "nothing": ("SELECT", "SELECT"),
        "measured": ("SELECT", "SELECT"),
    }
    for name, (stop, undo) in stops.items():
        told.clock.time = missed
        assert remind(told.jobs, missed) == 1, name
        told.look()
        assert kinds(told) == [("nudge", "waiting")], name
        admin.execute(stop, given)
        if name == "measured":
            told.ward.receive(sent(glucose("101", NOW)), at=missed + timedelta(minutes=10))
        told.clock.time = morning
        told.look()
        assert kinds(told) == [("nudge", "sent" if name == "nothing" else "withdrawn")], name
        admin.execute(undo, given)
        admin.execute("DELETE FROM outside_attempt; DELETE FROM outside_message")
    assert told.ward.rows("SELECT count(*) FROM alert_case WHERE condition = 'missing_measurement'") == [(0,)]


def test_medication_is_reminded_of_at_its_time_unless_it_was_taken(console: Console, told: Reaching) -> None:
    patient, nora = f"/patients/{console.ward.patient_id}", console.sign_in("nora")
    nora.post(f"{patient}/treatment/medication", {"drug": "Ramipril", "dose": "5 mg", "since": "2026-11-01"})
    [(medication_id,)] = console.ward.rows("SELECT medication_id FROM medication")
    url = f"{patient}/reminders"
    for _ in range(2):  # pressed twice it is one
        assert nora.post(f"{url}/doses", {"medication": str(medication_id), "at": "14:00"}).status_code == 303
    assert console.ward.count("medication_time") == 1
    assert nora.post(url, {"kind": "medication", "on": "yes"}).status_code == 303
    page = text(nora.get(url))
    assert "14:00 Ramipril, 5 mg said to be taken" in page
    assert "Quiet hours there are from 21:00 to 08:00" in page
    nora.post(f"{patient}/reach", {"quiet_from": "13:00", "quiet_until": "14:30", "language": "en"})
    assert "14:00 Ramipril, 5 mg in quiet hours" in text(nora.get(url))
    nora.post(f"{patient}/reach", {"quiet_from": "21:00", "quiet_until": "08:00", "language": "en"})
    at = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)  # 14:00 there
    assert [remind(told.jobs, at + timedelta(minutes=n)) for n in (-1, 0, 1)] == [0, 1, 0]
    asta = console.sign_in("asta")
    found = re.search(r'action="(/me/medication/[^"]+)"', asta.get("/me").text)
    assert found
    assert asta.post(found[1]).status_code == 303
    assert asta.post(found[1]).status_code == 303
    assert "✓ taken" in text(asta.get("/me"))
    told.clock.time = at + timedelta(minutes=1)
    told.look()
    assert kinds(told) == [("medication", "withdrawn")]
    assert "said to be taken on 1 of the last 7 days" in text(nora.get(url))
    assert not any("Ramipril" in row for (row,) in console.ward.rows("SELECT m::text FROM outside_message m"))
    [(time_id,)] = console.ward.rows("SELECT time_id FROM medication_time")
    assert nora.post(f"{url}/doses/{time_id}/end").status_code == 303
    assert remind(told.jobs, at + timedelta(days=1)) == 0


def test_of_all_that_is_taken_at_one_time_one_message_leaves_on_the_days_from_the_first_to_the_last(
    console: Console, told: Reaching
) -> None:
    switch(told, "medication")
    for drug, since, until in (("A", None, "2026-11-21"), ("B", "2026-11-20", "2026-11-22"), ("C", "2026-11-24", None)):
        console.ward.admin.execute(
            "WITH m AS (INSERT INTO medication (patient_id, drug, dose, since, until, entered_by, entered_at)"
            " VALUES (%(p)s, %(drug)s, '1', %(since)s, %(until)s, %(by)s, %(at)s) RETURNING medication_id, patient_id)"
            " INSERT INTO medication_time (patient_id, medication_id, at, set_by, set_at)"
            " SELECT patient_id, medication_id, '22:00', %(by)s, %(at)s FROM m",
            {
                "p": told.ward.patient_id,
                "drug": drug,
                "since": since,
                "until": until,
                "by": told.ward.nurse_id,
                "at": NOW,
            },
        )
    evening = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)  # 22:00 there
    assert [remind(told.jobs, evening + timedelta(days=n)) for n in range(4)] == [1, 1, 0, 1]
    # What is taken after midnight is the dose of the evening.
    times = "SELECT time_id FROM medication_time JOIN medication USING (medication_id) WHERE drug = 'B'"
    [(time_id,)] = console.ward.rows(times)
    for hours, day in ((3, "2026-11-21"), (13, "2026-11-22")):
        console.clock.time = evening + timedelta(hours=hours, minutes=-1)
        asta = console.sign_in("asta")
        assert f'action="/me/medication/{time_id}"' in asta.get("/me").text, day
        asta.post(f"/me/medication/{time_id}")
        assert "✓ taken" in text(asta.get("/me"))
        assert console.ward.rows("SELECT max(day)::text FROM medication_taken") == [(day,)]


@pytest.mark.parametrize(
    ("rest", "form", "said"),
    [
        ("", {"kind": "birthday", "on": "yes"}, "Choose one."),
        ("/doses", {"medication": "x", "at": "25:00"}, "This is no time."),
    ],
)
def test_what_cannot_be_taken_is_said(console: Console, rest: str, form: dict[str, str], said: str) -> None:
    answer = console.sign_in("nora").post(f"/patients/{console.ward.patient_id}/reminders{rest}", form)
    assert answer.status_code == 422
    assert said in answer.text
