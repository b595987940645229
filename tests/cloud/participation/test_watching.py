"""Whose readings count, and from when on: asked by the ingest with the limits, and by the jobs."""

from datetime import datetime, timedelta

import pytest

from cloud.assessment.service import assess
from cloud.db.connect import open_connection
from cloud.fleet.schedules import Memory, turn
from cloud.plans.store import NOT_WATCHED, held_for
from tests.cloud.made import NOW, Ward, expect, glucose, new_patient, sent

LATER = NOW + timedelta(days=1, hours=12)


def takes_part(ward: Ward, activated_at: datetime | None = None, ended_at: datetime | None = None) -> None:
    """The ward's patient, taken in five days ago."""
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (
            ward.patient_id,
            NOW - timedelta(days=5),
            activated_at,
            ended_at,
            ward.nurse_id if ended_at else None,
            "moved" if ended_at else None,
        ),
    )


def overdue(ward: Ward) -> list[str]:
    with open_connection(ward.database.jobs_url, "test jobs") as connection:
        return [one.kind for one in turn(connection, Memory(), LATER).overdue]


def test_somebody_without_a_participation_has_always_been_watched(ward: Ward) -> None:
    held = held_for(ward.ingest, [ward.patient_id, new_patient(ward.admin)], NOW)
    assert held.watched_from == {}
    assert len(held.rules) == 2
    ward.receive(sent(glucose("45")))
    assert ward.count("alert_case") == 1


def test_nobody_watches_before_the_activation_nor_after_the_end(ward: Ward) -> None:
    takes_part(ward)
    assert held_for(ward.ingest, [ward.patient_id], NOW).watched_from == {ward.patient_id: NOT_WATCHED}
    ward.admin.execute("UPDATE participation SET activated_at = %s", (NOW,))
    assert held_for(ward.ingest, [ward.patient_id], NOW).watched_from == {ward.patient_id: NOW}
    ward.admin.execute(
        "UPDATE participation SET ended_at = %s, ended_by = %s, end_reason = 'moved'", (NOW, ward.nurse_id)
    )
    assert held_for(ward.ingest, [ward.patient_id], NOW).watched_from == {ward.patient_id: NOT_WATCHED}


def test_what_an_earlier_participation_says_counts_no_more(ward: Ward) -> None:
    takes_part(ward, NOW - timedelta(days=4), NOW - timedelta(days=3))
    ward.admin.execute("UPDATE participation SET is_newest = false")
    takes_part(ward, NOW - timedelta(days=1))
    assert held_for(ward.ingest, [ward.patient_id], NOW).watched_from == {ward.patient_id: NOW - timedelta(days=1)}


def test_rules_are_shared_by_those_who_take_part_as_by_others(ward: Ward) -> None:
    other = new_patient(ward.admin)
    takes_part(ward, NOW)
    rules = held_for(ward.ingest, [ward.patient_id, other], NOW).rules
    assert rules[ward.patient_id] is rules[other]


def test_of_a_batch_each_reading_is_asked_for_itself(ward: Ward) -> None:
    takes_part(ward, NOW - timedelta(minutes=30))
    early = [glucose(str(40 + n), NOW - timedelta(minutes=60 - n), sequence_number=n) for n in range(3)]
    ward.receive(sent(*early, glucose("45", sequence_number=9)))
    assert ward.rows("SELECT effective_time FROM alert WHERE condition = 'hypoglycaemia_level_2'") == [
        (NOW - timedelta(minutes=2),)
    ]
    assert ward.count("glucose_observation") == 4


def test_a_look_that_was_asked_for_finds_nothing_where_nobody_watches_any_longer(ward: Ward) -> None:
    ward.receive(sent(glucose("62", NOW - timedelta(minutes=9))))
    takes_part(ward, NOW - timedelta(days=4), NOW)
    with open_connection(ward.database.jobs_url, "test jobs") as connection:
        assert assess(connection, ward.patient_id, NOW + timedelta(hours=1)) == ()
    assert ward.rows("SELECT count(*) FROM assessment_due") == [(0,)]
    assert ward.rows("SELECT count(*) FROM alert_case WHERE opened_at > '2026-11-21 12:30+00'") == [(0,)]


@pytest.mark.parametrize(
    ("watched_for", "repeated"),
    [(timedelta(hours=1), []), (timedelta(days=3), [("hyperglycaemia",), ("hyperglycaemia_urgent",)])],
)
def test_nothing_from_before_the_activation_is_part_of_what_repeats(
    ward: Ward, watched_for: timedelta, repeated: list[tuple[str]]
) -> None:
    """A finding needs two readings; the first one may have been a lesson."""
    takes_part(ward, NOW - watched_for)
    first, second = NOW - timedelta(hours=2), NOW - timedelta(minutes=2)
    ward.receive(sent(glucose("310", first, sequence_number=1), glucose("320", second, sequence_number=2)))
    with open_connection(ward.database.jobs_url, "test jobs") as connection:
        assess(connection, ward.patient_id, NOW)
    assert ward.rows("SELECT condition FROM alert ORDER BY 1") == repeated


def test_nothing_is_missed_of_somebody_whom_nobody_watches(ward: Ward) -> None:
    expect(ward.admin, ward.patient_id, at="08:00")
    takes_part(ward)
    assert overdue(ward) == []
    ward.admin.execute("UPDATE participation SET activated_at = begun_at")
    assert overdue(ward) == ["glucose"]
    ward.admin.execute(
        "UPDATE participation SET ended_at = %s, ended_by = %s, end_reason = 'moved'", (NOW, ward.nurse_id)
    )
    assert overdue(ward) == []


def test_what_was_due_before_the_activation_is_not_missed(ward: Ward) -> None:
    expect(ward.admin, ward.patient_id, at="08:00")
    takes_part(ward, LATER - timedelta(hours=2))
    assert overdue(ward) == []
