"""What the patients measured in the weeks before: for charts, and for trying other limits on (`/what-if`).

Made up, and the same in each demo but for the date. It goes straight into the hypertables, as a database that is
restored from elsewhere would: nobody was called about any of it.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from numpy.random import Generator, default_rng

from cloud.db.connect import Connection, one, open_connection
from deploy.demo import cast
from deploy.demo.clinic import patient
from device_drivers.nomenclature import Mdc

# Before what the devices still hold.
ENDS_BEFORE = timedelta(days=4)
DAYS = 84
NOON, EVENING = time(12, 40), time(19, 15)

# Day (0 is the first) → what came at noon, or in the evening: so many minutes later, and the figures.
_GLUCOSE_SURPRISES = {
    9: ((0, 66), (20, 91)), 23: ((0, 64), (18, 83)), 31: ((0, 262), (65, 271)), 40: ((0, 68), (16, 64)),
    52: ((0, 312), (70, 306)), 66: ((0, 67), (22, 95)),
}  # fmt: skip
_PRESSURE_SURPRISES = {
    14: ((0, 182, 96), (4, 141, 84)), 38: ((0, 184, 99), (3, 186, 97)), 61: ((0, 181, 94), (5, 137, 82)),
}  # fmt: skip


def remember(admin_url: str, at: datetime) -> int:
    """Store it; gives how many readings."""
    chance = default_rng(1958)
    with open_connection(admin_url, "pulsepost-demo") as connection, connection.cursor() as cursor:
        anna, pavel = patient(connection, "anna.lindqvist"), patient(connection, "pavel.novak")
        meter, cuff = _device(connection, "ble-glucometer"), _device(connection, "ble-cuff")
        code = int(Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD)
        glucose = [(*_head(chance, at, anna, meter), value, code) for at, value in _glucose(chance, at)]
        pressure = [(*_head(chance, at, pavel, cuff), *figures) for at, *figures in _pressure(chance, at)]
        cursor.executemany(_INSERT_GLUCOSE, glucose)
        cursor.executemany(_INSERT_PRESSURE, pressure)
    return len(glucose) + len(pressure)


_INSERT_GLUCOSE = """
INSERT INTO glucose_observation (effective_time, received_at, reported_time, reading_id, patient_id, device_id,
                                 value, code, unit, state, sample, time_quality)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'mg/dL', 'measured', 'patient', 'synchronised')
"""
_INSERT_PRESSURE = """
INSERT INTO blood_pressure_observation (effective_time, received_at, reported_time, reading_id, patient_id, device_id,
                                        systolic, diastolic, pulse, unit, state, sample, time_quality)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 71, 'mm[Hg]', 'measured', 'patient', 'synchronised')
"""


def _head(chance: Generator, at: datetime, patient_id: UUID, device_id: str) -> tuple[object, ...]:
    """Heard at once, by the patient's clock."""
    return at, at, at.replace(tzinfo=None).isoformat(), UUID(bytes=chance.bytes(16)), patient_id, device_id


def _days(at: datetime, hour: time) -> Iterator[tuple[int, datetime]]:
    zone = ZoneInfo(cast.ZONE)
    first = (at - ENDS_BEFORE).astimezone(zone).date() - timedelta(days=DAYS)
    for day in range(DAYS):
        yield day, datetime.combine(first + timedelta(days=day), hour, zone)


def _glucose(chance: Generator, at: datetime) -> Iterator[tuple[datetime, int]]:
    for hour, usual in ((time(7, 10), 128), (NOON, 158), (time(18, 20), 166)):
        for day, moment in _days(at, hour):
            if hour == NOON and day in _GLUCOSE_SURPRISES:
                yield from ((moment + timedelta(minutes=after), value) for after, value in _GLUCOSE_SURPRISES[day])
            else:
                yield moment + timedelta(minutes=int(chance.integers(40))), round(chance.normal(usual, 18))


def _pressure(chance: Generator, at: datetime) -> Iterator[tuple[datetime, int, int]]:
    for hour in (time(7, 30), EVENING):
        for day, moment in _days(at, hour):
            if hour == EVENING and day in _PRESSURE_SURPRISES:
                for after, systolic, diastolic in _PRESSURE_SURPRISES[day]:
                    yield moment + timedelta(minutes=after), systolic, diastolic
            else:
                later = moment + timedelta(minutes=int(chance.integers(20)))
                yield later, round(chance.normal(124, 5)), round(chance.normal(76, 4))


def _device(connection: Connection, name: str) -> str:
    (serial_number,) = (device.serial_number for device in cast.DEVICES if device.name == name)
    row = connection.execute("SELECT device_id FROM device WHERE serial_number = %s", (serial_number,)).fetchone()
    device_id: str = one(row)[0]
    return device_id
