"""Loading a synthetic population into a database: patients, devices, schedules and a year of readings.

Patient n of a seed is the same in every population of that seed and span, so what is there already is left alone: a
load that was broken off goes on where it was. Readings go straight into the hypertables by binary COPY, without ledger,
sessions and alerts: what the cloud has judged is not part of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

import numpy as np

from alerting.histories import SAMPLES, GlucoseSeries, PressureSeries
from alerting.synthetic.truth import PatientYear
from alerting.windows import Times
from cloud.db import copying
from cloud.db.connect import Connection, one, open_connection
from cloud.db.copying import Table
from cloud.devices import store as devices
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import QuantityState

# So many patients are one transaction.
AT_A_TIME = 50

_COMMON = (
    "effective_time", "received_at", "reading_id", "reported_time", "annotations", "patient_id", "device_id",
    "user_index", "context", "time_quality", "unit", "sample", "state",
)  # fmt: skip
_PRESSURE = Table("blood_pressure_observation", (*_COMMON, "systolic", "diastolic", "pulse"))
_GLUCOSE = Table("glucose_observation", (*_COMMON, "code", "value"))
_EPOCH = np.datetime64("2000-01-01", "us")
# After the point, as devices show them.
_DIGITS = {Unit.MM_HG: 0, Unit.KPA: 1, Unit.MG_DL: 0, Unit.MMOL_L: 1}
_CODE = copying.int4(Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD)


class LoginUnknown(Exception):
    """Nobody has this login, so nobody would see the patients."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How far it is."""

    patients: int
    readings: int


def load(
    database_url: str, years: Iterator[PatientYear], zone: str, login: str | None, told: Callable[[Loaded], None]
) -> Loaded:
    """All of them; ``login``, if any, cares for them. LoginUnknown."""
    done = Loaded(0, 0)
    with open_connection(database_url, "pulsepost synthetic", autocommit=True) as connection:
        account_id = _account(connection, login)
        known = {serial for (serial,) in connection.execute("SELECT serial_number FROM device WHERE model = 'Year'")}
        for few in _batches(years):
            with connection.transaction():
                readings = _batch(connection, [year for year in few if _serial(year) not in known], zone, account_id)
            done = Loaded(done.patients + len(few), done.readings + readings)
            told(done)
        # The planner knows nothing of them yet.
        connection.execute("ANALYZE blood_pressure_observation, glucose_observation")
    return done


def _batches(years: Iterator[PatientYear]) -> Iterator[list[PatientYear]]:
    few: list[PatientYear] = []
    for year in years:
        few.append(year)
        if len(few) == AT_A_TIME:
            yield few
            few = []
    if few:
        yield few


def _account(connection: Connection, login: str | None) -> UUID | None:
    if login is None:
        return None
    row = connection.execute("SELECT account_id FROM account WHERE login = %s", (login,)).fetchone()
    if row is None:
        raise LoginUnknown(f"nobody has the login {login!r}")
    account_id: UUID = row[0]
    return account_id


def _serial(year: PatientYear) -> str:
    return f"S{year.number:06}"


def _batch(connection: Connection, years: Sequence[PatientYear], zone: str, account_id: UUID | None) -> int:
    pressures: list[bytes] = []
    strips: list[bytes] = []
    for year in years:
        patient_id, device_id = _enrol(connection, year, zone, account_id)
        for pressure in year.history.pressure:
            pressures += _pressures(pressure, year.number, patient_id, device_id)
        for series in year.history.glucose:
            strips += _strips(series, year.number, patient_id, device_id)
    _PRESSURE.copy(connection, pressures)
    _GLUCOSE.copy(connection, strips)
    return len(pressures) + len(strips)


def _enrol(connection: Connection, year: PatientYear, zone: str, account_id: UUID | None) -> tuple[UUID, str]:
    """The patient with a device since the start, and a schedule."""
    history = year.history
    patient_id: UUID = one(
        connection.execute(
            "INSERT INTO patient (display_name, time_zone) VALUES (%s, %s) RETURNING patient_id",
            (f"Synthetic {year.number:06}", zone),
        ).fetchone()
    )[0]
    identity = DeviceIdentity(manufacturer="Synthetic", model="Year", serial_number=_serial(year))
    device_id = devices.register_device(connection, identity)
    devices.assign_device(connection, device_id, patient_id, history.start)
    connection.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid, heightened_until)"
        " VALUES (%s, 'standard', tstzrange(%s, NULL), %s)",
        (patient_id, history.start, history.heightened_until),
    )
    for schedule in history.schedules:
        for slot in schedule.slots:
            connection.execute(
                "INSERT INTO measurement_slot (patient_id, kind, at, weekdays, before, after, valid)"
                " VALUES (%s, %s, %s, %s, %s, %s, tstzrange(%s, NULL))",
                (patient_id, schedule.kind.value, slot.at, sorted(slot.weekdays), slot.before, slot.after,
                 schedule.since),
            )  # fmt: skip
    if account_id is not None:
        connection.execute(
            "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, %s)",
            (patient_id, account_id, history.start),
        )
    return patient_id, device_id


