"""The synthetic year: the published load, the truth, the seed."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.histories import PressureSeries
from alerting.synthetic.calendars import calendar
from alerting.synthetic.population import population, published_load
from alerting.synthetic.truth import CrisisKind, PatientYear, Truth
from alerting.windows import Column, instant
from device_drivers.nomenclature import Unit

BERLIN = calendar(date(2025, 1, 1), 365, ZoneInfo("Europe/Berlin"))


@pytest.fixture(scope="module")
def years() -> list[PatientYear]:
    """300 patients."""
    return list(population(np.random.default_rng(7), 300, BERLIN))


# van Steenkiste 2025: 30,184 measurements of 174 users in 207 days each; 17,293 alerts; 13,647 processed automatically.
@pytest.mark.parametrize("seed", [1, 2])
def test_the_population_has_the_published_load(seed: int) -> None:
    load = published_load(population(np.random.default_rng(seed), 1000, BERLIN))
    assert load.measurements_per_patient_day == pytest.approx(0.84, abs=0.03)
    assert load.raised == pytest.approx(0.57, abs=0.02)
    assert load.need_nobody == pytest.approx(0.79, abs=0.02)


def test_the_same_seed_gives_the_same_year_and_a_patient_does_not_depend_on_the_others() -> None:
    few = list(population(np.random.default_rng(3), 4, BERLIN))
    many = list(population(np.random.default_rng(3), 12, BERLIN))
    for one, other in zip(few, many, strict=False):
        assert one.crises == other.crises
        assert np.array_equal(one.received, other.received)
        assert np.array_equal(_values(one), _values(other))
    assert not np.array_equal(many[0].received, next(population(np.random.default_rng(4), 1, BERLIN)).received)


def test_times_ascend_and_nothing_arrives_before_it_was_measured(years: list[PatientYear]) -> None:
    for year in years:
        assert all(before <= after for before, after in pairwise(year.times.tolist()))
        assert bool((year.received > year.times).all())


def test_every_injected_crisis_is_in_the_readings_and_beyond_its_limit(years: list[PatientYear]) -> None:
    crises = [(year, crisis) for year in years for crisis in year.crises]
    assert {crisis.kind for _, crisis in crises} == set(CrisisKind)
    for year, crisis in crises:
        at = int(np.flatnonzero(year.times == instant(crisis.at))[0])
        assert year.truth[at] == Truth.CRISIS
        assert _is_beyond(year, crisis.kind, at)


def _values(year: PatientYear) -> Column:
    """Systolic pressure, or glucose."""
    [series] = year.history.series
    return series.window.systolic if isinstance(series, PressureSeries) else series.window.values


def _is_beyond(year: PatientYear, kind: CrisisKind, at: int) -> bool:
    [series] = year.history.series
    value = _values(year)[at]
    kpa, mmol = series.window.unit is Unit.KPA, series.window.unit is Unit.MMOL_L
    match kind:
        case CrisisKind.SEVERE_HYPERTENSION:
            return bool(value >= (24.0 if kpa else 180))
        case CrisisKind.HYPOTENSION:
            return bool(value < (12.0 if kpa else 90))
        case CrisisKind.HYPOGLYCAEMIA:
            return bool(value < (3.0 if mmol else 54))
        case CrisisKind.HYPERGLYCAEMIA:
            return bool(value > (16.7 if mmol else 300))


def test_some_crises_are_measured_again_and_some_arrive_late(years: list[PatientYear]) -> None:
    crises = [crisis for year in years for crisis in year.crises]
    assert {crisis.measured_again for crisis in crises} == {True, False}
    late = [crisis.received_at - crisis.at > timedelta(hours=6) for crisis in crises]
    assert 0 < sum(late) < len(late) / 10


def test_there_are_units_control_solution_artefacts_and_silences_of_all_kinds(years: list[PatientYear]) -> None:
    pressure = [series for year in years for series in year.history.pressure]
    glucose = [series for year in years for series in year.history.glucose]
    assert {series.window.unit for series in pressure} == {Unit.MM_HG, Unit.KPA}
    assert {series.window.unit for series in glucose} == {Unit.MG_DL, Unit.MMOL_L}
    assert {int(sample) for series in glucose for sample in np.unique(series.samples)} == {0, 1, 2}
    assert {int(truth) for year in years for truth in np.unique(year.truth)} == {int(truth) for truth in Truth}
    longest = max(np.diff(series.window.times).max() for series in pressure)
    assert longest > np.timedelta64(4, "D")
    assert any(year.fibrillates for year in years)


def test_the_wall_clock_follows_the_zone_over_its_changes(years: list[PatientYear]) -> None:
    windows = [series.window for year in years for series in year.history.series]
    offsets = {int(of / np.timedelta64(1, "h")) for window in windows for of in np.unique(window.local - window.times)}
    assert offsets == {1, 2}
