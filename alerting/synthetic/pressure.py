"""A year of somebody with a cuff."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.adherence import Slot
from alerting.histories import PressureSeries
from alerting.synthetic.assumptions import (
    ARTEFACTS,
    CRISES_A_YEAR,
    FIBRILLATION,
    KPA_CUFFS,
    MEASURES_AGAIN,
    SILENCES_A_YEAR,
    TRANSIENTS,
    WORSENING_DAYS,
    WORSENINGS_A_YEAR,
)
from alerting.synthetic.calendars import Calendar
from alerting.synthetic.happenings import (
    apart_from,
    clock,
    crisis_of,
    days_of,
    history_of,
    reaches_us,
    schedule_of,
    spell_of,
    spells,
    times_in_year,
    worsening_of,
)
from alerting.synthetic.truth import CrisisKind, PatientYear, Truth
from alerting.windows import Column, Flags, PressureWindow, Times
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind

_DAY = np.timedelta64(1, "D")
_OWN_SYSTOLIC = 129.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habit:
    """When a patient measures, and how often in one sitting."""

    day: NDArray[np.int64]
    minute: Column
    readings: int
    slots: tuple[Slot, ...]


def pressure_year(rng: np.random.Generator, number: int, over: Calendar) -> PatientYear:
    habit = _habit(rng, over.days)
    silent = days_of(spells(rng, SILENCES_A_YEAR, (3, 10), over.days), over.days)
    kept = ~silent[habit.day]
    times = over.utc(habit.day[kept], habit.minute[kept])
    crises = times_in_year(rng, CRISES_A_YEAR, over)
    worse = spells(rng, WORSENINGS_A_YEAR, (WORSENING_DAYS, WORSENING_DAYS), over.days)
    order = np.argsort(np.concatenate([times, crises]), kind="stable")
    times = np.concatenate([times, crises])[order]
    is_crisis = np.concatenate([np.zeros(len(times) - len(crises), bool), np.ones(len(crises), bool)])[order]
    # Nobody sits down twice within half an hour: what a crisis overtakes was not measured.
    clear = apart_from(times, is_crisis)
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
    worsening = worsening_of(worse, over.days)
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
    received = reaches_us(rng, over, times)[measurement] + (at - times[measurement])
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
        history=history_of(
            over, schedule_of(Kind.BLOOD_PRESSURE, over, habit.slots), PressureSeries(window=window, received=received)
        ),
        truth=truth,
        measurement=measurement,
        crises=tuple(
            crisis_of(names[kinds[n]], at[measurement == n], received[measurement == n])
            for n in np.flatnonzero(is_crisis)
        ),
        worsenings=tuple(spell_of(spell, over) for spell in worse),
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
        wanted, slots = [(day, morning)], (Slot(at=clock(morning)),)
    elif kind < 0.85:
        wanted, slots = [(day, morning), (day, evening)], (Slot(at=clock(morning)), Slot(at=clock(evening)))
        diligence *= 0.8
    else:
        readings = 2
        week = day[(day % 28 < 7) | (day % 7 == 0)]
        wanted, slots = (
            [(week, morning), (week[week % 28 < 7], evening)],
            (Slot(at=clock(morning), weekdays=frozenset({0})),),
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


def _shown(mmhg: Column, unit: Unit) -> Column:
    return np.round(mmhg * 0.133322, 1) if unit is Unit.KPA else np.round(mmhg)
