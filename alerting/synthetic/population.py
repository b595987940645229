"""The patients of a synthetic year, and the published figures that they are held to."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alerting.synthetic.assumptions import DIABETES_SHARE
from alerting.synthetic.calendars import Calendar
from alerting.synthetic.glucose import diabetes_year
from alerting.synthetic.pressure import pressure_year
from alerting.synthetic.truth import PatientYear, Truth
from device_drivers.nomenclature import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The three published figures, of a synthetic population's blood pressures."""

    measurements_per_patient_day: float
    raised: float  # share of the measurements with a reading at or above 135/85
    need_nobody: float  # share of these outside worsenings and crises


def population(rng: np.random.Generator, patients: int, over: Calendar) -> Iterator[PatientYear]:
    """The patients one after the other, each from a child of the generator."""
    for number, child in enumerate(rng.spawn(patients)):
        make = diabetes_year if child.random() < DIABETES_SHARE else pressure_year
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
