"""A synthetic year with known truth: patients whose measurements, misses, artefacts and injected crises follow the
published load.

What is held to: van Steenkiste 2025 (JMIR Med Inform 13:e66066; 174 users, 207 days each): 0.84 measurements per
patient-day, 57 % of them raise an alert, and 79 % of these need nobody. Their rules are not published in full; a
measurement with a reading at or above the home limit of 135/85 stands for "raises an alert" here, and "needs somebody"
is a measurement in an injected worsening or crisis. ``published_load`` computes the three figures from a population,
and a test holds them. Everything else (how often crises, silences, outages and artefacts occur) is this project's
assumption, written as a constant below.

Seeded and pure: the caller brings numpy's Generator; patients come from its children, so that patient 7 is the same in
a population of 10 and of 1,000.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from alerting.adherence import Schedule, Slot
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.vigilance import HEIGHTENED_FOR
from alerting.windows import Column, Flags, GlucoseWindow, PressureWindow, Times
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind


class Truth(IntEnum):
    """What a reading truly is."""

    ORDINARY = 0
    TRANSIENT = 1  # a true peak that is gone minutes later
    ARTEFACT = 2  # moved, spoken, a wrong cuff
    WORSENING = 3  # weeks of pressure above the patient's own level, until treatment changes
    CRISIS = 4


class CrisisKind(StrEnum):
    """What was injected."""

    SEVERE_HYPERTENSION = "severe_hypertension"
    HYPOTENSION = "hypotension"
    HYPOGLYCAEMIA = "hypoglycaemia"
    HYPERGLYCAEMIA = "hyperglycaemia"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crisis:
    """An injected crisis: its first reading, whether the patient measured again, and whether it reached us late."""

    kind: CrisisKind
    at: datetime
    last_at: datetime
    measured_again: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A stretch of time: a worsening, or a silence."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatientYear:
    """One patient's history and the truth about it. A patient has one series: of blood pressure or of glucose.

    ``truth`` has a Truth for each reading, ``measurement`` numbers the sittings.
    """

    number: int
    history: History
    truth: NDArray[np.int8]
    measurement: NDArray[np.int64]
    crises: tuple[Crisis, ...]
    worsenings: tuple[Spell, ...]
    fibrillates: bool

    @property
    def times(self) -> Times:
        """When each reading was made."""
        [series] = self.history.series
        return series.window.times

    @property
    def received(self) -> Times:
        """When each reading reached us."""
        [series] = self.history.series
        return series.received


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The three published figures, of a synthetic population's blood pressures."""

    measurements_per_patient_day: float
    raised: float  # share of the measurements with a reading at or above 135/85
    need_nobody: float  # share of these outside worsenings and crises


# Assumptions, per patient and year where nothing else is said.
DIABETES_SHARE = 0.3
CRISES_A_YEAR = 0.6
WORSENINGS_A_YEAR = 2.4
WORSENING_DAYS = 28
WORSENING_MMHG = 16.0
SILENCES_A_YEAR = 1.0
OUTAGES_A_YEAR = 1.0
LATE_SHARE = 0.01  # of the measurements, beside outages
MEASURES_AGAIN = 0.8  # of those in a crisis
ARTEFACTS = 0.004  # of the readings
TRANSIENTS = 0.002  # of the measurements
FIBRILLATION = 0.03  # of the patients
KPA_CUFFS = 0.1
MMOL_METERS = 0.4

