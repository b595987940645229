"""A year of somebody with a meter."""

import numpy as np
from numpy.typing import NDArray

from alerting.adherence import Slot
from alerting.histories import GlucoseSeries
from alerting.synthetic.assumptions import CRISES_A_YEAR, MEASURES_AGAIN, MMOL_METERS, SILENCES_A_YEAR
from alerting.synthetic.calendars import Calendar
from alerting.synthetic.happenings import (
    clock,
    crisis_of,
    days_of,
    history_of,
    reaches_us,
    schedule_of,
    spells,
    times_in_year,
)
from alerting.synthetic.truth import CrisisKind, PatientYear, Truth
from alerting.windows import Column, Flags, GlucoseWindow, Times
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind

_STRIP = np.dtype(
    [("time", "datetime64[us]"), ("value", np.float64), ("truth", np.int8), ("sample", np.int8), ("fasting", np.bool_)]
)


def diabetes_year(rng: np.random.Generator, number: int, over: Calendar) -> PatientYear:
    minutes = np.array([rng.uniform(6.5, 8.5), rng.uniform(17.5, 19.5), rng.uniform(21.5, 23.0)]) * 60
    a_day = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
    day = np.repeat(np.arange(over.days), a_day)
    kept = rng.random(len(day)) < rng.beta(9, 2.2)
    kept &= ~days_of(spells(rng, SILENCES_A_YEAR, (3, 10), over.days), over.days)[day]
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
    received = reaches_us(rng, over, times)
    unit = Unit.MMOL_L if rng.random() < MMOL_METERS else Unit.MG_DL
    window = GlucoseWindow(
        unit=unit, times=times, local=over.local(times), values=_glucose_shown(values, unit), fasting=strips["fasting"]
    )
    return PatientYear(
        number=number,
        history=history_of(
            over,
            schedule_of(Kind.GLUCOSE, over, tuple(Slot(at=clock(minute)) for minute in minutes)),
            GlucoseSeries(window=window, received=received, samples=strips["sample"]),
        ),
        truth=strips["truth"],
        measurement=np.arange(len(times)),
        crises=tuple(crisis_of(kind, at, received[np.isin(times, at)]) for kind, at, _ in crises),
        worsenings=(),
        fibrillates=False,
    )


def _glucose_crises(rng: np.random.Generator, over: Calendar) -> list[tuple[CrisisKind, Times, Column]]:
    """Each with its readings: a low one and what 15 g of carbohydrate did; a high one and the next hour."""
    found = []
    last: np.datetime64 | None = None
    for start in times_in_year(rng, CRISES_A_YEAR, over):
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


def _glucose_shown(mg_dl: Column, unit: Unit) -> Column:
    """As the meter shows it: LO below 20 and HI above 600 mg/dL."""
    shown = np.round(mg_dl / 18.018, 1) if unit is Unit.MMOL_L else np.round(mg_dl)
    return np.where(mg_dl < 20, -np.inf, np.where(mg_dl > 600, np.inf, shown))
