"""The homes of the benchmark in a fresh database: a gateway, a meter and its patient each, and one nurse for all."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cloud.auth.service import create_account
from cloud.db.connect import Connection, one, open_connection
from cloud.db.migrate import migrate
from cloud.devices import store as devices
from deploy.services import databases
from deploy.services.running import Running
from device_drivers.identity import DeviceIdentity

# The meters have been with their patients for longer than any reading of the benchmark is old.
ASSIGNED_SINCE = timedelta(days=800)
PROFILE = "lifescan-onetouch-ultramini"
NURSE = "nurse"


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database of its own, one URL per role."""

    admin_url: str
    ingest_url: str
    console_url: str
    jobs_url: str
    enrolment_url: str


@dataclass(frozen=True, slots=True)
class Home:
    """One gateway with one meter of one patient."""

    gateway_id: str
    device: DeviceIdentity
    patient_id: UUID


@contextmanager
def fresh_database(running: Running) -> Iterator[Database]:
    """Dropped at the end. Its settings are the services' own: what is measured is as durable as in production."""
    name = f"{databases.SCRATCH}bench_{secrets.token_hex(4)}"
    databases.create_if_missing(running.postgres_admin_url, name)
    try:
        migrate(running.admin_url(name))
        yield Database(
            admin_url=running.admin_url(name),
            ingest_url=running.role_url("pulsepost_ingest", name),
            console_url=running.role_url("pulsepost_console", name),
            jobs_url=running.role_url("pulsepost_jobs", name),
            enrolment_url=running.role_url("pulsepost_enrolment", name),
        )
    finally:
        databases.drop(running.postgres_admin_url, name)


def furnish(database: Database, count: int, at: datetime) -> Sequence[Home]:
    """So many homes, in one transaction."""
    with open_connection(database.admin_url, "pulsepost-bench") as connection:
        return [_home(connection, number, at) for number in range(count)]


def _home(connection: Connection, number: int, at: datetime) -> Home:
    device = DeviceIdentity(manufacturer="LifeScan", model="OneTouch UltraMini", serial_number=f"B{number:08}")
    gateway_id = f"bench-{number:05}"
    row = connection.execute(
        "INSERT INTO patient (display_name, time_zone) VALUES (%s, 'Europe/Berlin') RETURNING patient_id",
        (f"Bench {number}",),
    ).fetchone()
    patient_id: UUID = one(row)[0]
    devices.enrol_gateway(connection, gateway_id, at)
    device_id = devices.register_device(connection, device, PROFILE)
    devices.assign_device(connection, device_id, patient_id, at - ASSIGNED_SINCE)
    return Home(gateway_id, device, patient_id)


def employ_nurse(database: Database, homes: Sequence[Home], at: datetime) -> str:
    """A nurse who cares for the patients of all homes; her password."""
    password = secrets.token_urlsafe(9)
    with open_connection(database.admin_url, "pulsepost-bench") as connection:
        account_id = create_account(
            connection, login=NURSE, password=password, display_name="Nurse", role="nurse", patient_id=None
        )
        for home in homes:
            connection.execute(
                "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, %s)",
                (home.patient_id, account_id, at),
            )
    return password
