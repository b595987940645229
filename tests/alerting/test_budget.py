"""The alert budget: what counts is the caller's; here is when a ratio may be given, and when it is too much."""

from decimal import Decimal

import pytest

from alerting.budget import Spent


def spent(cases: int, patient_days: str, budget: str = "0.10") -> Spent:
    """In the last week."""
    return Spent(budget=Decimal(budget), days=7, cases=cases, patient_days=Decimal(patient_days))


@pytest.mark.parametrize(("patient_days", "enough"), [("99.9", False), ("100", True), ("100.1", True)])
def test_a_ratio_needs_the_patient_days_of_ten_cases_at_the_budget(patient_days: str, enough: bool) -> None:
    found = spent(50, patient_days)
    assert found.needed_patient_days == 100
    assert (found.enough, found.ratio is not None, found.exceeded) == (enough, enough, enough)


@pytest.mark.parametrize(("budget", "needed"), [("0.10", 100), ("0.30", 34), ("1", 10), ("0.003", 3334)])
def test_a_smaller_budget_takes_more_patient_days(budget: str, needed: int) -> None:
    assert spent(0, "1", budget).needed_patient_days == needed


@pytest.mark.parametrize(("cases", "exceeded"), [(99, False), (100, False), (101, True)])
def test_the_budget_is_exceeded_above_it_and_not_on_it(cases: int, exceeded: bool) -> None:
    assert spent(cases, "1000").exceeded is exceeded


def test_the_ratio_is_cases_per_patient_and_day() -> None:
    assert spent(123, "1000").ratio == Decimal("0.1230")
    assert spent(0, "1000").ratio == 0


def test_of_nobody_nothing_is_said() -> None:
    assert spent(0, "0").ratio is None
    assert not spent(0, "0").exceeded
