"""Billing evidence as people come by it: readings and minutes into lines, corrections, and months that are closed."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from alerting.tiers import Tier
from cloud.zones.store import move
from device_drivers.readings import QuantityState, Sample
from tests.cloud.crm.billing.made import OCTOBER, SUPPLIED, book, looked_after, measured, on_days, supplied
from tests.cloud.made import CUFF, NOW, Ward, arrival, glucose, message, new_patient, pressure, sent, session
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

MINUTES = {
    "starts_at": "2026-11-20T10:00",
    "minutes": "12",
    "activity": "call",
    "interactive": "yes",
    "note": "insulin",
}


def url(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/billing{rest}"


def lines(person: Person, month: str = OCTOBER) -> dict[str, dict[str, str]]:
    """The exported lines of the month by code."""
    answer = person.get(f"/billing.csv?month={month}")
    assert answer.status_code == 200, answer.text
    return {row["code"]: row for row in csv.DictReader(io.StringIO(answer.text))}


def test_days_and_minutes_of_a_month_become_lines_that_open_to_what_they_rest_on(console: Console) -> None:
    looked_after(console)
    measured(console.ward, *on_days(16), *on_days(3, SUPPLIED + timedelta(hours=12)))
    book(console.ward, console.accounts["nora"], SUPPLIED + timedelta(days=5), 25)
    carl = console.sign_in("carl")
    page = text(carl.get(f"/billing?month={OCTOBER}"))
    assert "Asta Example" in page
    found = lines(carl)
    assert {code: row["state"] for code, row in found.items()} == {
        "99445": "excluded", "99454": "supported", "99470": "excluded", "99457": "supported", "99458": "lacking",
    }  # fmt: skip
    assert (found["99454"]["figure"], found["99458"]["missing"]) == ("16", "15")
    assert (found["99454"]["first_day"], found["99454"]["last_day"]) == ("2026-10-02", "2026-10-31")
    page = text(carl.get(url(console, f"?month={OCTOBER}")))
    assert "2 Oct 2026: 2 readings that count" in page
    assert "2 Oct 2026, 10:00 · Glucose · LifeScan OneTouch Ultra 2" in page
    assert "25 minutes · somebody spoke with the patient" in page
    assert "Nora Quist written by hand" in page


def test_days_stand_under_the_period_in_which_they_count(console: Console) -> None:
    looked_after(console)
    supplied(console.ward, datetime(2026, 9, 12, 6, tzinfo=UTC))
    measured(console.ward, *on_days(3), SUPPLIED + timedelta(days=13))
    answer = console.sign_in("carl").get(url(console, f"?month={OCTOBER}"))
    assert 'href="#days-2026-09-12"' in answer.text
    assert 'id="days-2026-09-12"' in answer.text
    page = text(answer)
    assert "12 Sept 2026 to 11 Oct 2026: 3 days with readings 2 Oct 2026: 1 reading that counts" in page
    # The period that begins on 12 October ends in November, and is November's.
    assert "In none of these periods 15 Oct 2026: 1 reading that counts" in page


def test_a_day_counts_once_however_many_devices_and_what_does_not_count_is_said(console: Console) -> None:
    looked_after(console)
    ward, day = console.ward, SUPPLIED + timedelta(days=2)
    control = glucose("120", day + timedelta(days=1), sample=Sample.CONTROL_SOLUTION, sequence_number=7)
    failed = pressure(None, None, at=day + timedelta(days=2), state=QuantityState.NOT_A_NUMBER)
    ward.receive(sent(glucose("100", day), control), arrival(message(pressure(at=day), failed, visit=session(CUFF))))
    # One whose time nobody can tell is in quarantine; one without a patient too.
    ward.receive(sent(glucose("101", datetime(2001, 1, 1, tzinfo=UTC))))
    found = lines(console.sign_in("carl"))
    assert found["99445"]["figure"] == "1"
    assert found["99445"]["state"] == "lacking"
    page = text(console.sign_in("nora").get(url(console, f"?month={OCTOBER}")))
    assert "4 Oct 2026: 2 readings that count" in page
    assert "5 Oct 2026: does not count" in page
    assert "Control solution" in page
    assert "6 Oct 2026: does not count" in page
    assert "Failed measurement" in page


def test_a_reading_whose_time_somebody_said_is_no_evidence_of_a_day(console: Console) -> None:
    looked_after(console)
    measured(console.ward, *on_days(2))
    console.ward.admin.execute(
        "UPDATE glucose_observation SET time_quality = 'stated' WHERE effective_time > %s",
        (SUPPLIED + timedelta(days=1),),
    )
    assert lines(console.sign_in("carl"))["99445"]["figure"] == "1"


ZONES = {
    "America/New_York": {"2026-11-01": 3},
    "Europe/Copenhagen": {"2026-11-01": 2, "2026-11-02": 1},
    "Pacific/Auckland": {"2026-11-01": 1, "2026-11-02": 2},
    "Nowhere/Atall": {"2026-11-01": 2, "2026-11-02": 1},  # by UTC, and nobody else's page is taken away
}


def test_days_are_of_the_patients_calendar_over_the_change_of_clocks(console: Console) -> None:
    looked_after(console)
    ward, nora = console.ward, console.sign_in("nora")
    # In New York it is 00:30 in summer, 23:30 of the same day, which has 25 hours, and 06:00 between them.
    measured(
        ward,
        datetime(2026, 11, 1, 4, 30, tzinfo=UTC),
        datetime(2026, 11, 2, 4, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 11, 0, tzinfo=UTC),
    )
    for zone, days in ZONES.items():
        ward.admin.execute("UPDATE patient SET time_zone = %s WHERE patient_id = %s", (zone, ward.patient_id))
        page = text(nora.get(url(console, "?month=2026-11")))
        for day, many in days.items():
            assert f"{int(day[-2:])} Nov 2026: {many} reading" in page, zone


def test_somebody_who_moved_has_days_of_where_they_were(console: Console) -> None:
    looked_after(console)
    ward = console.ward
    moved = datetime(2026, 10, 10, tzinfo=UTC)
    ward.admin.execute(
        "INSERT INTO patient_zone VALUES (%(p)s, 'Pacific/Auckland', tstzrange(NULL, %(at)s)),"
        " (%(p)s, 'America/New_York', tstzrange(%(at)s, NULL))",
        {"p": ward.patient_id, "at": moved},
    )
    # 9 October at 23:00 UTC is the 10th in Auckland, and the 11th at 01:00 UTC is the 10th in New York: one day.
    measured(ward, datetime(2026, 10, 9, 23, tzinfo=UTC), datetime(2026, 10, 11, 1, tzinfo=UTC))
    carl = console.sign_in("carl")
    assert lines(carl)["99445"]["figure"] == "1"
    page = text(carl.get(url(console, f"?month={OCTOBER}")))
    assert "10 Oct 2026: 2 readings that count 10 Oct 2026, 12:00" in page, "on the clock of where they were"
    assert "10 Oct 2026, 21:00" in page


def test_who_takes_part_again_keeps_the_evidence_of_before(console: Console) -> None:
    looked_after(console)
    ward = console.ward
    measured(ward, *on_days(3))
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason, is_newest)"
        " VALUES (%(p)s, '2026-09-01Z', '2026-09-01Z', '2026-11-05Z', %(by)s, 'own_wish', false),"
        " (%(p)s, '2026-11-10 12:00Z', NULL, NULL, NULL, NULL, true)",
        {"p": ward.patient_id, "by": console.accounts["nora"]},
    )
    carl = console.sign_in("carl")
    assert lines(carl)["99445"]["state"] == "supported"
    assert lines(carl, "2026-11")["99445"]["first_day"] == "2026-11-01", "the period that runs goes on"


def test_minutes_at_the_edge_of_a_closed_month_count_in_one_month_also_if_somebody_had_moved(console: Console) -> None:
    looked_after(console)
    ward, carl = console.ward, console.sign_in("carl")
    nora = console.accounts["nora"]
    # In Copenhagen October ends at 23:00 UTC, in New York at 04:00: what lies between them was November's.
    book(ward, nora, datetime(2026, 10, 31, 22, 30, tzinfo=UTC), 15)
    book(ward, nora, datetime(2026, 11, 1, 1, 0, tzinfo=UTC), 21)
    assert carl.post(url(console, "/close"), {"month": OCTOBER}).status_code == 303
    with psycopg.connect(ward.database.admin_url) as admin:
        move(admin, ward.patient_id, "America/New_York", datetime(2026, 10, 20, tzinfo=UTC))
    assert lines(carl)["99470"]["figure"] == "15"
    assert lines(carl, "2026-11")["99457"]["figure"] == "21"


def test_a_call_and_what_is_done_in_a_case_write_their_minutes_and_none_twice(console: Console) -> None:
    looked_after(console)
    case_id = planted_case(console.ward, Tier.SAME_SHIFT)
    nora = console.sign_in("nora")

    def act(rest: str, form: dict[str, str] | None = None, **later: float) -> None:
        console.clock.forward(**later)
        answer = nora.post(f"/cases/{case_id}/{rest}", form)
        assert answer.status_code in (200, 303), answer.text

    act("acknowledge")
    act("start", minutes=2)  # two minutes of looking at it
    act("calls", {"to": "patient"}, minutes=1)
    [(call_id,)] = console.ward.rows("SELECT call_id FROM call")
    act(f"calls/{call_id}/end", {"outcome": "reached", "note": ""}, minutes=3)  # a call of three, and the minute before
    act("resolve", {"disposition": "advice_given"}, minutes=20)  # nobody knows what was done meanwhile
    rows = console.ward.rows(
        "SELECT activity, interactive, origin, round(extract(epoch FROM sum(upper(during) - lower(during))) / 60)::int"
        " FROM care_minutes GROUP BY 1, 2, 3 ORDER BY 1"
    )
    assert rows == [("call", True, "call", 3), ("review", False, "case", 3)]
    page = text(nora.get(url(console, "?month=2026-11")))
    assert "written by the call" in page
    assert "6 minutes · somebody spoke with the patient" in page


def test_a_call_that_was_forgotten_books_nothing_and_is_named(console: Console) -> None:
    looked_after(console)
    case_id = planted_case(console.ward, Tier.ROUTINE)
    nora = console.sign_in("nora")
    nora.post(f"/cases/{case_id}/calls", {"to": "patient"})
    [(call_id,)] = console.ward.rows("SELECT call_id FROM call")
    console.clock.forward(minutes=61)
    nora = console.sign_in("nora")
    assert nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached", "note": ""}).status_code == 303
    assert console.ward.count("care_minutes") == 0
    assert "too long to be believed" in text(console.sign_in("nora").get(url(console, "?month=2026-11")))


def test_a_call_that_could_not_be_booked_is_named_and_not_called_too_long(console: Console) -> None:
    looked_after(console)
    case_id = planted_case(console.ward, Tier.ROUTINE)
    nora = console.sign_in("nora")
    nora.post(f"/cases/{case_id}/calls", {"to": "patient"})
    [(call_id,)] = console.ward.rows("SELECT call_id FROM call")
    console.clock.forward(minutes=4)
    # Somebody closes the patient's months meanwhile.
    with psycopg.connect(console.ward.database.admin_url) as closing:
        closing.execute("SELECT lock_minutes(NULL, %s)", (console.ward.patient_id,))
        done = nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached", "note": ""})
    assert done.status_code == 303
    assert console.ward.count("care_minutes") == 0
    page = text(nora.get(url(console, "?month=2026-11")))
    assert "4 min, wrote no minutes by itself. Who had it writes them by hand." in page


def test_whoever_was_not_reached_costs_no_minutes(console: Console) -> None:
    looked_after(console)
    case_id = planted_case(console.ward, Tier.ROUTINE)
    nora = console.sign_in("nora")
    for outcome in ("not_reached", "voicemail"):
        nora.post(f"/cases/{case_id}/calls", {"to": "patient"})
        [(call_id,)] = console.ward.rows("SELECT call_id FROM call WHERE ended_at IS NULL")
        console.clock.forward(minutes=6)
        done = nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": outcome, "note": ""})
        assert done.status_code == 303
    assert console.ward.count("care_minutes") == 0


def test_minutes_by_hand_are_withdrawn_with_a_reason_and_written_anew(console: Console) -> None:
    looked_after(console)
    nora = console.sign_in("nora")
    assert nora.post(url(console, "/minutes"), MINUTES).status_code == 303
    [(entry_id, starts)] = console.ward.rows("SELECT entry_id, lower(during) FROM care_minutes")
    assert starts == datetime(2026, 11, 20, 9, tzinfo=UTC), "on the patient's clock"
    assert nora.post(url(console, f"/minutes/{entry_id}/withdraw"), {"why": " "}).status_code == 422
    ben = console.sign_in("ben")
    assert ben.post(url(console, f"/minutes/{entry_id}/withdraw"), {"why": "mine"}).status_code == 404, (
        "nora's, not his"
    )
    assert nora.post(url(console, f"/minutes/{entry_id}/withdraw"), {"why": "it was ten"}).status_code == 303
    assert nora.post(url(console, "/minutes"), {**MINUTES, "minutes": "10"}).status_code == 303
    page = text(nora.get(url(console, "?month=2026-11")))
    assert "10 minutes · somebody spoke" in page
    assert "Withdrawn on 21 Nov 2026, 13:00 by Nora Quist: it was ten" in page
    assert console.ward.count("care_minutes") == 2
    actions = [a for (a,) in console.ward.rows("SELECT action FROM audit WHERE action ~ '^minutes' ORDER BY audit_id")]
    assert actions == ["minutes.write", "minutes.withdraw", "minutes.write"]


def test_nobody_is_in_two_places(console: Console) -> None:
    looked_after(console)
    nora = console.sign_in("nora")
    assert nora.post(url(console, "/minutes"), MINUTES).status_code == 303
    other = new_patient(console.ward.admin, "Other Patient")
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (other, console.accounts["nora"])
    )
    refused = nora.post(f"/patients/{other}/billing/minutes", {**MINUTES, "starts_at": "2026-11-20T10:11"})
    assert refused.status_code == 422
    assert "You have written minutes for a part of this time already" in refused.text
    next_to_it = nora.post(f"/patients/{other}/billing/minutes", {**MINUTES, "starts_at": "2026-11-20T10:12"})
    assert next_to_it.status_code == 303
    ben = console.sign_in("ben")
    assert ben.post(url(console, "/minutes"), MINUTES).status_code == 303, "two people may be at it together"
    assert "12 minutes · somebody spoke" in text(ben.get(url(console, "?month=2026-11"))), "and it counts once"


def test_the_database_itself_refuses_an_overlap(ward: Ward) -> None:
    book(ward, ward.nurse_id, NOW, 10)
    with pytest.raises(psycopg.errors.ExclusionViolation):
        book(ward, ward.nurse_id, NOW + timedelta(minutes=9), 10)


def test_minutes_that_cannot_be_taken_are_said_at_their_field(console: Console) -> None:
    answer = console.sign_in("nora").post(url(console, "/minutes"), {**MINUTES, "minutes": "0"})
    assert answer.status_code == 422
    assert "between 1 and 240" in answer.text
    assert 'value="insulin"' in answer.text, "what was typed is kept"
    assert console.ward.count("care_minutes") == 0


def test_a_closed_month_stays_as_it_was_and_nobody_writes_into_it(console: Console) -> None:
    looked_after(console)
    measured(console.ward, *on_days(3))
    nora, carl = console.sign_in("nora"), console.sign_in("carl")
    assert nora.post(url(console, "/close"), {"month": OCTOBER}).status_code == 404
    assert carl.post(url(console, "/close"), {"month": "2026-11"}).status_code == 409, "it is not over"
    assert carl.post(url(console, "/close"), {"month": OCTOBER}).status_code == 303
    late = {**MINUTES, "starts_at": "2026-10-20T10:00"}
    refused = nora.post(url(console, "/minutes"), late)
    assert (refused.status_code, "This month is closed" in refused.text) == (422, True)
    measured(console.ward, datetime(2026, 10, 20, 9, tzinfo=UTC))  # it came late
    found = lines(carl)["99445"]
    assert (found["figure"], found["rulebook"]) == ("3", "us-rpm-2026")
    page = text(carl.get(url(console, f"?month={OCTOBER}")))
    assert "by Carl Coordinator, by the rules us-rpm-2026" in page
    assert "What is known now would say something else" in page
    assert carl.post(url(console, "/close"), {"month": OCTOBER}).status_code == 409
    assert nora.post(url(console, "/minutes"), MINUTES).status_code == 303, "other months go on"


def test_work_goes_on_in_a_closed_month_and_books_nothing(console: Console) -> None:
    looked_after(console)
    console.ward.admin.execute(
        "INSERT INTO billing_month VALUES (%s, '2026-11-01', '[2026-11-01, 2026-12-01)', 'r', '{}', %s, %s)",
        (console.ward.patient_id, console.accounts["carl"], NOW),
    )
    case_id = planted_case(console.ward, Tier.ROUTINE)
    nora = console.sign_in("nora")
    assert nora.post(f"/cases/{case_id}/acknowledge").status_code == 200
    console.clock.forward(minutes=1)
    assert nora.post(f"/cases/{case_id}/start").status_code == 200
    assert console.ward.count("care_minutes") == 0


def test_all_months_are_closed_at_once_and_an_administrator_sees_counts_alone(console: Console) -> None:
    looked_after(console)
    measured(console.ward, *on_days(3))
    carl, adam = console.sign_in("carl"), console.sign_in("adam")
    answer = carl.post("/billing/close", {"month": OCTOBER})
    assert answer.headers["location"] == f"/billing?month={OCTOBER}&done=1"
    page = text(adam.get(f"/billing?month={OCTOBER}"))
    assert "Asta" not in page
    assert "99445 fewer than 5" in page
    for n in range(4):
        other = new_patient(console.ward.admin, f"Patient {n}")
        console.ward.admin.execute(
            "INSERT INTO billing_month SELECT %s, month, during, rulebook, evidence, closed_by, closed_at"
            " FROM billing_month WHERE patient_id = %s",
            (other, console.ward.patient_id),
        )
    assert "99445 5 5" in text(adam.get(f"/billing?month={OCTOBER}"))
    assert adam.get(f"/billing.csv?month={OCTOBER}").status_code == 404
    assert adam.get(url(console)).status_code == 404


def test_what_is_exported_has_no_names_and_only_ones_own_patients(console: Console) -> None:
    looked_after(console)
    measured(console.ward, *on_days(3))
    canary = "=cmd|' /C calc'!A0 Canary"
    console.ward.admin.execute(
        "UPDATE patient SET display_name = %s WHERE patient_id = %s", (canary, console.ward.patient_id)
    )
    supplied_other(console, console.other_patient_id)
    text_ = console.sign_in("carl").get(f"/billing.csv?month={OCTOBER}").text
    assert "Canary" not in text_
    assert str(console.ward.patient_id) in text_
    assert str(console.other_patient_id) not in text_


def supplied_other(console: Console, patient_id: UUID) -> None:
    console.ward.admin.execute("INSERT INTO device (device_id, manufacturer, model) VALUES ('x', 'm', 'm')")
    console.ward.admin.execute(
        "INSERT INTO device_assignment (device_id, patient_id, valid) VALUES ('x', %s, tstzrange(%s, NULL))",
        (patient_id, SUPPLIED),
    )


def test_a_training_patient_costs_nobodys_minutes_and_is_no_evidence(console: Console) -> None:
    ward = console.ward
    (patient_id,) = ward.admin.execute(
        "INSERT INTO patient (display_name, time_zone, training) VALUES ('TRAINING A', 'UTC', true)"
        " RETURNING patient_id"
    ).fetchone() or (None,)
    ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, console.accounts["nora"])
    )
    case_id = planted_case(ward, Tier.ROUTINE, patient_id=patient_id)
    nora = console.sign_in("nora")
    nora.post(f"/cases/{case_id}/acknowledge")
    console.clock.forward(minutes=1)
    nora.post(f"/cases/{case_id}/start")
    assert ward.count("care_minutes") == 0
    assert nora.get(f"/patients/{patient_id}/billing").status_code == 404


def test_for_whoever_does_not_look_after_the_patient_there_is_no_evidence(console: Console) -> None:
    supplied(console.ward)
    for login in ("eve", "asta", "sam"):
        person = console.sign_in(login)
        assert person.get(url(console)).status_code == 404
        assert person.post(url(console, "/minutes"), MINUTES).status_code == 404
    assert console.ward.count("care_minutes") == 0
