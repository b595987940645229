"""Loading a synthetic population into a database: patients, devices, schedules and a year of readings.

Patient n of a seed is the same in every population of that seed and span, so what is there already is left alone: a
load that was broken off goes on where it was. Readings go straight into the hypertables and the ledger by binary
COPY, each into both, and their devices are counted: what holds of stored readings holds of them. No gateway and no
visit stand behind them, and no octets: they came over no link. With a staff, what single readings said is there as
cases.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID, uuid4

import numpy as np

from alerting.histories import SAMPLES, GlucoseSeries, History, PressureSeries
from alerting.synthetic.truth import PatientYear
from alerting.windows import aware, instant
from cloud.db import copying
from cloud.db.connect import Connection, open_connection
from cloud.db.copying import Table
from cloud.devices import store as devices
from deploy.synthetic import cases
from deploy.synthetic.staff import Staff
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, QuantityState

# So many patients are one transaction.
AT_A_TIME = 50

_COMMON = (
    "effective_time", "received_at", "reading_id", "reported_time", "annotations", "patient_id", "device_id",
    "user_index", "context", "time_quality", "unit", "sample", "state",
)  # fmt: skip
_PRESSURE = Table("blood_pressure_observation", (*_COMMON, "systolic", "diastolic", "pulse"))
_GLUCOSE = Table("glucose_observation", (*_COMMON, "code", "value"))
# Read as soon as it was made: the first columns are those of an observation.
_LEDGER = Table(
    "ledger",
    (
        "read_at", "received_at", "reading_id", "reported_time", "fate", "reason", "gateway_id", "device_id",
        "session_id", "kind", "raw",
    ),
)  # fmt: skip
_GATEWAY = "synthetic"
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
    database_url: str,
    years: Iterator[PatientYear],
    zone: str,
    login: str | None,
    told: Callable[[Loaded], None],
    staff: Staff | None = None,
) -> Loaded:
    """All of them; ``login``, if any, cares for them, or the ``staff``, who also has their cases. LoginUnknown."""
    done = Loaded(0, 0)
    with open_connection(database_url, "pulsepost synthetic", autocommit=True) as connection:
        batch = _Batch(connection, zone, _account(connection, login), staff)
        known = {serial for (serial,) in connection.execute("SELECT serial_number FROM device WHERE model = 'Year'")}
        for few in _batches(years):
            with connection.transaction():
                readings = batch.load([year for year in few if _serial(year) not in known])
            done = Loaded(done.patients + len(few), done.readings + readings)
            told(done)
        # The planner knows nothing of them yet. On a busy machine this is no matter of seconds.
        connection.execute("SET statement_timeout = 0")
        connection.execute("ANALYZE")
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


@dataclass(frozen=True, slots=True)
class _Batch:
    """Loads some patients in one transaction, which is the caller's."""

    connection: Connection
    zone: str
    account_id: UUID | None
    staff: Staff | None

    def load(self, years: Sequence[PatientYear]) -> int:
        """How many readings it stored."""
        pressures: list[bytes] = []
        strips: list[bytes] = []
        entries: list[bytes] = []
        worked = cases.Rows()
        with self.connection.pipeline():
            ids = [self._enrol(year) for year in years]
        for year, (patient_id, device_id) in zip(years, ids, strict=True):
            heads = [head for series in year.history.series for head in _heads(year.number, series)]
            kind = Kind.BLOOD_PRESSURE if year.history.pressure else Kind.GLUCOSE
            entries += [head + _entry(device_id, kind) for head in heads]
            for pressure in year.history.pressure:
                pressures += _pressures(pressure, heads, patient_id, device_id)
            for series in year.history.glucose:
                strips += _strips(series, heads, patient_id, device_id)
            if self.staff is not None:
                nurse = self.staff.team(year.number).nurse
                cases.add(worked, year, patient_id, nurse, _reading_ids(year))
        _PRESSURE.copy(self.connection, pressures)
        _GLUCOSE.copy(self.connection, strips)
        _LEDGER.copy(self.connection, entries)
        worked.write(self.connection)
        return len(entries)

    def _enrol(self, year: PatientYear) -> tuple[UUID, str]:
        """The patient with a device since the start, and a schedule."""
        connection, history, patient_id = self.connection, year.history, uuid4()
        connection.execute(
            "INSERT INTO patient (patient_id, display_name, time_zone) VALUES (%s, %s, %s)",
            (patient_id, f"Synthetic {year.number:06}", self.zone),
        )
        identity = DeviceIdentity(manufacturer="Synthetic", model="Year", serial_number=_serial(year))
        device_id = devices.register_device(connection, identity)
        devices.assign_device(connection, device_id, patient_id, history.start)
        connection.execute(
            "UPDATE device SET readings_known = %s, last_measured_at = %s WHERE device_id = %s",
            (history.readings, _last_measured(history), device_id),
        )
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
        for account_id in self._carers(year):
            connection.execute(
                "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, %s)",
                (patient_id, account_id, history.start),
            )
        return patient_id, device_id

    def _carers(self, year: PatientYear) -> Sequence[UUID]:
        if self.staff is not None:
            return self.staff.team(year.number).everybody
        return () if self.account_id is None else (self.account_id,)