_DAY = np.timedelta64(1, "D")
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The span of the year and the zone's offset in each of its hours."""

    start: date
    days: int
    zone: tzinfo
    offsets: NDArray[np.int64]  # µs to add to UTC, by hours since two days before the start

    @property
    def first_hour(self) -> np.datetime64:
        """The hour of the first offset."""
        return np.datetime64(self.start, "us") - 2 * _DAY

    def local(self, times: Times) -> Times:
        """The patient's wall clock."""
        hours = ((times - self.first_hour) // np.timedelta64(1, "h")).astype(np.int64)
        shown: Times = times + self.offsets[hours].astype("timedelta64[us]")
        return shown

    def utc(self, day: NDArray[np.int64], minute: Column) -> Times:
        """The time at which the wall clock of this day shows this minute, by the offset of the day's noon."""
        noon = (day + 2) * 24 + 12
        local = np.datetime64(self.start, "us") + day.astype("timedelta64[D]")
        times: Times = (
            local
            + (minute * _MINUTE_US).astype(np.int64).astype("timedelta64[us]")
            - self.offsets[noon].astype("timedelta64[us]")
        )
        return times


def calendar(start: date, days: int, zone: tzinfo) -> Calendar:
    """The zone's offsets, worked out once for all patients."""
    first = datetime.combine(start, time(), tzinfo=UTC) - timedelta(days=2)
    hours = (first + timedelta(hours=n) for n in range((days + 8) * 24))
    offsets = [(hour.astimezone(zone).utcoffset() or timedelta()) // timedelta(microseconds=1) for hour in hours]
    return Calendar(start=start, days=days, zone=zone, offsets=np.array(offsets, dtype=np.int64))


def population(rng: np.random.Generator, patients: int, over: Calendar) -> Iterator[PatientYear]:
    """The patients one after the other, each from a child of the generator."""
    for number, child in enumerate(rng.spawn(patients)):
        make = _diabetes_year if child.random() < DIABETES_SHARE else _pressure_year
        yield make(child, number, over)


def published_load(years: Iterator[PatientYear]) -> Load:
    """The figures to hold against the published ones; control of the home limit in the cuff's own unit."""
    measurements, raised, somebody, patient_days = 0, 0, 0, 0
    for year in years:
        if not year.history.pressure:
            continue
        window = year.history.pressure[0].window
        systolic, diastolic = (135.0, 85.0) if window.unit is Unit.MM_HG else (18.0, 11.3)
        above = (window.systolic >= systolic) | (window.diastolic >= diastolic)
        needs = np.isin(year.truth, (Truth.WORSENING, Truth.CRISIS))
        count = int(year.measurement.max()) + 1
        any_above = np.bincount(year.measurement, weights=above, minlength=count) > 0
        any_needs = np.bincount(year.measurement, weights=needs, minlength=count) > 0
        measurements += count
        raised += int(any_above.sum())
        somebody += int((any_above & any_needs).sum())
        patient_days += year.history.days
    return Load(
        measurements_per_patient_day=measurements / patient_days,
        raised=raised / measurements,
        need_nobody=1 - somebody / raised,
    )


# Blood pressure -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habit:
    """When a patient measures, and how often in one sitting."""

    day: NDArray[np.int64]
    minute: Column
    readings: int
    slots: tuple[Slot, ...]


def _pressure_year(rng: np.random.Generator, number: int, over: Calendar) -> PatientYear:
    habit = _habit(rng, over.days)
    silent = _days_of(_spells(rng, SILENCES_A_YEAR, (3, 10), over.days), over.days)
    kept = ~silent[habit.day]
    times = over.utc(habit.day[kept], habit.minute[kept])
    crises = _times_in_year(rng, CRISES_A_YEAR, over)
    worse = _spells(rng, WORSENINGS_A_YEAR, (WORSENING_DAYS, WORSENING_DAYS), over.days)
    order = np.argsort(np.concatenate([times, crises]), kind="stable")
    times = np.concatenate([times, crises])[order]
    is_crisis = np.concatenate([np.zeros(len(times) - len(crises), bool), np.ones(len(crises), bool)])[order]
    # Nobody sits down twice within half an hour: what a crisis overtakes was not measured.
    clear = _apart_from(times, is_crisis)
    times, is_crisis = times[clear], is_crisis[clear]
    return _sittings(rng, number, over, habit, times, is_crisis, worse)


def _sittings(
    rng: np.random.Generator,
    number: int,
    over: Calendar,
    habit: _Habit,
    times: Times,
    is_crisis: Flags,
    worse: list[tuple[int, int]],
) -> PatientYear:
    sittings = len(times)
    again = rng.random(sittings) < MEASURES_AGAIN
    transient = ~is_crisis & (rng.random(sittings) < TRANSIENTS)
    counts = np.full(sittings, habit.readings)
    counts[is_crisis] = np.where(again[is_crisis], 3, 1)
    counts[transient] = 3
    measurement = np.repeat(np.arange(sittings), counts)
    nth = np.arange(len(measurement)) - np.repeat(np.cumsum(counts) - counts, counts)
    # A first reading is higher by habit; then 1 to 3 minutes between two.
    at = times[measurement] + (nth * rng.integers(60, 180, sittings)[measurement]).astype("timedelta64[s]")
    day = np.clip(((over.local(times) - np.datetime64(over.start, "us")) // _DAY).astype(int), 0, over.days - 1)
    worsening = _worsening(worse, over.days)
    systolic, diastolic = _levels(rng, day, worsening)
    sys = systolic[measurement] + 3.0 * (nth == 0) + rng.normal(0, 4, len(measurement))
    dia = diastolic[measurement] + 1.5 * (nth == 0) + rng.normal(0, 3, len(measurement))
    truth = np.where(worsening[day] > 0, Truth.WORSENING, Truth.ORDINARY)[measurement].astype(np.int8)
    artefact = rng.random(len(measurement)) < ARTEFACTS
    sys, dia = sys + artefact * rng.choice([-35.0, 45.0], len(sys)), dia + artefact * rng.choice([-15, 20], len(sys))
    truth[artefact] = Truth.ARTEFACT
    first_of_transient = transient[measurement] & (nth == 0)
    sys[first_of_transient] = rng.uniform(181, 205, int(first_of_transient.sum()))
    truth[first_of_transient] = Truth.TRANSIENT
    kinds = np.where(rng.random(sittings) < 0.75, 0, 1)
    _write_crises(rng, measurement, is_crisis, kinds, sys, dia)
    truth[is_crisis[measurement]] = Truth.CRISIS
    sys, dia = np.clip(sys, 55, 270), np.clip(dia, 32, 170)
    dia = np.minimum(dia, sys - 12)
    received = _received(rng, over, times)[measurement] + (at - times[measurement])
    fibrillates = bool(rng.random() < FIBRILLATION)
    unit = Unit.KPA if rng.random() < KPA_CUFFS else Unit.MM_HG
    window = PressureWindow(
        unit=unit,
        times=at,
        local=over.local(at),
        devices=np.zeros(len(at), dtype=np.int64),
        systolic=_shown(sys, unit),
        diastolic=_shown(dia, unit),
        pulse=np.clip(np.round(rng.normal(rng.normal(70, 7), 5, len(at))), 42, 108),
        irregular=rng.random(len(at)) < (0.7 if fibrillates else 0.005),
        moved=artefact & (rng.random(len(at)) < 0.7),
    )
    names = (CrisisKind.SEVERE_HYPERTENSION, CrisisKind.HYPOTENSION)
    return PatientYear(
        number=number,
        history=_history(
            over, _schedule(Kind.BLOOD_PRESSURE, over, habit.slots), PressureSeries(window=window, received=received)
        ),
        truth=truth,
        measurement=measurement,
        crises=tuple(
            _crisis(names[kinds[n]], at[measurement == n], received[measurement == n])
            for n in np.flatnonzero(is_crisis)
        ),
        worsenings=tuple(_spell_of(spell, over) for spell in worse),
        fibrillates=fibrillates,
    )


def _habit(rng: np.random.Generator, days: int) -> _Habit:
    """Once a day, twice a day, or one whole week of four by the 722 protocol and once a week between."""
    kind, diligence = rng.random(), rng.beta(9, 2.2)
    day = np.arange(days)
    morning, evening = rng.uniform(6.5, 9.0) * 60, rng.uniform(19.0, 22.0) * 60
    readings = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    slots: tuple[Slot, ...]
    if kind < 0.6:
        wanted, slots = [(day, morning)], (Slot(at=_clock(morning)),)
    elif kind < 0.85:
        wanted, slots = [(day, morning), (day, evening)], (Slot(at=_clock(morning)), Slot(at=_clock(evening)))
        diligence *= 0.8
    else:
        readings = 2
        week = day[(day % 28 < 7) | (day % 7 == 0)]
        wanted, slots = (
            [(week, morning), (week[week % 28 < 7], evening)],
            (Slot(at=_clock(morning), weekdays=frozenset({0})),),
        )
    found_days = np.concatenate([of for of, _ in wanted])
    minutes = np.concatenate([np.full(len(of), minute) for of, minute in wanted])
    kept = rng.random(len(found_days)) < diligence
    jitter = rng.normal(0, 25, len(found_days))
    return _Habit(day=found_days[kept], minute=(minutes + jitter)[kept], readings=readings, slots=slots)


def _levels(rng: np.random.Generator, day: NDArray[np.int64], worsening: Column) -> tuple[Column, Column]:
    """The pressures of each sitting: the patient's own level, the day, the sitting, and a worsening."""
    own = rng.normal(_OWN_SYSTOLIC, 10)
    own_diastolic = 78 + 0.35 * (own - _OWN_SYSTOLIC) + rng.normal(0, 5)
    of_day = rng.normal(0, 5, len(worsening))
    sitting = rng.normal(0, 5, len(day))
    shift = of_day[day] + sitting
    return own + shift + worsening[day], own_diastolic + 0.5 * shift + 0.4 * worsening[day]


_OWN_SYSTOLIC = 129.5


def _write_crises(
    rng: np.random.Generator,
    measurement: NDArray[np.int64],
    is_crisis: Flags,
    kinds: NDArray[np.int64],
    sys: Column,
    dia: Column,
) -> None:
    """A crisis holds through its sitting: every reading of it is beyond the limit, in kPa too."""
    for n in np.flatnonzero(is_crisis):
        rows = measurement == n
        if kinds[n] == 0:
            sys[rows] = rng.uniform(186, 215) + rng.normal(0, 1.5, int(rows.sum()))
            dia[rows] = rng.uniform(100, 128)
        else:
            sys[rows] = rng.uniform(66, 84) + rng.normal(0, 1, int(rows.sum()))
            dia[rows] = rng.uniform(40, 52)


# Glucose ------------------------------------------------------------------------------------------------------------


_STRIP = np.dtype(
    [("time", "datetime64[us]"), ("value", np.float64), ("truth", np.int8), ("sample", np.int8), ("fasting", np.bool_)]
)


def _diabetes_year(rng: np.random.Generator, number: int, over: Calendar) -> PatientYear:
    minutes = np.array([rng.uniform(6.5, 8.5), rng.uniform(17.5, 19.5), rng.uniform(21.5, 23.0)]) * 60
    a_day = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
    day = np.repeat(np.arange(over.days), a_day)
    kept = rng.random(len(day)) < rng.beta(9, 2.2)
    kept &= ~_days_of(_spells(rng, SILENCES_A_YEAR, (3, 10), over.days), over.days)[day]
    slot = np.tile(np.arange(a_day), over.days)
    times = over.utc(day, minutes[slot] + rng.normal(0, 20, len(day)))[kept]
    level = rng.normal(np.log(140), 0.15)
    values = np.exp(rng.normal(level, rng.uniform(0.18, 0.30), len(times)))
    truth = np.full(len(times), Truth.ORDINARY, dtype=np.int8)
    samples = np.zeros(len(times), dtype=np.int8)
    fasting = (slot == 0)[kept]
    # A control solution a month or so, high or low on purpose, marked; and a test strip.
    control = rng.random(len(times)) < 1 / (30 * a_day)
    values[control] = rng.choice([48.0, 320.0], int(control.sum()))
    samples[control] = np.where(rng.random(int(control.sum())) < 0.8, 1, 2)
    crises = _glucose_crises(rng, over)
    return _strips(rng, number, over, (times, values, truth, samples, fasting & ~control), crises, minutes[:a_day])


def _strips(
    rng: np.random.Generator,
    number: int,
    over: Calendar,
    ordinary: tuple[Times, Column, NDArray[np.int8], NDArray[np.int8], Flags],
    crises: list[tuple[CrisisKind, Times, Column]],
    minutes: Column,
) -> PatientYear:
    strips = np.array(list(zip(*ordinary, strict=True)), dtype=_STRIP)
    for _, at, _ in crises:
        strips = strips[np.abs(strips["time"] - at[0]) >= np.timedelta64(3, "h")]
    injected = [
        (when, value, Truth.CRISIS, 0, False)
        for _, at, figures in crises
        for when, value in zip(at, figures, strict=True)
    ]
    strips = np.sort(np.concatenate([strips, np.array(injected, dtype=_STRIP)]), order="time", kind="stable")
    times, values = strips["time"], strips["value"]
    received = _received(rng, over, times)
    unit = Unit.MMOL_L if rng.random() < MMOL_METERS else Unit.MG_DL
    window = GlucoseWindow(
        unit=unit, times=times, local=over.local(times), values=_glucose_shown(values, unit), fasting=strips["fasting"]
    )
    return PatientYear(
        number=number,
        history=_history(
            over,
            _schedule(Kind.GLUCOSE, over, tuple(Slot(at=_clock(minute)) for minute in minutes)),
            GlucoseSeries(window=window, received=received, samples=strips["sample"]),
        ),
        truth=strips["truth"],
        measurement=np.arange(len(times)),
        crises=tuple(_crisis(kind, at, received[np.isin(times, at)]) for kind, at, _ in crises),
        worsenings=(),
        fibrillates=False,
    )


def _glucose_crises(rng: np.random.Generator, over: Calendar) -> list[tuple[CrisisKind, Times, Column]]:
    """Each with its readings: a low one and what 15 g of carbohydrate did; a high one and the next hour."""
    found = []
    last: np.datetime64 | None = None
    for start in _times_in_year(rng, CRISES_A_YEAR, over):
        if last is not None and start - last < np.timedelta64(6, "h"):
            continue
        last = start
        again = bool(rng.random() < MEASURES_AGAIN)
        if rng.random() < 0.6:
            first = -np.inf if rng.random() < 0.05 else rng.uniform(32, 52)
            rows = [(0, first)] + ([(15, float(rng.uniform(75, 130)))] if again else [])
            kind = CrisisKind.HYPOGLYCAEMIA
        else:
            first = np.inf if rng.random() < 0.1 else rng.uniform(315, 580)
            rows = [(0, first)] + ([(int(rng.integers(45, 100)), float(rng.uniform(315, 560)))] if again else [])
            kind = CrisisKind.HYPERGLYCAEMIA
        at = start + np.array([minute for minute, _ in rows]).astype("timedelta64[m]")
        found.append((kind, at, np.array([value for _, value in rows])))
    return found


# Shared -------------------------------------------------------------------------------------------------------------


def _received(rng: np.random.Generator, over: Calendar, times: Times) -> Times:
    """Half a minute as a rule; hours where it was left for later; at an outage's end."""
    delay = rng.exponential(20, len(times)) + 5
    late = rng.random(len(times)) < LATE_SHARE
    delay[late] = rng.uniform(7, 72, int(late.sum())) * 3600
    received: Times = times + (delay * 1e6).astype(np.int64).astype("timedelta64[us]")
    for start in _times_in_year(rng, OUTAGES_A_YEAR, over):
        end = start + (rng.uniform(4, 60) * 3600e6 * np.ones(1)).astype(np.int64).astype("timedelta64[us]")[0]
        held = (times >= start) & (times < end)
        received[held] = np.maximum(received[held], end)
    return received


def _times_in_year(rng: np.random.Generator, a_year: float, over: Calendar) -> Times:
    """Poisson, awake hours, ascending."""
    count = int(rng.poisson(a_year * over.days / 365))
    return np.sort(over.utc(rng.integers(0, over.days, count), rng.uniform(7 * 60, 22 * 60, count)))


def _spells(rng: np.random.Generator, a_year: float, length: tuple[int, int], days: int) -> list[tuple[int, int]]:
    """First day and the day after the last, in order, not overlapping."""
    found: list[tuple[int, int]] = []
    for start in sorted(rng.integers(0, days, int(rng.poisson(a_year * days / 365)))):
        end = int(start) + int(rng.integers(length[0], length[1] + 1))
        if not found or start > found[-1][1] + length[1]:
            found.append((int(start), min(end, days)))
    return found


def _days_of(spells: list[tuple[int, int]], days: int) -> Flags:
    mask = np.zeros(days + 1, dtype=np.bool_)
    for start, end in spells:
        mask[start:end] = True
    return mask


def _worsening(spells: list[tuple[int, int]], days: int) -> Column:
    """Rising over three days, then held."""
    found = np.zeros(days)
    for start, end in spells:
        found[start:end] = WORSENING_MMHG * np.minimum(1, np.arange(1, end - start + 1) / 3)
    return found


def _apart_from(times: Times, is_crisis: Flags) -> Flags:
    keep = np.ones(len(times), dtype=np.bool_)
    for n in np.flatnonzero(is_crisis):
        keep &= (np.abs(times - times[n]) > np.timedelta64(30, "m")) | (np.arange(len(times)) == n)
    return keep


def _crisis(kind: CrisisKind, at: Times, received: Times) -> Crisis:
    return Crisis(
        kind=kind,
        at=_aware(at[0]),
        last_at=_aware(at[-1]),
        measured_again=len(at) > 1,
        received_at=_aware(received[0]),
    )


def _spell_of(spell: tuple[int, int], over: Calendar) -> Spell:
    first = datetime.combine(over.start, time(), tzinfo=over.zone)
    return Spell(start=first + timedelta(days=spell[0]), end=first + timedelta(days=spell[1]))


def _history(over: Calendar, schedule: Schedule, series: PressureSeries | GlucoseSeries) -> History:
    return History(
        start=schedule.since,
        days=over.days,
        pressure=(series,) if isinstance(series, PressureSeries) else (),
        glucose=(series,) if isinstance(series, GlucoseSeries) else (),
        schedules=(schedule,),
        heightened_until=schedule.since + HEIGHTENED_FOR,
    )


def _schedule(kind: Kind, over: Calendar, slots: tuple[Slot, ...]) -> Schedule:
    return Schedule(
        kind=kind, zone=over.zone, slots=slots, since=datetime.combine(over.start, time(), tzinfo=over.zone)
    )


def _clock(minute: float) -> time:
    return time(int(minute) // 60, int(minute) % 60)


def _aware(at: np.datetime64) -> datetime:
    found: datetime = at.astype("datetime64[us]").item()
    return found.replace(tzinfo=UTC)


def _shown(mmhg: Column, unit: Unit) -> Column:
    return np.round(mmhg * 0.133322, 1) if unit is Unit.KPA else np.round(mmhg)


def _glucose_shown(mg_dl: Column, unit: Unit) -> Column:
    """As the meter shows it: LO below 20 and HI above 600 mg/dL."""
    shown = np.round(mg_dl / 18.018, 1) if unit is Unit.MMOL_L else np.round(mg_dl)
    return np.where(mg_dl < 20, -np.inf, np.where(mg_dl > 600, np.inf, shown))
