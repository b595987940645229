"""To an outside CRM a complaint is a ticket, once, with nothing of the patient unless the tenant says so."""

from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from cloud.crm.outbox import store
from tests.cloud.crm.outbox.made import Telling
from tests.cloud.crm.surveys.made import answered
from tests.cloud.made import NOW

CANARY = "Nobody called me about 263 mg/dL."


def complain(telling: Telling) -> str:
    """A complaint that names harm; its id."""
    [(complaint_id,)] = telling.ward.admin.execute(
        "SELECT keep_complaint(%s, 'complaint', 'page', %s, true, true, NULL, NULL, ARRAY[%s, %s]::timestamptz[], %s)",
        (telling.ward.patient_id, CANARY, NOW + timedelta(days=1), NOW + timedelta(days=10), NOW),
    )
    return str(complaint_id)


def test_a_complaint_is_a_ticket_and_what_becomes_of_it_a_note(telling: Telling) -> None:
    complaint_id = complain(telling)
    assert telling.turn() == 1
    telling.ward.admin.execute(
        "UPDATE complaint SET state = 'answered', outcome = 'justified', words = 'We are sorry.', answered_by = %s,"
        " answered_at = %s, changed_at = %s",
        (telling.ward.nurse_id, NOW, NOW),
    )
    telling.ward.admin.execute(
        "UPDATE complaint SET state = 'closed', closed_by = %s, closed_at = %s", (telling.ward.nurse_id, NOW)
    )
    telling.turn()
    assert [one.data["verb"] for one in telling.crm.taken] == [
        "upsert_contact", "create_ticket", "add_note", "add_note"
    ]  # fmt: skip
    [ticket] = [one for one in telling.crm.taken if one.data["verb"] == "create_ticket"]
    assert ticket.type == "org.pulsepost.complaint.received.v1"
    assert ticket.data["urgency"] == "urgent"
    assert ticket.data["deadline"].startswith("2026-12-01T12:00")
    assert ticket.data["title"].startswith("Pulsepost: complaint of a patient [")
    said = str([one.data for one in telling.crm.taken])
    assert "263" not in said
    assert "Asta" not in said
    assert complaint_id not in said
    assert "The complaint is closed in Pulsepost." in said
    assert telling.ward.rows("SELECT kind FROM crm_remote ORDER BY kind") == [
        ("contact",), ("note",), ("note",), ("ticket",)
    ]  # fmt: skip


def test_a_complaint_that_takes_longer_than_a_month_is_answered_there_too(telling: Telling) -> None:
    complaint_id = complain(telling)
    telling.turn()
    with telling.connect() as connection:
        assert store.forget(connection, NOW + timedelta(days=1), 10) == 1
    telling.ward.admin.execute(
        "UPDATE complaint SET state = 'answered', outcome = 'justified', words = 'We are sorry.', answered_by = %s,"
        " answered_at = %s, changed_at = %s",
        (telling.ward.nurse_id, NOW, NOW),
    )
    telling.turn()
    assert telling.states() == [("complaint.answered", "done")]
    with telling.connect() as connection:
        store.forget(connection, NOW + timedelta(days=1), 10)
    found = telling.ward.admin.execute(store._PLACE, {"reference": telling.reference(UUID(complaint_id))}).fetchone()
    assert found == ("complaint", UUID(complaint_id), telling.ward.patient_id)


def test_one_ticket_is_made_although_a_process_died_after_it_was(telling: Telling) -> None:
    complain(telling)
    telling.turn()
    telling.ward.admin.execute("UPDATE crm_outbox SET state = 'waiting', ended_at = NULL, unclear_since = next_at")
    telling.turn()
    assert [one.data["verb"] for one in telling.crm.taken].count("create_ticket") == 1


def test_what_was_said_and_what_was_answered_leaves_only_where_a_tenant_wants_it(telling: Telling) -> None:
    answered(telling.ward, {"overall": "very", "understood": "yes"})
    assert telling.states() == []
    telling.ward.admin.execute("UPDATE crm_destination SET settings = settings || %s",
                               (Jsonb({"values": "yes", "surveys": "yes"}),))  # fmt: skip
    complain(telling)
    answered(telling.ward, {"overall": "not", "understood": "no"}, NOW + timedelta(minutes=1))
    telling.clock.forward(minutes=5)
    telling.turn()
    said = {one.data["verb"]: one.data for one in telling.crm.taken}
    assert said["create_ticket"]["text"] == CANARY
    assert "overall not, understood no" in said["add_note"]["text"]
