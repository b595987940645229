"""A training case is told to its trainees, at the console and nowhere else; the roster does not hear of it."""

from argparse import Namespace
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from alerting.tiers import Tier
from cloud.notifications import store as notifications
from cloud.planting import command
from tests.cloud.escalation.made import Clinic, made_clinic, open_case, shift
from tests.cloud.made import NOW, Ward


@pytest.fixture
def clinic(ward: Ward) -> Iterator[Clinic]:
    """A nurse and a doctor on duty around the clock; nobody is lead nurse."""
    with made_clinic(ward) as made:
        for role, person in (("nurse", made.nurse), ("doctor", made.doctor)):
            shift(ward.admin, role, person)
        yield made


@pytest.fixture
def case_id(clinic: Clinic, ward: Ward) -> UUID:
    """An emergency of a training patient on whom the doctor alone learns."""
    [(login,)] = ward.admin.execute("SELECT login FROM account WHERE account_id = %s", (clinic.doctor,)).fetchall()
    options = Namespace(deed="start", logins=[login], patients=1, seed=1)
    command.run(ward.database.admin_url, options, NOW)
    [(patient_id,)] = ward.rows("SELECT patient_id FROM patient WHERE training")
    return open_case(ward.admin, patient_id, Tier.EMERGENCY, NOW, "ketones_very_high")


def test_only_who_learns_on_the_patient_is_told_and_no_gap_is_opened(clinic: Clinic, case_id: UUID) -> None:
    at = NOW
    for _ in range(12):
        next_at = clinic.look(case_id, at).next_at
        assert next_at is not None
        at = next_at
    assert {account_id for _, _, account_id in clinic.told(case_id)} == {clinic.doctor}
    assert clinic.gaps() == []


def test_no_telephone_can_ring_for_it(clinic: Clinic, case_id: UUID) -> None:
    assert notifications.is_training(clinic.jobs, case_id)
    assert not notifications.is_training(clinic.jobs, clinic.open_case())
    added = notifications.add_for_case(clinic.ward.admin, case_id, 1, 1, clinic.doctor, NOW)
    tried = (
        "INSERT INTO notification_attempt (notification_id, channel, idempotency_key, began_at) VALUES (%s, %s, %s, %s)"
    )
    clinic.ward.admin.execute(tried, (added, "console", added, NOW))
    for channel in ("sms", "voice", "email", "webhook", "print"):
        with pytest.raises(psycopg.errors.CheckViolation):
            clinic.ward.admin.execute(tried, (added, channel, added, NOW))


def test_a_training_case_stands_in_no_gap_of_the_roster(clinic: Clinic, case_id: UUID) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="opens no gap"):
        clinic.ward.admin.execute(
            "WITH gap AS (INSERT INTO duty_gap (role, why, opened_at) VALUES ('nurse', 'nobody_on_duty', %s)"
            " RETURNING gap_id) INSERT INTO duty_gap_case (gap_id, case_id, at) SELECT gap_id, %s, %s FROM gap",
            (NOW, case_id, NOW),
        )
