"""The household in the database: patients, a nurse, devices, and who uses them; known names for their ids."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cloud.auth.service import create_account
from cloud.db.connect import Connection, one, open_connection
from cloud.devices import store as devices
from deploy.chaos import cast
from deploy.chaos.records import APPLICATION
from deploy.demo.cast import Person
from deploy.demo.seed import identity


@dataclass(slots=True)
class Household:
    """Names of ids; ``users`` says who uses (device, user slot) now, ``assignments`` under which id."""

    patients: dict[UUID, str]
    devices: dict[str, str]
    assignments: dict[tuple[str, int | None], UUID]
    users: dict[tuple[str, int | None], str]
    nurse_password: str


def move_in(admin_url: str, gateway_id: str, at: datetime) -> Household:
    """Fill an empty database. psycopg.Error."""
    password = secrets.token_urlsafe(9)
    with open_connection(admin_url, APPLICATION) as connection:
        patients = {person.login: _patient(connection, person) for person in cast.PATIENTS}
        nurse = create_account(
            connection,
            login=cast.NURSE.login,
            password=password,
            display_name=cast.NURSE.name,
            role=cast.NURSE.role,
        )
        for patient_id in patients.values():
            connection.execute(
                "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, %s)", (patient_id, nurse, at)
            )
        devices.enrol_gateway(connection, gateway_id, at)
        ids = {
            device.name: devices.register_device(connection, identity(device.home), device.home.profile)
            for device in cast.DEVICES
        }
        household = Household(
            patients={patient_id: login for login, patient_id in patients.items()},
            devices={device_id: name for name, device_id in ids.items()},
            assignments={},
            users={},
            nurse_password=password,
        )
        for assignment in cast.ASSIGNMENTS:
            assignment_id = devices.assign_device(
                connection,
                ids[assignment.device],
                patients[assignment.patient],
                at - timedelta(days=assignment.since_days),
                until=None if assignment.until_days is None else at - timedelta(days=assignment.until_days),
                user_index=assignment.user,
            )
            if assignment.until_days is None:
                household.assignments[assignment.device, assignment.user] = assignment_id
                household.users[assignment.device, assignment.user] = assignment.patient
    return household


def hand_over(admin_url: str, household: Household, at: datetime) -> None:
    """``cast.REASSIGNED`` goes on to its next patient at this moment. psycopg.Error: nothing was done."""
    name = cast.REASSIGNED
    device_id = next(device_id for device_id, device in household.devices.items() if device == name)
    patient_id = next(key for key, login in household.patients.items() if login == cast.REASSIGNED_TO)
    with open_connection(admin_url, APPLICATION) as connection:
        devices.end_assignment(connection, household.assignments[name, None], at)
        assignment_id = devices.assign_device(connection, device_id, patient_id, at)
    household.assignments[name, None] = assignment_id
    household.users[name, None] = cast.REASSIGNED_TO


def _patient(connection: Connection, person: Person) -> UUID:
    row = connection.execute(
        "INSERT INTO patient (display_name, birth_date, time_zone) VALUES (%s, %s, %s) RETURNING patient_id",
        (person.name, person.born, person.time_zone),
    ).fetchone()
    patient_id: UUID = one(row)[0]
    return patient_id


def patient_at(household: Household, device: str, user: int | None, age_s: float) -> str:
    """Who used a device so many seconds before the start."""
    for assignment in cast.ASSIGNMENTS:
        until_s = 0.0 if assignment.until_days is None else assignment.until_days * 86400
        if (assignment.device, assignment.user) == (device, user) and until_s < age_s <= assignment.since_days * 86400:
            return assignment.patient
    return household.users[device, user]
