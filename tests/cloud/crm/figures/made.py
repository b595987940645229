"""A ward of several patients with readings, cases and work, as a head nurse's figures need it."""

from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from alerting.tiers import Tier
from cloud.auth import store as accounts
from cloud.auth.models import Role
from cloud.crm.figures.counting import count, months_to_count
from tests.cloud.made import NOW, Ward, new_patient
from tests.cloud.review.made import pressure_weeks
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person


def leading(console: Console, password_hash: str) -> Person:
    """Lena, who leads and cares for nobody herself."""
    console.accounts["lena"] = accounts.create_account(
        console.ward.admin,
        login="lena",
        display_name="Lena Lund",
        role=Role.LEAD_NURSE,
        password_hash=password_hash,
    )
    return console.sign_in("lena")


def cohort(ward: Ward, many: int, *, controlled: int, days: int = 20, end: datetime = NOW) -> list[UUID]:
    """So many more patients who measure mornings and evenings, some below the target of 135/85."""
    pressure_weeks(ward, days, systolic=142, end=end)
    found = [new_patient(ward.admin, f"Person {n}") for n in range(many)]
    for n, patient_id in enumerate(found):
        lower = 30 if n < controlled else 0
        ward.admin.execute("CREATE TEMP TABLE taken AS SELECT * FROM blood_pressure_observation WHERE patient_id = %s",
                           (ward.patient_id,))  # fmt: skip
        ward.admin.execute(
            "UPDATE taken SET patient_id = %s, reading_id = gen_random_uuid(), systolic = systolic - %s,"
            " diastolic = diastolic - %s",
            (patient_id, lower, lower / 2),
        )
        ward.admin.execute("INSERT INTO blood_pressure_observation SELECT * FROM taken")
        ward.admin.execute("DROP TABLE taken")
    return found


def worked_case(ward: Ward, patient_id: UUID, nurse: UUID, tier: Tier, at: datetime, taken: int, spoken: int) -> UUID:
    """A case that somebody took and spoke about after so many minutes."""
    case_id = planted_case(ward, tier, at, patient_id=patient_id)
    for event, minutes in (("acknowledge", taken), ("contact", spoken)):
        ward.admin.execute(
            "INSERT INTO case_event (case_id, at, actor, event, to_state) VALUES (%s, %s, %s, %s, 'acknowledged')",
            (case_id, at + timedelta(minutes=minutes), nurse, event),
        )
    return case_id


def counted(ward: Ward, at: datetime = NOW) -> None:
    """What the nightly job does, by the rights that it has."""
    with psycopg.connect(ward.database.jobs_url, options="-c timezone=UTC") as connection:
        for month, start, end in months_to_count(connection, at):
            count(connection, month, start, end, at)


def a_months_work(ward: Ward, patient_id: UUID, nurse: UUID) -> None:
    """Something to see: cases that were taken and closed, and two months of a programme of some size."""
    for n in range(6):
        at = NOW - timedelta(days=n + 1)
        case_id = worked_case(ward, patient_id, nurse, Tier.URGENT, at, 3 + n, 20 + 9 * n)
        ward.admin.execute(
            "UPDATE alert_case SET state = 'resolved', next_at = NULL, resolved_at = %s WHERE case_id = %s",
            (at + timedelta(hours=2), case_id),
        )
    counted(ward)
    for month, controlled in (("2026-10-01", 61), ("2026-11-01", 70)):
        ward.admin.execute(
            "INSERT INTO figures_month VALUES (%(month)s, 'standard', 140, 133, 118, %(controlled)s, 140, 8400, 6510,"
            " 13020, 96, %(at)s) ON CONFLICT (month, programme_id) DO UPDATE SET patients = 140, measured = 133,"
            " averaged = 118, controlled = %(controlled)s, scheduled = 140, due = 8400, made = 6510, readings = 13020,"
            " cases = 96",
            {"month": month, "controlled": controlled, "at": NOW},
        )
