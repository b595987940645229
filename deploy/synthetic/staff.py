"""A monitoring centre's staff for a synthetic population: each patient has a nurse, a doctor and a lead nurse.

Patients are dealt out in the order of their numbers, so that a load that was broken off goes on with the same people.
All have one password, which is drawn when they are made: whoever loads a population tries it out alone.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cloud.auth import passwords
from cloud.auth import store as accounts
from cloud.auth.models import Role
from cloud.db.connect import Connection

# The issue's nurse has 150 patients; the others' shares are assumptions.
PATIENTS_OF: dict[Role, int] = {Role.NURSE: 150, Role.DOCTOR: 500, Role.LEAD_NURSE: 1500}
_NAMES = {Role.NURSE: "Nurse", Role.DOCTOR: "Doctor", Role.LEAD_NURSE: "Lead nurse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who cares for one patient."""

    nurse: UUID
    doctor: UUID
    lead_nurse: UUID

    @property
    def everybody(self) -> tuple[UUID, UUID, UUID]:
        return self.nurse, self.doctor, self.lead_nurse


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Everybody, in the order of their numbers. ``password`` is None where they were there already."""

    nurses: Sequence[UUID]
    doctors: Sequence[UUID]
    lead_nurses: Sequence[UUID]
    password: str | None

    def team(self, patient: int) -> Team:
        """Of the patient with this number."""
        return Team(
            nurse=self.nurses[patient // PATIENTS_OF[Role.NURSE]],
            doctor=self.doctors[patient // PATIENTS_OF[Role.DOCTOR]],
            lead_nurse=self.lead_nurses[patient // PATIENTS_OF[Role.LEAD_NURSE]],
        )


def login(role: Role, number: int) -> str:
    """Such as synthetic-nurse-001: the first is 1."""
    return f"synthetic-{role.value.replace('_', '-')}-{number:03}"


def employ(connection: Connection, patients: int) -> Staff:
    """As many as so many patients need; those who are there already stay as they are, with their password."""
    password = secrets.token_urlsafe(12)
    password_hash = passwords.hash_password(password)
    known: dict[str, UUID] = dict(
        connection.execute("SELECT login, account_id FROM account WHERE login LIKE 'synthetic-%'").fetchall()
    )

    def all_of(role: Role) -> Sequence[UUID]:
        many = -(-patients // PATIENTS_OF[role])
        return [_one(connection, role, number, password_hash, known) for number in range(1, many + 1)]

    nurses, doctors, lead_nurses = all_of(Role.NURSE), all_of(Role.DOCTOR), all_of(Role.LEAD_NURSE)
    made = set(nurses) | set(doctors) | set(lead_nurses)
    is_new = not made & set(known.values())
    return Staff(nurses=nurses, doctors=doctors, lead_nurses=lead_nurses, password=password if is_new else None)


def _one(connection: Connection, role: Role, number: int, password_hash: str, known: dict[str, UUID]) -> UUID:
    name = login(role, number)
    if name in known:
        return known[name]
    return accounts.create_account(
        connection, login=name, display_name=f"{_NAMES[role]} {number:03}", role=role, password_hash=password_hash
    )
