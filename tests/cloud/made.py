"""Readings, messages and people as the cloud's tests need them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any, LiteralString
from uuid import UUID, uuid4

import msgspec
from psycopg import sql

from cloud.db.connect import Connection, one, open_connection
from cloud.devices import store as devices
from cloud.ingest.arrivals import Arrival
from cloud.ingest.handle import handle
from cloud.ingest.receipts import Outcome
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from gateway.wire import v1
from tests.fix_services import Database

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GATEWAY = "gw-home"
METER = DeviceIdentity(manufacturer="LifeScan", model="OneTouch Ultra 2", serial_number="XYZ1234")
CUFF = DeviceIdentity(manufacturer="A&D", model="UA-651BLE", system_id="00091f0000b1c2d3", firmware="1.0")


def reported(time: datetime) -> ReportedTime:
    """A device whose clock shows UTC."""
    local = time.replace(tzinfo=None)
    return ReportedTime(local.isoformat(), local)


def glucose(
    value: str | None = "100",
    at: datetime = NOW - timedelta(minutes=2),
    *,
    unit: Unit = Unit.MG_DL,
    state: QuantityState = QuantityState.MEASURED,
    sample: Sample = Sample.PATIENT,
    sequence_number: int | None = None,
    annotations: tuple[str, ...] = (),
    device: DeviceIdentity = METER,
) -> Reading:
    """A blood-glucose reading; a value of None needs a state."""
    quantity = Quantity(Decimal(value) if value is not None else None, unit, state)
    return Reading(
        device=device,
        kind=Kind.GLUCOSE,
        components=(Component(Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD, quantity),),
        reported_time=reported(at),
        profile="lifescan-ultra2",
        raw=b"\x01\x02\x03",
        sample=sample,
        sequence_number=sequence_number,
        annotations=annotations,
    )


def ketone(value: str, at: datetime = NOW - timedelta(minutes=2), device: DeviceIdentity = METER) -> Reading:
    """A blood-ketone reading of the same meter."""
    component = Component(Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD, Quantity(Decimal(value), Unit.MMOL_L))
    return replace(glucose(at=at, device=device), kind=Kind.KETONE, components=(component,))


def pressure(
    systolic: str | None = "120",
    diastolic: str | None = "80",
    *,
    at: datetime = NOW - timedelta(minutes=2),
    pulse: str | None = "70",
    mean: str | None = None,
    unit: Unit = Unit.MM_HG,
    state: QuantityState = QuantityState.MEASURED,
    user_index: int | None = None,
    device: DeviceIdentity = CUFF,
) -> Reading:
    """A blood-pressure reading; None leaves the figure out, or makes it a non-number with a state."""
    figures = [
        Component(code, Quantity(Decimal(value) if value is not None else None, unit, state))
        for code, value in ((Mdc.PRESS_BLD_NONINV_SYS, systolic), (Mdc.PRESS_BLD_NONINV_DIA, diastolic))
    ]
    if mean is not None:
        figures.append(Component(Mdc.PRESS_BLD_NONINV_MEAN, Quantity(Decimal(mean), unit)))
    if pulse is not None:
        figures.append(Component(Mdc.PULS_RATE_NON_INV, Quantity(Decimal(pulse), Unit.PER_MIN)))
    return Reading(
        device=device,
        kind=Kind.BLOOD_PRESSURE,
        components=tuple(figures),
        reported_time=reported(at),
        profile="and-ua-651ble",
        raw=b"\x1e\x02",
        user_index=user_index,
    )


def session(device: DeviceIdentity = METER, *, clock: datetime | None = NOW) -> v1.WireSession:
    """A visit at which the device's clock showed ``clock`` (None: it could not be read) while it was NOW."""
    return v1.WireSession(
        session_id=uuid4().hex,
        device=v1.wire_device(device),
        started_at=NOW,
        profile="lifescan-ultra2",
        device_time=clock.replace(tzinfo=None).isoformat() if clock else None,
        gateway_time=NOW if clock else None,
        holds=3,
    )


def message(*readings: Reading, visit: v1.WireSession | None = None) -> v1.ReadingsMessage:
    """One message of readings of one device."""
    visit = visit or session(readings[0].device)
    return v1.ReadingsMessage(
        v=1,
        message_id=uuid4().hex,
        session=visit,
        readings=tuple(v1.wire_reading(r, visit.started_at) for r in readings),
    )


