"""Day-to-day variability by hand, and none without enough days."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alerting.variability import day_to_day
from tests.alerting.made import START, pressures


def test_spread_of_the_days_means() -> None:
    # Two readings a day; the days' means are 120, 130, 126.
    figures = [118, 122, 130, 130, 124, 128]
    rows = [(START + timedelta(days=n // 2, minutes=n % 2), float(value), 80.0) for n, value in enumerate(figures)]
    spread = day_to_day(pressures(rows)).spread
    assert spread is not None
    assert spread.standard_deviation == Decimal("5")  # √((5.33² + 4.67² + 0.67²)/2) = 5.03
    assert spread.coefficient_of_variation == Decimal("4")
    assert spread.largest_difference == Decimal("10")
    assert spread.average_real_variability == Decimal("7")  # (10 + 4) / 2


@pytest.mark.parametrize(("days", "a_day", "enough"), [(3, 2, True), (2, 3, False), (3, 1, False), (6, 1, True)])
def test_it_needs_six_readings_on_three_days(days: int, a_day: int, enough: bool) -> None:
    rows = [(START + timedelta(days=d, minutes=n), 130.0, 80.0) for d in range(days) for n in range(a_day)]
    found = day_to_day(pressures(rows))
    assert found.sufficiency.enough is enough
    assert (found.spread is not None) is enough


def test_no_readings_are_not_enough() -> None:
    assert day_to_day(pressures([])).spread is None
