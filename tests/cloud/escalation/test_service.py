"""Looks at cases over a real database: who is told, once, and what is true afterwards."""

import threading
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from alerting.tiers import Tier
from cloud.db.connect import open_connection
from cloud.escalation import service
from tests.cloud.escalation.made import TELLING, Clinic, acknowledge, made_clinic, shift, staff
from tests.cloud.made import NOW, Ward, new_patient, wait_for_a_lock


@pytest.fixture
def clinic(ward: Ward) -> Iterator[Clinic]:
    """A nurse, a doctor and a lead nurse on duty around the clock, in the care team of the ward's patient."""
    with made_clinic(ward) as made:
        for role, person in (("nurse", made.nurse), ("doctor", made.doctor), ("lead_nurse", made.lead)):
            shift(ward.admin, role, person)
        yield made


def after(**span: float) -> datetime:
    """So long after NOW."""
    return NOW + timedelta(**span)


def walk(clinic: Clinic, case_id: UUID, until: datetime) -> None:
    """Look at the case whenever it asks for it."""
    at = NOW
    while at <= until:
        next_at = clinic.look(case_id, at).next_at
        assert next_at is not None
        assert next_at > at
        at = next_at


def test_an_urgent_case_goes_its_whole_path_and_each_look_may_be_done_twice(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    for minutes in (0, 15, 30, 45, 60, 75, 90):
        clinic.look(case_id, after(minutes=minutes))
        clinic.look(case_id, after(minutes=minutes))

    nurse, doctor, lead = clinic.nurse, clinic.doctor, clinic.lead
    assert clinic.told(case_id)[:5] == [(1, 1, nurse), (1, 2, nurse), (1, 3, nurse), (1, 4, nurse), (1, 5, doctor)]
    assert set(clinic.told(case_id)[5:]) == {(1, 6, doctor), (1, 6, lead), (1, 7, doctor), (1, 7, lead)}
    assert clinic.events(case_id) == ["escalate", "escalate"]
    assert (clinic.case(case_id)["state"], clinic.case(case_id)["escalated_to"]) == ("escalated", "lead_nurse")
    assert clinic.gaps() == []


def test_an_acknowledged_case_is_told_to_nobody_any_more(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    clinic.look(case_id, NOW)
    acknowledge(clinic.ward.admin, case_id, clinic.nurse, after(minutes=5), timedelta(hours=4))
    clinic.ward.admin.execute("UPDATE alert_case SET contacted_at = %s", [after(minutes=10)])

    decision = clinic.look(case_id, after(minutes=5))
    clinic.look(case_id, after(hours=2))
    assert clinic.told(case_id) == [(1, 1, clinic.nurse)]
    assert decision.next_at == after(hours=4, minutes=5)


def test_a_lease_that_ran_out_raises_the_case_anew_and_tells_the_nurses_again(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    clinic.look(case_id, NOW)
    acknowledge(clinic.ward.admin, case_id, clinic.nurse, after(minutes=5), timedelta(minutes=30))
    clinic.look(case_id, after(minutes=35))

    case = clinic.case(case_id)
    assert clinic.told(case_id) == [(1, 1, clinic.nurse), (2, 1, clinic.nurse)]
    assert (case["state"], case["round"], case["owner"], case["lease_until"]) == ("raised", 2, None, None)
    assert clinic.events(case_id) == ["acknowledge", "lapse"]


def test_a_patient_whom_nobody_spoke_to_in_time_makes_the_case_the_doctors(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    clinic.look(case_id, NOW)
    acknowledge(clinic.ward.admin, case_id, clinic.nurse, after(minutes=5), timedelta(hours=4))
    clinic.look(case_id, after(minutes=59))
    assert clinic.case(case_id)["state"] == "acknowledged"
    clinic.look(case_id, after(minutes=60))

    assert clinic.told(case_id) == [(1, 1, clinic.nurse), (1, 5, clinic.doctor)]
    assert (clinic.case(case_id)["state"], clinic.case(case_id)["owner"]) == ("escalated", None)


def test_a_silenced_case_is_told_to_nobody_until_its_silence_ends(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    clinic.ward.admin.execute(
        "UPDATE alert_case SET silenced_until = %s, silenced_by = %s, silenced_why = 'in hospital'",
        [after(hours=3), clinic.nurse],
    )
    assert clinic.look(case_id, NOW).next_at == after(hours=3)
    clinic.look(case_id, after(hours=2))
    assert clinic.told(case_id) == []
    clinic.look(case_id, after(hours=3))

    case = clinic.case(case_id)
    assert clinic.told(case_id) == [(2, 1, clinic.nurse)]
    assert (case["round"], case["silenced_until"], case["silenced_by"]) == (2, None, None)
    assert clinic.events(case_id) == ["end_silence"]


def test_after_a_long_outage_everybody_hears_once_and_the_end_is_right(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    for _ in range(3):
        clinic.look(case_id, after(hours=7))

    assert set(clinic.told(case_id)) == {(1, 5, clinic.nurse), (1, 5, clinic.doctor)}
    assert clinic.case(case_id)["state"] == "escalated"


def test_a_clock_that_jumps_back_tells_nobody_twice(clinic: Clinic) -> None:
    case_id = clinic.open_case(Tier.EMERGENCY)
    walk(clinic, case_id, after(minutes=10))
    told = clinic.told(case_id)
    for hours in (-24, -1, 0):
        next_at = clinic.look(case_id, after(hours=hours)).next_at
        assert next_at == after(minutes=15)
    assert clinic.told(case_id) == told


def test_a_clock_that_jumps_ahead_loses_no_step(clinic: Clinic) -> None:
    case_id = clinic.open_case(Tier.EMERGENCY)
    clinic.look(case_id, NOW)
    clinic.look(case_id, after(days=1))
    assert set(clinic.told(case_id)) == {(1, 1, clinic.nurse), (1, 3, clinic.doctor), (1, 3, clinic.lead)}


def test_two_processes_that_look_at_once_tell_everybody_once(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    second = open_connection(clinic.ward.database.jobs_url, "test jobs 2")

    def look_too() -> None:
        service.look(second, case_id, NOW, TELLING)
        second.commit()

    other = threading.Thread(target=look_too)
    with clinic.jobs.transaction():
        service.look(clinic.jobs, case_id, NOW, TELLING)
        other.start()
        wait_for_a_lock(clinic.ward)
    other.join(20)
    second.close()

    assert clinic.told(case_id) == [(1, 1, clinic.nurse)]


def test_a_look_that_waited_for_a_late_acknowledgement_leaves_its_owner_the_time_to_call(clinic: Clinic) -> None:
    case_id = clinic.open_case(Tier.URGENT)
    late = after(hours=2)
    second = open_connection(clinic.ward.database.jobs_url, "test jobs 2")

    def look_too() -> None:
        service.look(second, case_id, late, TELLING)
        second.commit()

    other = threading.Thread(target=look_too)
    with clinic.ward.admin.transaction():
        acknowledge(clinic.ward.admin, case_id, clinic.nurse, late, timedelta(hours=1))
        other.start()
        wait_for_a_lock(clinic.ward)
    other.join(20)
    second.close()

    assert clinic.case(case_id)["state"] == "acknowledged"
    assert clinic.events(case_id) == ["acknowledge"]


def test_a_look_that_dies_leaves_nothing_and_the_next_does_all(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    dying = open_connection(clinic.ward.database.jobs_url, "test jobs 2")
    service.look(dying, case_id, NOW, TELLING)
    dying.close()
    assert clinic.told(case_id) == []

    clinic.look(case_id, NOW)
    assert clinic.told(case_id) == [(1, 1, clinic.nurse)]


def test_a_page_that_did_not_arrive_sends_the_case_on_at_once(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    clinic.look(case_id, NOW)
    clinic.ward.admin.execute("UPDATE notification SET state = 'failed', next_at = NULL")
    clinic.look(case_id, after(minutes=4))

    assert clinic.told(case_id) == [(1, 1, clinic.nurse), (1, 5, clinic.doctor)]
    assert clinic.case(case_id)["state"] == "escalated"


def test_the_first_in_the_on_call_order_is_told_first_and_all_at_the_deadline(clinic: Clinic) -> None:
    second = staff(clinic.ward.admin, "nurse", "second")
    clinic.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, '2020-01-01')",
        [clinic.ward.patient_id, second],
    )
    shift(clinic.ward.admin, "nurse", second, order=2)
    case_id = clinic.open_case()
    clinic.look(case_id, NOW)
    assert clinic.told(case_id) == [(1, 1, clinic.nurse)]
    clinic.look(case_id, after(minutes=15))
    assert set(clinic.told(case_id)[1:]) == {(1, 2, clinic.nurse), (1, 2, second)}


def test_a_case_of_no_urgency_counts_working_days(clinic: Clinic) -> None:
    # NOW is a Saturday; the routine's 24 hours are those of Monday.
    case_id = clinic.open_case(Tier.ROUTINE)
    clinic.look(case_id, NOW)
    assert clinic.told(case_id) == []
    assert clinic.case(case_id)["deadline"] == "2026-11-24T00:00:00+00:00"


def test_a_case_that_nobody_looked_at_is_overdue_and_a_look_at_it_asks_for_the_next(clinic: Clinic) -> None:
    case_id = clinic.open_case()
    clinic.look(case_id, NOW)
    [(name, args)] = clinic.ward.rows(
        "SELECT queueing_lock, args FROM procrastinate_jobs WHERE task_name = 'look_at_case'"
    )
    assert (name, args) == (f"look_at_case:{case_id}", {"case_id": str(case_id)})


def test_each_entry_of_the_history_follows_from_the_one_before(ward: Ward) -> None:
    with made_clinic(ward) as clinic:
        shift(ward.admin, "nurse", clinic.nurse, time(8), time(9))
        case_id = clinic.open_case()
        acknowledge(ward.admin, case_id, clinic.doctor, NOW, timedelta(minutes=30))
        clinic.look(case_id, after(minutes=30))
        rows = ward.rows("SELECT event, from_state, to_state FROM case_event ORDER BY event_id")
        assert rows[1:] == [
            ("lapse", "acknowledged", "raised"),
            ("duty_gap", "raised", "raised"),
            ("escalate", "raised", "escalated"),
        ]


# Gaps ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody_at_night(ward: Ward) -> Iterator[Clinic]:
    """A nurse by day (NOW is noon), a doctor and a lead nurse around the clock."""
    with made_clinic(ward) as made:
        shift(ward.admin, "nurse", made.nurse, time(8), time(20))
        shift(ward.admin, "doctor", made.doctor)
        shift(ward.admin, "lead_nurse", made.lead)
        yield made


def gap_pages(clinic: Clinic) -> list[tuple[str, UUID]]:
    """Who was told of which gap."""
    rows = clinic.ward.admin.execute(
        "SELECT gap, account_id FROM notification WHERE gap IS NOT NULL ORDER BY created_at"
    )
    return [(row[0], row[1]) for row in rows]


def test_where_no_nurse_is_on_duty_the_doctor_hears_at_once_and_the_lead_nurse_of_the_gap(
    nobody_at_night: Clinic,
) -> None:
    clinic, night = nobody_at_night, after(hours=10)
    case_id = clinic.open_case(at=night)
    clinic.look(case_id, night)

    assert clinic.told(case_id) == [(1, 5, clinic.doctor)]
    assert clinic.gaps() == [("nurse", "nobody_on_duty", False, False)]
    assert gap_pages(clinic) == [("nurse:nobody_on_duty:2026-11-21T22:00:00Z:1", clinic.lead)]


def test_a_gap_is_opened_once_however_many_cases_run_into_it(nobody_at_night: Clinic) -> None:
    clinic, night = nobody_at_night, after(hours=10)
    cases = [clinic.open_case(at=night, condition=f"condition_{n}") for n in range(4)]
    for minutes in (0, 5):
        for case_id in cases:
            clinic.look(case_id, night + timedelta(minutes=minutes))

    assert clinic.gaps() == [("nurse", "nobody_on_duty", False, False)]
    assert len(gap_pages(clinic)) == 1
    assert clinic.ward.count("duty_gap_case") == 4


def test_a_gap_is_told_again_until_it_is_acknowledged_and_ends_when_somebody_is_on_duty(
    nobody_at_night: Clinic,
) -> None:
    clinic, night = nobody_at_night, after(hours=10)
    case_id = clinic.open_case(at=night)
    clinic.look(case_id, night)
    clinic.tend_gaps(night + timedelta(minutes=14))
    assert len(gap_pages(clinic)) == 1
    clinic.tend_gaps(night + timedelta(minutes=15))
    assert len(gap_pages(clinic)) == 2
    clinic.ward.admin.execute(
        "UPDATE duty_gap SET acknowledged_at = %s, acknowledged_by = %s, next_at = NULL", [night, clinic.lead]
    )
    clinic.tend_gaps(night + timedelta(hours=9))
    assert len(gap_pages(clinic)) == 2
    clinic.tend_gaps(night + timedelta(hours=10))
    assert clinic.gaps() == [("nurse", "nobody_on_duty", True, True)]
    # What was still on its way to somebody is called off.
    assert clinic.ward.rows("SELECT DISTINCT state FROM notification WHERE gap IS NOT NULL") == [("withdrawn",)]


def test_whoever_comes_on_duty_hears_of_a_case_that_ran_into_the_gap(nobody_at_night: Clinic) -> None:
    clinic, night = nobody_at_night, after(hours=10)
    case_id = clinic.open_case(Tier.SAME_SHIFT, at=night)
    assert clinic.look(case_id, night).next_at == night + timedelta(hours=2)
    assert clinic.look(case_id, night + timedelta(hours=2)).next_at == night + timedelta(hours=4)
    assert clinic.told(case_id) == []
    clinic.look(case_id, night + timedelta(hours=4))
    assert clinic.told(case_id) == [(1, 2, clinic.lead)]
    clinic.look(case_id, night + timedelta(hours=10))
    assert set(clinic.told(case_id)) == {(1, 2, clinic.lead), (1, 2, clinic.nurse)}
    assert clinic.gaps() == []


def test_somebody_on_duty_who_may_not_see_the_patient_is_a_gap_too(clinic: Clinic) -> None:
    clinic.ward.admin.execute("UPDATE care_team SET until = now() WHERE account_id = %s", [clinic.nurse])
    case_id = clinic.open_case()
    clinic.look(case_id, NOW)

    assert clinic.told(case_id) == [(1, 5, clinic.doctor)]
    assert clinic.gaps() == [("nurse", "nobody_in_care_team", False, False)]
    clinic.tend_gaps(after(minutes=1))
    assert clinic.gaps() == [("nurse", "nobody_in_care_team", False, False)]
    clinic.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", [clinic.ward.patient_id, clinic.nurse]
    )
    clinic.tend_gaps(after(minutes=2))
    assert clinic.gaps() == [("nurse", "nobody_in_care_team", False, True)]


def test_where_nobody_is_on_duty_at_all_every_lead_nurse_hears_of_both(ward: Ward) -> None:
    with made_clinic(ward) as clinic:
        for role, person in (("nurse", clinic.nurse), ("doctor", clinic.doctor), ("lead_nurse", clinic.lead)):
            shift(ward.admin, role, person, time(8), time(9))
        case_id = clinic.open_case(Tier.EMERGENCY)
        clinic.look(case_id, NOW)

        assert clinic.told(case_id) == [(1, 4, clinic.lead)]
        assert [gap[0] for gap in clinic.gaps()] == ["doctor", "lead_nurse", "nurse"]
        assert {who for _, who in gap_pages(clinic)} == {clinic.lead}
        assert len(gap_pages(clinic)) == 3
        # Whoever it reaches keeps hearing of it.
        clinic.look(case_id, after(minutes=5))
        assert clinic.told(case_id)[1:] == [(1, 5, clinic.lead)]


def test_without_any_roster_everybody_of_the_care_team_is_on_duty(ward: Ward) -> None:
    with made_clinic(ward) as clinic:
        other = staff(ward.admin, "nurse", "other")
        case_id = clinic.open_case()
        clinic.look(case_id, NOW)
        assert clinic.told(case_id) == [(1, 1, clinic.nurse)]
        assert other not in {who for _, _, who in clinic.told(case_id)}
        assert clinic.gaps() == []


def test_a_roster_whose_zone_nobody_here_knows_tells_everybody_rather_than_nobody(
    nobody_at_night: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    clinic, night = nobody_at_night, after(hours=10)
    clinic.ward.admin.execute("UPDATE duty_site SET time_zone = 'Atlantis/Dawn'")
    case_id = clinic.open_case(at=night)
    clinic.look(case_id, night)
    assert clinic.told(case_id) == [(1, 1, clinic.nurse)]
    assert "time zone 'Atlantis/Dawn' is unknown here" in caplog.text


def test_a_gaps_page_says_nothing_of_a_patient(nobody_at_night: Clinic) -> None:
    clinic, night = nobody_at_night, after(hours=10)
    patient = new_patient(clinic.ward.admin, "Secret Name")
    clinic.look(clinic.open_case(at=night), night)
    [row] = clinic.ward.rows("SELECT to_jsonb(n)::text FROM notification n WHERE gap IS NOT NULL")
    assert "Asta" not in row[0]
    assert str(clinic.ward.patient_id) not in row[0]
    assert str(patient) not in row[0]


@pytest.mark.parametrize("table", ["duty_shift", "duty_holiday", "duty_absence", "duty_site"])
def test_the_jobs_process_changes_no_roster(clinic: Clinic, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        clinic.jobs.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