# Rows ---------------------------------------------------------------------------------------------------------------


def _pressures(series: PressureSeries, number: int, patient_id: UUID, device_id: str) -> Iterator[bytes]:
    rows = series.window
    digits = _DIGITS[rows.unit]
    tail = _same_for_all(patient_id, device_id, rows.unit) + _of_sample(0, QuantityState.MEASURED)
    heads = _heads(number, rows.times, series.received, rows.local)
    # A cuff's flags, as its driver names them.
    annotations = [_annotations(*of) for of in zip(rows.irregular.tolist(), rows.moved.tolist(), strict=True)]
    figures = zip(rows.systolic.tolist(), rows.diastolic.tolist(), rows.pulse.tolist(), strict=True)
    for head, flags, (systolic, diastolic, pulse) in zip(heads, annotations, figures, strict=True):
        yield b"".join((head, flags, tail, _figure(systolic, digits), _figure(diastolic, digits), _figure(pulse, 0)))


def _strips(series: GlucoseSeries, number: int, patient_id: UUID, device_id: str) -> Iterator[bytes]:
    rows = series.window
    same = _same_for_all(patient_id, device_id, rows.unit)
    heads = _heads(number, rows.times, series.received, rows.local)
    for head, value, sample, fasting in zip(
        heads, rows.values.tolist(), series.samples.tolist(), rows.fasting.tolist(), strict=True
    ):
        state = {np.inf: QuantityState.ABOVE_RANGE, -np.inf: QuantityState.BELOW_RANGE}.get(
            value, QuantityState.MEASURED
        )
        of_strip = _fasting(fasting), same, _of_sample(sample, state), _CODE, _figure(value, _DIGITS[rows.unit])
        yield b"".join((head, *of_strip))


def _heads(number: int, times: Times, received: Times, local: Times) -> Iterator[bytes]:
    """Both times, an id, and the device's wall clock: the first columns of a row, packed column by column."""
    size = 4 + 8 + 4 + 8 + 4 + 16
    packed = np.zeros(
        len(times), dtype=[("n", ">i4"), ("at", ">i8"), ("m", ">i4"), ("got", ">i8"), ("o", ">i4"), ("id", "V16")]
    )
    packed["n"], packed["m"], packed["o"] = 8, 8, 16
    packed["at"] = (times - _EPOCH).astype(np.int64)
    packed["got"] = (received - _EPOCH).astype(np.int64)
    packed["id"] = np.frombuffer(np.random.default_rng((number, 1)).bytes(16 * len(times)), dtype="V16")
    octets = packed.tobytes()
    for n, shown in enumerate(np.datetime_as_string(local, unit="s").tolist()):
        yield octets[n * size : (n + 1) * size] + copying.text(shown)


def _same_for_all(patient_id: UUID, device_id: str, unit: Unit) -> bytes:
    return b"".join(
        (
            copying.uuid(patient_id.hex),
            copying.text(device_id),
            copying.int2(None),
            copying.jsonb({}),
            copying.text("synchronised"),
            copying.text(unit),
        )
    )


@lru_cache
def _of_sample(sample: int, state: QuantityState) -> bytes:
    return copying.text(SAMPLES[sample]) + copying.text(state)


@lru_cache
def _annotations(irregular: bool, moved: bool) -> bytes:
    given = (("irregular_pulse", irregular), ("body_movement", moved))
    return copying.text_array(tuple(name for name, is_set in given if is_set))


@lru_cache
def _fasting(fasting: bool) -> bytes:
    return copying.text_array(("fasting",) if fasting else ())


@lru_cache(maxsize=8192)
def _figure(value: float, digits: int) -> bytes:
    """As the device shows it; HI and LO have none."""
    return copying.numeric(Decimal(f"{value:.{digits}f}")) if np.isfinite(value) else copying.NULL
