"""Who is on duty, as the jobs process reads it from the database."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest

from alerting.duty import DutyRole
from cloud.duty import store
from tests.cloud.escalation.made import Clinic, made_clinic, shift, staff
from tests.cloud.made import NOW, Ward


@pytest.fixture
def clinic(ward: Ward) -> Iterator[Clinic]:
    """In Copenhagen, without a roster."""
    ward.admin.execute("UPDATE duty_site SET time_zone = 'Europe/Copenhagen'")
    with made_clinic(ward) as made:
        yield made


def names(clinic: Clinic, at: datetime, role: DutyRole = DutyRole.NURSE) -> list[str]:
    """Who is on duty, in on-call order."""
    return [person.display_name for person in store.on_duty(clinic.jobs, role, at)]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # The night to 25 October lasts 9 hours: 20:00 to 05:00 UTC.
        (datetime(2026, 10, 24, 20, tzinfo=UTC), "Night"),
        (datetime(2026, 10, 25, 4, 59, tzinfo=UTC), "Night"),
        (datetime(2026, 10, 25, 5, tzinfo=UTC), "Day"),
        # That to 28 March 2027 lasts 7: 21:00 to 04:00 UTC.
        (datetime(2027, 3, 27, 20, 59, tzinfo=UTC), "Day"),
        (datetime(2027, 3, 27, 21, tzinfo=UTC), "Night"),
        (datetime(2027, 3, 28, 4, tzinfo=UTC), "Day"),
    ],
)
def test_shifts_go_by_the_sites_wall_clock_over_both_of_its_changes(
    clinic: Clinic, at: datetime, expected: str
) -> None:
    admin = clinic.ward.admin
    shift(admin, "nurse", staff(admin, "nurse", "night"), time(22), time(6))
    shift(admin, "nurse", staff(admin, "nurse", "day"), time(6), time(22))
    assert names(clinic, at) == [expected]


def test_everybody_of_a_role_is_on_duty_until_somebody_makes_a_roster_for_it(clinic: Clinic) -> None:
    assert names(clinic, NOW) == ["Nia", "Nurse Nielsen"]
    shift(clinic.ward.admin, "nurse", clinic.nurse, time(0), time(1))
    assert names(clinic, NOW) == []
    assert names(clinic, NOW, DutyRole.DOCTOR) == ["Dov"]


def test_a_roster_that_has_run_out_is_a_hole(clinic: Clinic) -> None:
    shift(clinic.ward.admin, "nurse", clinic.nurse)
    clinic.ward.admin.execute("UPDATE duty_shift SET last_day = '2026-10-01'")
    assert names(clinic, NOW) == []
    clinic.ward.admin.execute("UPDATE duty_shift SET withdrawn_at = now()")
    assert names(clinic, NOW) == ["Nia", "Nurse Nielsen"]


def test_whoever_has_left_is_not_on_duty_and_stands_in_for_nobody(clinic: Clinic) -> None:
    admin = clinic.ward.admin
    shift(admin, "nurse", clinic.nurse)
    gone = staff(admin, "nurse", "gone")
    shift(admin, "nurse", gone)
    admin.execute("UPDATE account SET disabled_at = now() WHERE account_id = %s", [gone])
    assert names(clinic, NOW) == ["Nia"]
    admin.execute(
        "INSERT INTO duty_absence (account_id, starts, ends, cover, set_at) VALUES (%s, %s, %s, %s, %s)",
        (clinic.nurse, NOW, NOW + timedelta(hours=1), gone, NOW),
    )
    assert names(clinic, NOW) == []
    assert names(clinic, NOW + timedelta(hours=1)) == ["Nia"]


def test_who_stands_in_is_on_duty_until_the_absence_or_the_shift_ends(clinic: Clinic) -> None:
    admin = clinic.ward.admin
    shift(admin, "nurse", clinic.nurse, time(6), time(22))
    cover = staff(admin, "nurse", "cover")
    admin.execute(
        "INSERT INTO duty_absence (account_id, starts, ends, cover, set_at) VALUES (%s, %s, %s, %s, %s)",
        (clinic.nurse, NOW, NOW + timedelta(hours=1), cover, NOW),
    )
    [person] = store.on_duty(clinic.jobs, DutyRole.NURSE, NOW)
    assert (person.display_name, person.instead_of) == ("Cover", clinic.nurse)
    assert person.until == NOW + timedelta(hours=1)
