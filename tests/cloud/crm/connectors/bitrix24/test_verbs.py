"""Each verb, once, against a portal that refuses what the vendor does not describe."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.crm.port import FoundContact, Refused, Remote
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.made import call, completion, connector_to, contact, first, note, ticket, todo
from tests.fix_bitrix24 import SimulatedClock

PHONE = "+4930901820"
A_SECOND = timedelta(seconds=1)


def test_a_contact_is_made_with_our_reference_and_found_again_by_it(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    made = crm.upsert_contact(contact(), first(simulated_clock))
    again = crm.upsert_contact(contact(), first(simulated_clock))
    (there,) = bitrix24.portal.contacts.values()
    assert (there["originatorId"], there["originId"], there["name"]) == ("pulsepost", "P7F3K", "Patient P7F3K")
    assert made == Remote(remote_id=str(there["id"]))
    assert again == Remote(remote_id=str(there["id"]), found=True)


def test_a_contact_that_they_have_deleted_is_made_anew(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    made = crm.upsert_contact(contact(), first(simulated_clock))
    bitrix24.portal.contacts.clear()
    anew = crm.upsert_contact(contact(remote_id=made.remote_id), first(simulated_clock))
    assert anew.remote_id != made.remote_id
    assert len(bitrix24.portal.contacts) == 1


def test_a_telephone_number_is_added_once(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    made = crm.upsert_contact(contact(), first(simulated_clock))
    for _ in range(3):
        crm.upsert_contact(contact(remote_id=made.remote_id, phone=PHONE), first(simulated_clock))
    (there,) = bitrix24.portal.contacts.values()
    assert [each["value"] for each in _phones(there)] == [PHONE]


def _phones(there: dict[str, object]) -> list[dict[str, object]]:
    found = there["fm"]
    assert isinstance(found, list)
    return found


def test_a_todo_stands_there_with_its_deadline_in_the_name_of_its_employee(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    made = crm.add_todo(todo(owner), first(simulated_clock))
    (there,) = bitrix24.portal.todos
    assert made == Remote(remote_id=str(there["ID"]))
    assert there["SUBJECT"] == "Urgent: open the case [C1001]"
    assert there["DEADLINE"] == "2026-11-02T03:30:00+00:00"
    assert (there["OWNER_ID"], there["RESPONSIBLE_ID"]) == (owner, "7")


def test_a_todo_that_is_known_is_changed_and_one_that_they_have_closed_is_left(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    made = crm.add_todo(todo(owner), first(simulated_clock))
    again = crm.add_todo(todo(owner, remote_id=made.remote_id), first(simulated_clock))
    bitrix24.portal.employee_completes(int(made.remote_id))
    closed = crm.add_todo(todo(owner, remote_id=made.remote_id), first(simulated_clock))
    assert again == closed == Remote(remote_id=made.remote_id, found=True)
    assert len(bitrix24.portal.todos) == 1
    assert bitrix24.portal.todos[0]["COMPLETED"] == "Y"


def test_a_todo_that_they_have_deleted_is_made_anew_while_it_is_still_to_be_done(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    made = crm.add_todo(todo(owner), first(simulated_clock))
    bitrix24.portal.employee_deletes(int(made.remote_id))
    anew = crm.add_todo(todo(owner, remote_id=made.remote_id), first(simulated_clock))
    assert [each["ID"] for each in bitrix24.portal.todos] == [anew.remote_id]


def test_a_todo_is_completed_and_keeps_what_it_said(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    made = crm.add_todo(todo(owner), first(simulated_clock))
    assert crm.is_completed(made.remote_id, first(simulated_clock)) is False
    done = completion(owner, made.remote_id, simulated_clock(), "C1001")
    crm.complete_todo(done, first(simulated_clock))
    (there,) = bitrix24.portal.todos
    assert there["COMPLETED"] == "Y"
    assert there["DESCRIPTION"] == "https://console.example/open/c/C1001\nDone: reached by telephone."
    assert crm.is_completed(made.remote_id, first(simulated_clock)) is True


def test_completing_what_is_done_or_gone_is_no_error(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    made = crm.add_todo(todo(owner), first(simulated_clock))
    done = completion(owner, made.remote_id, simulated_clock(), "C1001")
    bitrix24.portal.employee_completes(int(made.remote_id))
    assert crm.complete_todo(done, first(simulated_clock)).found
    bitrix24.portal.employee_deletes(int(made.remote_id))
    assert crm.complete_todo(done, first(simulated_clock)).found
    assert crm.is_completed(made.remote_id, first(simulated_clock)) is None


def test_a_todo_whose_id_we_do_not_know_is_found_by_its_reference(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    for number in range(60):  # more than a page of them
        simulated_clock.ahead(A_SECOND)
        crm.add_todo(todo(owner, f"C{number}"), first(simulated_clock))
    crm.complete_todo(completion(owner, None, simulated_clock(), "C3"), first(simulated_clock))
    assert [each["SUBJECT"] for each in bitrix24.portal.todos if each["COMPLETED"] == "Y"] == [
        "Urgent: open the case [C3]"
    ]


def test_a_note_and_a_call_are_comments_and_a_ticket_is_a_task(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    crm.add_note(note(owner, simulated_clock()), first(simulated_clock))
    crm.log_call(call(owner, simulated_clock()), first(simulated_clock))
    made = crm.create_ticket(ticket(owner), first(simulated_clock))
    said = [str(each["COMMENT"]) for each in bitrix24.portal.comments.values()]
    assert said == [
        "Visit agreed.\nhttps://console.example/open/n/N1 [N1]",
        "Call to the patient: reached, 2026-11-02 03:00 UTC, 4 min\nhttps://console.example/open/l/L1 [L1]",
    ]
    (task,) = bitrix24.portal.tasks.values()
    assert made.remote_id == task["id"]
    assert (task["title"], task["ufCrmTask"]) == ("Defect of a device [T1]", [f"C_{owner}"])
    assert task["deadline"] == "2026-11-04T12:00:00+00:00"


def test_what_we_say_there_is_in_the_destinations_language(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = replace(connector_to(bitrix24, simulated_clock), language="ru")
    ended = replace(contact(), active=False)
    owner = crm.upsert_contact(ended, first(simulated_clock)).remote_id
    crm.log_call(call(owner, simulated_clock()), first(simulated_clock))
    (there,) = bitrix24.portal.contacts.values()
    (said,) = bitrix24.portal.comments.values()
    assert str(there["comments"]).startswith("Наблюдение окончено.")
    assert str(said["COMMENT"]).startswith("Звонок пациенту: дозвонились, 2026-11-02 03:00 UTC, 4 мин")


def test_work_goes_to_the_contact_that_carries_our_reference_where_its_id_is_no_longer_true(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    for stale in ("99999", None):
        reference = f"C{stale}"
        crm.add_todo(todo(stale, reference), first(simulated_clock))
    assert {each["OWNER_ID"] for each in bitrix24.portal.todos} == {owner}


def test_work_for_somebody_who_is_not_there_is_refused(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    with pytest.raises(Refused, match="the contact is not there"):
        crm.add_todo(todo(None), first(simulated_clock))


def test_a_number_finds_everybody_who_has_it_with_the_names_that_they_wrote(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    assert crm.find_contact_by_phone(PHONE, first(simulated_clock)) == []
    made = crm.upsert_contact(contact(phone=PHONE), first(simulated_clock))
    fm = [{"typeId": "PHONE", "valueType": "OTHER", "value": PHONE}]
    fields = {"name": "Ann", "secondName": "Bee", "lastName": "Quill", "originatorId": "1c", "originId": "7", "fm": fm}
    theirs = bitrix24.portal.call("crm.item.add", {"entityTypeId": 3, "fields": fields})["result"]
    assert isinstance(theirs, dict)
    assert crm.find_contact_by_phone(PHONE, first(simulated_clock)) == [
        FoundContact(remote_id=made.remote_id, reference="P7F3K", name="Patient P7F3K"),
        FoundContact(remote_id=str(theirs["item"]["id"]), name="Ann Bee Quill"),
    ]


def test_what_leaves_is_work_and_neither_a_name_nor_a_number_that_was_kept_back(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    crm.add_todo(todo(owner), first(simulated_clock))
    crm.add_note(note(owner, simulated_clock()), first(simulated_clock))
    crm.create_ticket(ticket(owner), first(simulated_clock))
    crm.log_call(call(owner, simulated_clock()), first(simulated_clock))
    sent = json.dumps(bitrix24.portal.asked)
    assert "PHONE" not in sent
    assert "mmol" not in sent
    assert sent.count("Patient P7F3K") == 1
