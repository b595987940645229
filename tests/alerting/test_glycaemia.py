"""The risk function's reference points, the indices' bands, points in range, and what repeats."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from alerting.glycaemia import (
    fasting_mean_above,
    high_band,
    high_risk,
    index_above,
    low_band,
    low_risk,
    points_in_range,
    repeated,
    risk,
    summary,
)
from alerting.regimes import Evidence
from alerting.windows import GlucoseWindow
from device_drivers.nomenclature import Unit
from tests.alerting.made import HI, LO, START, glucoses, limit

MG, MMOL = Unit.MG_DL, Unit.MMOL_L


# Kovatchev: the reference points; r = rl + rh. The published constants have four digits, so r is good to 0.06: they
# give 57.05 at 400 and 99.95 at 600, and f is -0.0003 at 112.5.
@pytest.mark.parametrize(
    ("mg_dl", "expected"),
    [(20, 100.0), (54, 18.5), (70, 7.8), (112.5, 0.0), (180, 7.7), (250, 22.4), (400, 57.1), (600, 100.0)],
)
def test_the_risk_function_reproduces_its_reference_points(mg_dl: float, expected: float) -> None:
    value = np.array([float(mg_dl)])
    assert float((low_risk(value, MG) + high_risk(value, MG))[0]) == pytest.approx(expected, abs=0.06)
    assert min(low_risk(value, MG)[0], high_risk(value, MG)[0]) == 0


@pytest.mark.parametrize(("mg_dl", "is_low"), [(112, True), (113, False)])
def test_the_risk_changes_sides_at_112_5(mg_dl: float, is_low: bool) -> None:
    assert bool(low_risk(np.array([float(mg_dl)]), MG)[0] > 0) is is_low


@pytest.mark.parametrize("mg_dl", [20, 54, 70, 112.5, 180, 250, 400, 600])
def test_both_forms_of_the_formula_agree(mg_dl: float) -> None:
    """18.018 mg/dL to the mmol/L; the published forms differ by their rounded constants only."""
    in_mg_dl = float(risk(np.array([mg_dl]), MG)[0])
    in_mmol_l = float(risk(np.array([mg_dl / 18.018]), MMOL)[0])
    assert in_mmol_l == pytest.approx(in_mg_dl, abs=0.02)


def test_a_risk_has_no_other_unit() -> None:
    with pytest.raises(ValueError, match="kPa"):
        risk(np.array([1.0]), Unit.KPA)


# Bands: LBGI minimal to 1.1, low to 2.5, moderate to 5, high; HBGI low to 4.5, moderate to 9, high.
@pytest.mark.parametrize(
    ("index", "expected"),
    [("0", "minimal"), ("1.09", "minimal"), ("1.1", "minimal"), ("1.11", "low"), ("2.49", "low"), ("2.5", "low"),
     ("2.51", "moderate"), ("4.99", "moderate"), ("5", "moderate"), ("5.01", "high")],
)  # fmt: skip
def test_a_low_index_has_its_band(index: str, expected: str) -> None:
    assert low_band(Decimal(index)) == expected


@pytest.mark.parametrize(
    ("index", "expected"),
    [("4.49", "low"), ("4.5", "low"), ("4.51", "moderate"), ("8.99", "moderate"), ("9", "moderate"), ("9.01", "high")],
)
def test_a_high_index_has_its_band(index: str, expected: str) -> None:
    assert high_band(Decimal(index)) == expected


def days_of(values: list[float], unit: Unit = MG, *, a_day: int = 2) -> GlucoseWindow:
    """So many readings a day, six hours apart."""
    rows = [(START + timedelta(days=n // a_day, hours=6 * (n % a_day)), value) for n, value in enumerate(values)]
    return glucoses(rows, unit=unit)


def test_mean_spread_and_indices_of_a_window() -> None:
    found = summary(days_of([100.0, 140.0] * 7)).figures
    assert found is not None
    assert found.mean == Decimal("120")
    assert found.standard_deviation == Decimal("20.8")  # 20·√(14/13)
    assert found.coefficient_of_variation == Decimal("17.3")
    # By hand: f(100) = 1.509·(4.6052^1.084 − 5.381) = −0.2196, f(140) = 1.509·(4.9416^1.084 − 5.381) = 0.4080;
    # ten times the square, over half of the readings.
    assert (found.low_index, found.high_index) == (Decimal("0.24"), Decimal("0.83"))


def test_the_indices_are_means_over_all_readings() -> None:
    found = summary(days_of([54.0] + [112.5] * 13)).figures
    assert found is not None
    assert found.low_index == Decimal(str(round(18.5116 / 14, 2)))
    assert found.low_band == "low"


@pytest.mark.parametrize(
    ("readings", "a_day", "enough"),
    [(13, 1, False), (14, 1, True), (15, 1, True), (14, 2, True), (14, 3, False), (18, 3, False), (21, 3, True)],
)
def test_there_are_no_figures_without_14_readings_on_7_days(readings: int, a_day: int, enough: bool) -> None:
    found = summary(days_of([110.0] * readings, a_day=a_day))
    assert found.sufficiency.enough is enough
    assert (found.figures is not None) is enough


def test_an_empty_window_is_insufficient() -> None:
    assert summary(glucoses([])).figures is None


# Bounds: CGM consensus, in each unit as published.
@pytest.mark.parametrize(
    ("unit", "values", "expected"),
    [
        (MG, [53, 54, 69, 70, 180, 181, 250, 251], (1, 2, 2, 2, 1)),
        (MMOL, [2.9, 3.0, 3.8, 3.9, 10.0, 10.1, 13.9, 14.0], (1, 2, 2, 2, 1)),
        (MG, [LO, HI, 100], (1, 0, 1, 0, 1)),
    ],
)
def test_points_lie_where_their_unit_says(unit: Unit, values: list[float], expected: tuple[int, ...]) -> None:
    found = points_in_range(days_of(values, unit))
    assert (
        found.below_54, found.from_54_to_70, found.in_range, found.above_180_to_250, found.above_250,
    ) == expected  # fmt: skip
    assert found.points == len(values)


def test_points_in_range_are_a_percentage_of_points() -> None:
    assert points_in_range(days_of([100, 100, 200])).percent_in_range == Decimal("66.7")
    assert points_in_range(glucoses([])).percent_in_range == 0


def test_a_mean_leaves_hi_and_lo_out_and_says_so() -> None:
    found = summary(days_of([HI, LO] + [120.0] * 14))
    assert found.figures is not None
    assert found.figures.mean == Decimal("120")
    assert found.sufficiency.off_scale == 2
    assert found.sufficiency.readings == 14


@pytest.mark.parametrize(("low", "raised"), [(69.0, True), (112.0, False)])
def test_a_risk_of_hypoglycaemia_needs_an_index_above_its_limit(low: float, raised: bool) -> None:
    found = index_above(summary(days_of([low] * 14)), limit("ada", "hypoglycaemia_risk"))
    assert (found is not None) is raised


def test_no_index_is_above_its_limit_where_there_are_too_few_readings() -> None:
    assert index_above(summary(days_of([50.0] * 13)), limit("ada", "hypoglycaemia_risk")) is None


# Three occurrences below 70 mg/dL (3.9 mmol/L) within 7 days: a proposal of this project.
@pytest.mark.parametrize(
    ("unit", "values", "raised"),
    [
        (MG, [69, 69], False), (MG, [69, 69, 69], True), (MG, [69, 69, 70], False), (MG, [69, 69, LO], True),
        (MMOL, [3.8, 3.8, 3.8], True), (MMOL, [3.8, 3.8, 3.9], False),
    ],
)  # fmt: skip
def test_hypoglycaemia_is_repeated_from_the_third_occurrence(unit: Unit, values: list[float], raised: bool) -> None:
    rows = [(START + timedelta(days=n), float(value)) for n, value in enumerate(values)]
    rule = limit("ada", "hypoglycaemia_repeated")
    found = repeated(glucoses(rows, unit=unit), rule, rows[-1][0])
    assert (found is not None) is raised
    if found is not None:
        assert found.occurrences == 3
        assert found.limit.evidence is Evidence.PROPOSED


@pytest.mark.parametrize(
    ("apart", "occurrences_are_three"),
    [(timedelta(minutes=29), False), (timedelta(minutes=30), False), (timedelta(minutes=31), True)],
)
def test_readings_close_together_are_one_occurrence(apart: timedelta, occurrences_are_three: bool) -> None:
    rows = [(START + apart * n, 60.0) for n in range(3)]
    found = repeated(glucoses(rows), limit("ada", "hypoglycaemia_repeated"), rows[-1][0])
    assert (found is not None) is occurrences_are_three


@pytest.mark.parametrize(
    ("after_the_first", "raised"),
    [
        (timedelta(days=7) - timedelta(seconds=1), True),
        (timedelta(days=7), False),
        (timedelta(days=7, seconds=1), False),
    ],
)
def test_what_lies_before_the_window_does_not_count(after_the_first: timedelta, raised: bool) -> None:
    rows = [(START, 60.0), (START + timedelta(days=1), 60.0), (START + timedelta(days=2), 60.0)]
    found = repeated(glucoses(rows), limit("ada", "hypoglycaemia_repeated"), START + after_the_first)
    assert (found is not None) is raised


# Above 250 mg/dL (13.9 mmol/L) twice in 24 hours.
@pytest.mark.parametrize(
    ("unit", "values", "raised"),
    [
        (MG, [251, 251], True), (MG, [251, 250], False), (MG, [251, HI], True),
        (MMOL, [14.0, 14.0], True), (MMOL, [14.0, 13.9], False),
    ],
)  # fmt: skip
def test_hyperglycaemia_counts_from_the_second_within_a_day(unit: Unit, values: list[float], raised: bool) -> None:
    rows = [(START + timedelta(hours=8 * n), float(value)) for n, value in enumerate(values)]
    found = repeated(glucoses(rows, unit=unit), limit("ada", "hyperglycaemia"), rows[-1][0])
    assert (found is not None) is raised


def test_the_worst_figure_is_named_even_if_it_is_off_scale() -> None:
    rows = [(START, 251.0), (START + timedelta(hours=5), HI)]
    found = repeated(glucoses(rows), limit("ada", "hyperglycaemia"), rows[-1][0])
    assert found is not None
    assert found.worst.value is None


# A fasting mean above 180 mg/dL (10.0 mmol/L) over 3 days: a proposal of this project.
@pytest.mark.parametrize(
    ("unit", "values", "raised"),
    [
        (MG, [180, 180, 180], False), (MG, [180, 180, 181], True), (MG, [179, 180, 180], False),
        (MG, [200, 200], False),
        (MMOL, [10.0, 10.0, 10.0], False), (MMOL, [10.0, 10.0, 10.1], True),
    ],
)  # fmt: skip
def test_a_fasting_mean_needs_three_days(unit: Unit, values: list[float], raised: bool) -> None:
    rows = [(START + timedelta(days=n), float(value)) for n, value in enumerate(values)]
    window = glucoses(rows, unit=unit, fasting=[True] * len(rows))
    found = fasting_mean_above(window, limit("ada", "fasting_mean_high"), rows[-1][0])
    assert (found is not None) is raised


def test_only_readings_marked_as_fasting_are_fasting() -> None:
    rows = [(START + timedelta(days=n), 300.0) for n in range(3)]
    assert fasting_mean_above(glucoses(rows), limit("ada", "fasting_mean_high"), rows[-1][0]) is None