def _last_measured(history: History) -> datetime | None:
    """Of the patient's own samples."""
    times = [
        *(series.window.times.max() for series in history.pressure if len(series.window)),
        *(series.own.times.max() for series in history.glucose if len(series.own)),
    ]
    return aware(max(times)) if times else None


# Rows ---------------------------------------------------------------------------------------------------------------


def _pressures(series: PressureSeries, heads: Sequence[bytes], patient_id: UUID, device_id: str) -> Iterator[bytes]:
    rows = series.window
    digits = _DIGITS[rows.unit]
    tail = _same_for_all(patient_id, device_id, rows.unit) + _of_sample(0, QuantityState.MEASURED)
    # A cuff's flags, as its driver names them.
    annotations = [_annotations(*of) for of in zip(rows.irregular.tolist(), rows.moved.tolist(), strict=True)]
    figures = zip(rows.systolic.tolist(), rows.diastolic.tolist(), rows.pulse.tolist(), strict=True)
    for head, flags, (systolic, diastolic, pulse) in zip(heads, annotations, figures, strict=True):
        yield b"".join((head, flags, tail, _figure(systolic, digits), _figure(diastolic, digits), _figure(pulse, 0)))


def _strips(series: GlucoseSeries, heads: Sequence[bytes], patient_id: UUID, device_id: str) -> Iterator[bytes]:
    rows = series.window
    same = _same_for_all(patient_id, device_id, rows.unit)
    for head, value, sample, fasting in zip(
        heads, rows.values.tolist(), series.samples.tolist(), rows.fasting.tolist(), strict=True
    ):
        state = {np.inf: QuantityState.ABOVE_RANGE, -np.inf: QuantityState.BELOW_RANGE}.get(
            value, QuantityState.MEASURED
        )
        of_strip = _fasting(fasting), same, _of_sample(sample, state), _CODE, _figure(value, _DIGITS[rows.unit])
        yield b"".join((head, *of_strip))


def _heads(number: int, series: PressureSeries | GlucoseSeries) -> Iterator[bytes]:
    """Both times, an id, and the device's wall clock: the first columns of a row, packed column by column."""
    times = series.window.times
    size = 4 + 8 + 4 + 8 + 4 + 16
    packed = np.zeros(
        len(times), dtype=[("n", ">i4"), ("at", ">i8"), ("m", ">i4"), ("got", ">i8"), ("o", ">i4"), ("id", "V16")]
    )
    packed["n"], packed["m"], packed["o"] = 8, 8, 16
    packed["at"] = (times - _EPOCH).astype(np.int64)
    packed["got"] = (series.received - _EPOCH).astype(np.int64)
    packed["id"] = np.frombuffer(_ids(number, len(times)), dtype="V16")
    octets = packed.tobytes()
    for n, shown in enumerate(np.datetime_as_string(series.window.local, unit="s").tolist()):
        yield octets[n * size : (n + 1) * size] + copying.text(shown)


def _ids(number: int, many: int) -> bytes:
    """The reading_ids of a patient, one after the other. A patient of a synthetic year has one series."""
    return np.random.default_rng((number, 1)).bytes(16 * many)


def _reading_ids(year: PatientYear) -> Callable[[datetime], UUID]:
    """By the time of measurement."""
    octets, times = _ids(year.number, len(year.times)), year.times

    def reading_id(at: datetime) -> UUID:
        place = 16 * int(np.searchsorted(times, instant(at)))
        return UUID(bytes=octets[place : place + 16])

    return reading_id


@lru_cache(maxsize=2)
def _entry(device_id: str, kind: Kind) -> bytes:
    """The rest of a row of the ledger."""
    return b"".join(
        (
            copying.text("stored"),
            copying.text(None),
            copying.text(_GATEWAY),
            copying.text(device_id),
            copying.uuid(UUID(int=0).hex),
            copying.text(kind.value),
            copying.bytea(b""),
        )
    )


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
