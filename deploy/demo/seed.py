"""Puts the cast into a fresh database: accounts with passwords drawn at random, care team, devices, limits."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from alerting.limits import Priority
from cloud.auth.service import create_account
from cloud.db.connect import Connection, one, open_connection
from cloud.devices import store as devices
from cloud.plans.store import set_limit
from deploy.demo import cast
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Unit
from firmware_profiles.catalogue import catalogue

# The devices have been with these patients for longer than their memories, and the clinic's, reach back.
ASSIGNED_SINCE = timedelta(days=120)


def seed(admin_url: str, at: datetime) -> Mapping[str, str]:
    """Fill the database; login → password of everybody who can sign in."""
    passwords = {person.login: secrets.token_urlsafe(9) for person in (*cast.STAFF, *cast.PATIENTS)}
    with open_connection(admin_url, "pulsepost-demo") as connection:
        patients = {person.login: _patient(connection, person, passwords[person.login]) for person in cast.PATIENTS}
        staff = {member.login: _staff(connection, member, passwords[member.login]) for member in cast.STAFF}
        for patient_id in patients.values():
            for account_id in staff.values():
                connection.execute(
                    "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, %s)",
                    (patient_id, account_id, at),
                )
        for device in cast.DEVICES:
            device_id = devices.register_device(connection, identity(device), device.profile)
            devices.assign_device(connection, device_id, patients[device.patient], at - ASSIGNED_SINCE)
        for limit in cast.OWN_LIMITS:
            set_limit(
                connection,
                patient_id=patients[limit.patient],
                condition=limit.condition,
                unit=Unit(limit.unit),
                value=limit.value,
                priority=Priority(limit.priority),
                reason=limit.reason,
                set_by=staff["doctor"],
                at=at,
            )
    return passwords


def identity(device: cast.HomeDevice) -> DeviceIdentity:
    """Who this simulated device will say it is."""
    model = catalogue().get(device.profile).device
    return DeviceIdentity(manufacturer=model.maker, model=model.model, serial_number=device.serial_number)


def _patient(connection: Connection, person: cast.Person, password: str) -> UUID:
    row = connection.execute(
        "INSERT INTO patient (display_name, birth_date, time_zone) VALUES (%s, %s, %s) RETURNING patient_id",
        (person.name, person.born, person.time_zone),
    ).fetchone()
    patient_id: UUID = one(row)[0]
    create_account(
        connection,
        login=person.login,
        password=password,
        display_name=person.name,
        role="patient",
        patient_id=patient_id,
    )
    return patient_id


def _staff(connection: Connection, member: cast.Staff, password: str) -> UUID:
    return create_account(connection, login=member.login, password=password, display_name=member.name, role=member.role)