def arrival(
    content: v1.ReadingsMessage | bytes, *, gateway_id: str = GATEWAY, at: datetime = NOW, kept_s: int | None = 0
) -> Arrival:
    """A message as the broker hands it over."""
    if isinstance(content, bytes):
        payload, correlation = content, b"\x07" * 16
    else:
        payload, correlation = v1.encode(content), bytes.fromhex(content.message_id)
    return Arrival(gateway_id=gateway_id, payload=payload, correlation=correlation, received_at=at, kept_s=kept_s)


def sent(*readings: Reading, visit: v1.WireSession | None = None) -> Arrival:
    """Readings of one device, as they arrive."""
    return arrival(message(*readings, visit=visit))


@dataclass(frozen=True)
class Ward:
    """A database with one nurse, one patient, one gateway, a meter and a cuff that the patient has had for a year."""

    database: Database
    admin: Connection
    ingest: Connection
    patient_id: UUID
    nurse_id: UUID

    def receive(self, *arrivals: Arrival, at: datetime = NOW) -> Sequence[Outcome]:
        """What the ingest worker does with a batch."""
        return handle(self.ingest, arrivals, lambda: at)

    def fates(self, *arrivals: Arrival) -> list[tuple[v1.Fate, str | None]]:
        """The receipts of a batch in short."""
        return [(r.fate, r.reason) for outcome in self.receive(*arrivals) for r in outcome.receipts.receipts]

    def count(self, table: str) -> int:
        """Rows of a table."""
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        number: int = one(self.admin.execute(query).fetchone())[0]
        return number

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        """What a query gives the administrator."""
        return list(self.admin.execute(query))


def new_patient(connection: Connection, name: str = "Asta Example", *, training: bool = False) -> UUID:
    """A patient of that name."""
    row = connection.execute(
        "INSERT INTO patient (display_name, time_zone, training) VALUES (%s, 'Europe/Copenhagen', %s)"
        " RETURNING patient_id",
        (name, training),
    ).fetchone()
    patient_id: UUID = one(row)[0]
    return patient_id


def expect(connection: Connection, patient_id: UUID, *, kind: str = "glucose", at: str = "13:00") -> None:
    """The patient measures each day at this time since a month ago; NOW is 13:00 in Copenhagen."""
    connection.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, valid) VALUES (%s, %s, %s, tstzrange(%s, NULL))",
        (patient_id, kind, at, NOW - timedelta(days=30)),
    )


def new_nurse(connection: Connection, login: str = "nurse") -> UUID:
    """A nurse who cannot log in."""
    row = connection.execute(
        "INSERT INTO account (login, display_name, role, password_hash) VALUES (%s, 'Nurse Nielsen', 'nurse', '-')"
        " RETURNING account_id",
        (login,),
    ).fetchone()
    account_id: UUID = one(row)[0]
    return account_id


def made_ward(database: Database) -> Ward:
    """Fill a fresh database; the caller closes both connections."""
    admin = open_connection(database.admin_url, "test admin", autocommit=True)
    ingest = open_connection(database.ingest_url, "test ingest", autocommit=True)
    patient_id, nurse_id = new_patient(admin), new_nurse(admin)
    year_ago = NOW - timedelta(days=365)
    devices.enrol_gateway(admin, GATEWAY, year_ago)
    for device in (METER, CUFF):
        devices.assign_device(admin, devices.register_device(admin, device), patient_id, year_ago)
    return Ward(database, admin, ingest, patient_id, nurse_id)


def changed(content: v1.ReadingsMessage, **fields: object) -> v1.ReadingsMessage:
    """The same message with its first reading's fields changed, as no gateway of ours would send it."""
    first, *rest = content.readings
    return msgspec.structs.replace(content, readings=(msgspec.structs.replace(first, **fields), *rest))


def wait_for_a_lock(ward: Ward, timeout_s: float = 20.0) -> None:
    """Return once somebody in this database waits for a lock that another transaction holds."""
    patience, waiting = Event(), 0
    for _ in range(int(timeout_s / 0.02)):
        [(waiting,)] = ward.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        if waiting:
            return
        patience.wait(0.02)
    raise AssertionError("nobody waits for a lock")
