"""A canary patient: what leaves for a CRM is work, and says nothing of who it is or what was measured."""

import re
from typing import Final
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.cloud.crm.outbox.made import Telling
from tests.cloud.made import glucose, sent

NAME: Final = "Canary Quillfeather"
PHONE: Final = "+4520998877"
VALUE: Final = "41.7"


def live(telling: Telling) -> UUID:
    """A patient's whole way: taken in, measured, called, invited, gone."""
    ward, admin, now = telling.ward, telling.ward.admin, telling.clock()
    who = {"patient": ward.patient_id, "nurse": ward.nurse_id, "now": now, "name": NAME, "phone": PHONE}
    admin.execute("UPDATE patient SET display_name = %(name)s WHERE patient_id = %(patient)s", who)
    admin.execute(
        "INSERT INTO emergency_card (patient_id, address, emergency_number, phones, set_by, set_at)"
        " VALUES (%(patient)s, 'Quill Street 7', '112', ARRAY[%(phone)s], %(nurse)s, %(now)s)", who)  # fmt: skip
    admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at)"
        " SELECT %(patient)s, at, at FROM (SELECT %(now)s::timestamptz - interval '1 day' AS at) d", who)  # fmt: skip
    ward.receive(sent(glucose(VALUE)))
    [(case_id,)] = ward.rows("SELECT case_id FROM alert_case")
    admin.execute(
        "INSERT INTO call (patient_id, case_id, account_id, number, started_at, ended_at, outcome, note)"
        " VALUES (%(patient)s, %(case)s, %(nurse)s, %(phone)s, %(now)s, %(now)s, 'reached', 'Quillfeather: 41.7')",
        {**who, "case": case_id},
    )
    admin.execute(
        "INSERT INTO visit (patient_id, way, by_day, why, asked_by, asked_at)"
        " VALUES (%(patient)s, 'clinic', '2026-12-01', '41.7 is little', %(nurse)s, %(now)s)", who)  # fmt: skip
    telling.happens(case_id, "escalate", "escalated")
    telling.happens(case_id, "acknowledge", "acknowledged")
    telling.happens(case_id, "resolve", "resolved")
    admin.execute(
        "UPDATE visit SET outcome = 'took_place', ended_by = %(nurse)s, ended_at = %(now)s", who)  # fmt: skip
    admin.execute(
        "UPDATE participation SET ended_at = %(now)s, ended_by = %(nurse)s, end_reason = 'died',"
        " end_note = 'Quillfeather'", who)  # fmt: skip
    return ward.patient_id


def test_no_value_no_name_and_no_number_leaves(telling: Telling, caplog: pytest.LogCaptureFixture) -> None:
    patient_id = live(telling)
    telling.turn()
    assert {state for _, state in telling.states()} == {"done"}
    assert [of_type for of_type, _ in telling.states()] == [
        "patient.enrolled", "case.opened", "call.recorded", "visit.invited", "case.escalated", "case.taken",
        "case.resolved", "visit.ended", "patient.withdrawn",
    ]  # fmt: skip
    [(case_id, condition)] = telling.ward.rows("SELECT case_id, condition FROM alert_case")
    secret = re.compile(
        rf"Quill|Canary|{re.escape(PHONE)}|20998877|{re.escape(VALUE)}|died|{condition}|glyc|{patient_id}|{case_id}".encode(),
        re.IGNORECASE,
    )
    for request in telling.crm.requests:
        everything = request.body + repr(sorted(request.headers.items())).encode()
        assert not secret.search(everything), everything
    assert not secret.search(caplog.text.encode())
    kept = telling.ward.rows("SELECT to_jsonb(o) - 'patient_id' - 'thing_id' FROM crm_outbox o")
    assert not secret.search(repr(kept).encode())


def test_what_a_destination_asks_for_is_told_to_that_one_alone(telling: Telling) -> None:
    settings = {**telling.destination.settings, "values": "yes", "names": "yes", "phones": "yes", "language": "ru"}
    telling.ward.admin.execute("UPDATE crm_destination SET settings = %s", (Jsonb(settings),))
    live(telling)
    telling.turn()
    [contact, *_] = [one.data for one in telling.crm.taken if one.data["verb"] == "upsert_contact"]
    assert (contact["name"], contact["phone"]) == (NAME, PHONE)
    [todo, *_] = [one.data for one in telling.crm.taken if one.type.endswith("case.opened.v1")]
    assert VALUE in todo["text"]
    [call] = [one.data for one in telling.crm.taken if one.data["verb"] == "log_call"]
    assert (call["phone"], call["outcome"], call["direction"]) == (PHONE, "reached", "out")


def test_two_destinations_know_the_same_patient_by_different_references(telling: Telling) -> None:
    telling.ward.admin.execute("INSERT INTO crm_destination (name, kind, added_at) VALUES ('Other', 'printing', now())")
    telling.case()
    rows = telling.ward.rows("SELECT subject, reference, patient_id, thing_id FROM crm_outbox")
    assert len(rows) == 2
    assert len({value for row in rows for value in row}) == 6


def test_of_training_patients_nothing_leaves(telling: Telling) -> None:
    [(patient_id,)] = telling.ward.admin.execute(
        "INSERT INTO patient (display_name, birth_date, time_zone, training)"
        " VALUES ('TRAINING Canary', '1950-01-01', 'UTC', true) RETURNING patient_id"
    ).fetchall()
    telling.case(patient_id)
    assert telling.states() == []


def test_without_a_destination_nothing_is_written(telling: Telling) -> None:
    telling.ward.admin.execute("UPDATE crm_destination SET active = false")
    live(telling)
    assert telling.states() == []
