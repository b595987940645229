"""What an outside CRM hears of an appointment: booked, moved, over; and nothing of what is only offered."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.cloud.crm.outbox.made import Telling
from tests.cloud.made import NOW

TOMORROW = NOW + timedelta(days=1)


def book(telling: Telling, state: str = "booked", patient_id: UUID | None = None) -> UUID:
    """With the nurse of the ward, tomorrow; by a wish that is on the waiting list."""
    row = telling.ward.admin.execute(
        "WITH wish AS (INSERT INTO appointment_wish (patient_id, way, first_day, last_day, asked_by, asked_at)"
        " VALUES (%(patient)s, 'video', '2026-11-21', '2026-12-21', %(nurse)s, %(now)s) RETURNING wish_id)"
        " INSERT INTO appointment (patient_id, seen_by, way, place, starts_at, ends_at, state, changed_at, booked_by,"
        " booked_at, wish_id, answer_by) SELECT %(patient)s, %(nurse)s, 'video', '', %(at)s,"
        " %(at)s + interval '20 min', %(state)s, %(now)s, %(nurse)s, %(now)s, wish_id, %(at)s FROM wish"
        " RETURNING appointment_id",
        {
            "patient": patient_id or telling.ward.patient_id,
            "nurse": telling.ward.nurse_id,
            "at": TOMORROW,
            "state": state,
            "now": telling.clock(),
        },
    ).fetchone()
    assert row is not None
    appointment_id: UUID = row[0]
    return appointment_id


def becomes(telling: Telling, appointment_id: UUID, state: str) -> None:
    telling.clock.forward(minutes=1)
    telling.ward.admin.execute(
        "UPDATE appointment SET state = %s, changed_at = %s, ended_by = seen_by WHERE appointment_id = %s",
        (state, telling.clock(), appointment_id),
    )


def told(telling: Telling) -> list[tuple[str, str | None, str]]:
    """Verb, deadline, and what it says, of all but the contact."""
    return [
        (one.data["verb"], one.data.get("deadline"), one.data.get("title") or one.data.get("text") or "")
        for one in telling.crm.taken
        if one.data["verb"] != "upsert_contact"
    ]


def test_one_that_is_booked_is_a_todo_moved_the_same_todo_with_its_new_time_and_cancelled_it_is_completed(
    telling: Telling,
) -> None:
    appointment_id = book(telling)
    telling.turn()
    telling.clock.forward(minutes=5)
    telling.ward.admin.execute(
        "UPDATE appointment SET starts_at = starts_at + interval '2 h', ends_at = ends_at + interval '2 h',"
        " sequence = sequence + 1, changed_at = %s WHERE appointment_id = %s",
        (telling.clock(), appointment_id),
    )
    telling.turn()
    becomes(telling, appointment_id, "cancelled")
    telling.turn()
    mark = telling.reference(appointment_id)[:8].upper()
    first, moved = (f"{TOMORROW + timedelta(hours=h):%Y-%m-%dT%H:%M:%SZ}" for h in (0, 2))
    assert told(telling) == [
        ("add_todo", first, f"Pulsepost: appointment by video [{mark}]"),
        ("add_todo", moved, f"Pulsepost: appointment by video [{mark}]"),
        ("complete_todo", None, f"The appointment was called off. [{mark}]"),
    ]
    assert telling.states() == [
        ("appointment.booked", "done"),
        ("appointment.booked", "done"),
        ("appointment.ended", "done"),
    ]
    assert telling.crm.todos() == {telling.reference(appointment_id): "done"}
    todos = [one.data for one in telling.crm.taken if one.data["verb"] == "add_todo"]
    assert [one.get("remote_id") for one in todos] == [None, f"crm-add_todo-{mark.lower()}"]
    assert {one["urgency"] for one in todos} == {"plain"}


@pytest.mark.parametrize(
    ("state", "says"),
    [("took_place", "The appointment took place."), ("no_show", "The appointment did not take place.")],
)
def test_what_became_of_it_ends_the_todo(telling: Telling, state: str, says: str) -> None:
    becomes(telling, appointment_id := book(telling), state)
    telling.turn()
    [*_, (verb, _, text)] = told(telling)
    assert (verb, text.split(" [")[0]) == ("complete_todo", says)
    assert telling.crm.todos() == {telling.reference(appointment_id): "done"}


def test_what_is_offered_and_declined_is_told_to_nobody_and_taken_it_is_booked(telling: Telling) -> None:
    becomes(telling, book(telling, "offered"), "declined")
    assert telling.states() == []
    becomes(telling, book(telling, "offered", telling.patient()), "booked")
    assert telling.states() == [("appointment.booked", "waiting")]
