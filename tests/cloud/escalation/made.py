"""A clinic with people on duty and a case, for the tests of the escalation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from alerting.escalate import Decision
from alerting.tiers import PRIORITY_OF, TERMS, Tier
from cloud.db.connect import Connection, one, open_connection
from cloud.escalation import service
from cloud.escalation.models import Telling
from cloud.notifications.service import notify, notify_of_gap
from tests.cloud.made import NOW, Ward

TELLING = Telling(notify=notify, notify_of_gap=notify_of_gap)
SINCE = date(2026, 1, 1)


@dataclass(frozen=True)
class Clinic:
    """The ward's patient with a nurse, a doctor and a lead nurse in the care team."""

    ward: Ward
    jobs: Connection
    nurse: UUID
    doctor: UUID
    lead: UUID

    def look(self, case_id: UUID, at: datetime) -> Decision:
        """What the jobs process does with a case."""
        with self.jobs.transaction():
            decision = service.look(self.jobs, case_id, at, TELLING)
        assert decision is not None
        return decision

    def tend_gaps(self, at: datetime) -> None:
        """What the sweep does with gaps."""
        with self.jobs.transaction():
            service.tend_gaps(self.jobs, at, TELLING)

    def open_case(self, tier: Tier = Tier.URGENT, at: datetime = NOW, condition: str = "hypoglycaemia_level_2") -> UUID:
        """A case as the ingest opens it, of the ward's patient."""
        return open_case(self.ward.admin, self.ward.patient_id, tier, at, condition)

    def told(self, case_id: UUID) -> list[tuple[int, int, UUID]]:
        """Round, step and person of all notifications of the case, in order."""
        rows = self.ward.admin.execute(
            "SELECT round, step, account_id FROM notification WHERE case_id = %s ORDER BY round, step, created_at",
            [case_id],
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def case(self, case_id: UUID) -> dict[str, Any]:
        """The row."""
        cursor = self.ward.admin.execute("SELECT to_jsonb(c) FROM alert_case c WHERE case_id = %s", [case_id])
        row: dict[str, Any] = one(cursor.fetchone())[0]
        return row

    def events(self, case_id: UUID) -> list[str]:
        """What happened to it."""
        rows = self.ward.admin.execute("SELECT event FROM case_event WHERE case_id = %s ORDER BY event_id", [case_id])
        return [row[0] for row in rows]

    def gaps(self) -> list[tuple[str, str, bool, bool]]:
        """Role, why, whether acknowledged, whether resolved; the oldest first."""
        return [
            (role, why, acknowledged is not None, resolved is not None)
            for role, why, acknowledged, resolved in self.ward.admin.execute(
                "SELECT role, why, acknowledged_at, resolved_at FROM duty_gap ORDER BY opened_at, role"
            )
        ]


def open_case(connection: Connection, patient_id: UUID, tier: Tier, at: datetime, condition: str) -> UUID:
    """Raised, waiting to be looked at."""
    terms = TERMS[tier]
    row = connection.execute(
        """INSERT INTO alert_case (patient_id, condition, priority, tier, state, sentence, reason, opened_at, raised_at,
                                   deadline, contact_by, next_at, changed_at)
           VALUES (%(patient)s, %(condition)s, %(priority)s, %(tier)s, 'raised', 'Made by a test.', '{}', %(at)s,
                   %(at)s, %(deadline)s, %(contact_by)s, %(at)s, %(at)s) RETURNING case_id""",
        {
            "patient": patient_id,
            "condition": condition,
            "priority": PRIORITY_OF[tier],
            "tier": tier,
            "at": at,
            "deadline": at + terms.acknowledge_within,
            "contact_by": at + terms.contact_within,
        },
    ).fetchone()
    case_id: UUID = one(row)[0]
    return case_id


def acknowledge(connection: Connection, case_id: UUID, by: UUID, at: datetime, lease: timedelta) -> None:
    """As the console does it."""
    connection.execute(
        """UPDATE alert_case SET state = 'acknowledged', owner = %(by)s, lease_until = %(until)s, changed_at = %(at)s,
                                 next_at = %(at)s WHERE case_id = %(case)s""",
        {"by": by, "at": at, "until": at + lease, "case": case_id},
    )
    connection.execute(
        """INSERT INTO case_event (case_id, at, actor, event, from_state, to_state)
           VALUES (%s, %s, %s, 'acknowledge', 'raised', 'acknowledged')""",
        (case_id, at, by),
    )
    connection.execute("SELECT wake_case(%s, %s)", (case_id, at))


def staff(connection: Connection, role: str, login: str) -> UUID:
    """Somebody who cannot log in."""
    row = connection.execute(
        """INSERT INTO account (login, display_name, role, password_hash) VALUES (%s, %s, %s, '-')
           RETURNING account_id""",
        (login, login.title(), role),
    ).fetchone()
    account_id: UUID = one(row)[0]
    return account_id


def join_team(connection: Connection, patient_id: UUID, account_id: UUID) -> None:
    """The person may see the patient, since long ago."""
    connection.execute(
        "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, '2020-01-01')", (patient_id, account_id)
    )


def shift(
    connection: Connection,
    role: str,
    account_id: UUID,
    starts: time = time(0),
    ends: time = time(0),
    weekdays: tuple[int, ...] = tuple(range(7)),
    order: int = 1,
) -> None:
    """On duty each of these weekdays, around the clock unless told otherwise."""
    for weekday in weekdays:
        connection.execute(
            """INSERT INTO duty_shift (role, account_id, weekday, starts, ends, first_day, call_order, set_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
            (role, account_id, weekday, starts, ends, SINCE, order, NOW),
        )


@contextmanager
def made_clinic(ward: Ward) -> Iterator[Clinic]:
    """Nobody on duty by a roster yet: everybody of a role is."""
    admin = ward.admin
    nurse, doctor, lead = staff(admin, "nurse", "nia"), staff(admin, "doctor", "dov"), staff(admin, "lead_nurse", "lea")
    for person in (nurse, doctor, lead):
        join_team(admin, ward.patient_id, person)
    jobs = open_connection(ward.database.jobs_url, "test jobs", autocommit=True)
    try:
        yield Clinic(ward, jobs, nurse, doctor, lead)
    finally:
        jobs.close()
