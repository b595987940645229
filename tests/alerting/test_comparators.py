"""On, just under and just over; HI and LO against every relation; means without the dust of binary fractions."""

from decimal import Decimal

import pytest

from alerting.comparators import beyond, from_column, rounded, says_something, violates
from alerting.limits import Relation
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity, QuantityState
from tests.alerting.made import HI, LO, limit, quantity


@pytest.mark.parametrize(
    ("relation", "value", "expected"),
    [
        (Relation.BELOW, "69.9", True), (Relation.BELOW, "70", False), (Relation.BELOW, "70.1", False),
        (Relation.ABOVE, "69.9", False), (Relation.ABOVE, "70", False), (Relation.ABOVE, "70.1", True),
        (Relation.AT_OR_ABOVE, "69.9", False), (Relation.AT_OR_ABOVE, "70", True), (Relation.AT_OR_ABOVE, "70.1", True),
    ],
)  # fmt: skip
def test_each_relation_on_just_under_and_just_over(relation: Relation, value: str, expected: bool) -> None:
    assert beyond(Decimal(value), relation, Decimal(70)) is expected


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("hypoglycaemia_level_2", "LO", True), ("hypoglycaemia_level_2", "HI", False),
        ("hyperglycaemia_extreme", "HI", True), ("hyperglycaemia_extreme", "LO", False),
        ("hyperglycaemia_urgent", "HI", True), ("hyperglycaemia_urgent", "LO", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("unit", [Unit.MG_DL, Unit.MMOL_L])
def test_off_scale_figures_compare(condition: str, value: str, unit: Unit, expected: bool) -> None:
    assert violates(quantity(value, unit), limit("ada", condition)) is expected


@pytest.mark.parametrize(
    "state",
    [
        QuantityState.NOT_A_NUMBER, QuantityState.NOT_AT_THIS_RESOLUTION, QuantityState.RESERVED,
        QuantityState.POSITIVE_INFINITY, QuantityState.NEGATIVE_INFINITY,
    ],
)  # fmt: skip
def test_what_is_no_figure_says_nothing(state: QuantityState) -> None:
    figure = Quantity(None, Unit.MG_DL, state)
    assert not says_something(figure)
    assert not violates(figure, limit("ada", "hyperglycaemia_urgent"))
    assert not violates(figure, limit("ada", "hypoglycaemia_level_2"))


def test_a_unit_that_has_no_limit_violates_nothing() -> None:
    assert not violates(quantity("9", Unit.MG_DL), limit("ada", "ketones_very_high"))


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ((17.9 + 18.1) / 2, Unit.KPA, "18"),
        (134.95, Unit.MM_HG, "135"),
        (134.949, Unit.MM_HG, "134.9"),
        (180.0, Unit.MM_HG, "180"),
        (5.555, Unit.MMOL_L, "5.56"),
        (0.1 + 0.2, Unit.MMOL_L, "0.3"),
    ],
)
def test_a_mean_has_one_digit_more_than_devices_show(value: float, unit: Unit, expected: str) -> None:
    assert str(rounded(value, unit)) == expected


def test_infinities_of_a_column_are_hi_and_lo() -> None:
    assert from_column(HI, Unit.MG_DL) == quantity("HI", Unit.MG_DL)
    assert from_column(LO, Unit.MG_DL) == quantity("LO", Unit.MG_DL)
    assert from_column(float("nan"), Unit.MG_DL) is None
    assert from_column(101.0, Unit.MG_DL) == quantity("101", Unit.MG_DL)
