"""Figures in a reader's unit: rounded once, and ketones never taken for glucose."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.language import _English
from alerting.reasons import LimitReason
from alerting.sentences import sentence
from alerting.units import AS_MEASURED, Units, converted, exactly
from device_drivers.nomenclature import Unit
from tests.alerting.made import limit, quantity

METRIC = Units(glucose=Unit.MMOL_L, pressure=Unit.KPA)


class Metric(_English):
    """English for somebody who wants mmol/L and kPa."""

    units = METRIC


@pytest.mark.parametrize(
    ("value", "unit", "to", "shown"),
    [
        ("48", Unit.MG_DL, Unit.MMOL_L, "2.7"), ("54", Unit.MG_DL, Unit.MMOL_L, "3.0"),
        ("70", Unit.MG_DL, Unit.MMOL_L, "3.9"), ("180", Unit.MG_DL, Unit.MMOL_L, "10.0"),
        ("250", Unit.MG_DL, Unit.MMOL_L, "13.9"), ("3.0", Unit.MMOL_L, Unit.MG_DL, "54"),
        ("5.40", Unit.MMOL_L, Unit.MG_DL, "97"), ("128", Unit.MM_HG, Unit.KPA, "17.1"),
        ("18.0", Unit.KPA, Unit.MM_HG, "135"), ("180", Unit.MM_HG, Unit.KPA, "24.0"),
    ],
)  # fmt: skip
def test_a_figure_is_converted_to_the_digits_that_meters_show(value: str, unit: Unit, to: Unit, shown: str) -> None:
    assert f"{converted(Decimal(value), unit, to):f}" == shown


@given(st.decimals(min_value=1, max_value=999, places=1))
def test_it_is_rounded_once_and_so_never_off_by_more_than_half_a_digit(value: Decimal) -> None:
    for unit, to in ((Unit.MG_DL, Unit.MMOL_L), (Unit.MM_HG, Unit.KPA)):
        assert abs(converted(value, unit, to) - exactly(value, unit, to)) <= Decimal("0.05")
        assert abs(exactly(exactly(value, unit, to), to, unit) - value) < Decimal("1e-20")


@given(st.integers(1, 999), st.integers(1, 999))
def test_what_is_drawn_lies_on_the_same_side_of_its_limit(value: int, bound: int) -> None:
    drawn, line = (exactly(Decimal(each), Unit.MG_DL, Unit.MMOL_L) for each in (value, bound))
    assert (drawn < line, drawn == line) == (value < bound, value == bound)


def test_ketones_and_pulse_have_one_unit() -> None:
    assert Units(glucose=Unit.MG_DL).of("ketone", Unit.MMOL_L) is None
    assert METRIC.of("pulse", Unit.PER_MIN) is None
    assert METRIC.of("glucose", Unit.MMOL_L) is None, "it is in that unit already"
    assert METRIC.of("glucose", "stone") is None
    assert AS_MEASURED.of("glucose", Unit.MG_DL) is None


def test_a_sentence_converts_the_figure_and_its_limit_and_keeps_what_was_compared() -> None:
    low = LimitReason(figure=quantity("48", Unit.MG_DL), limit=limit("ada", "hypoglycaemia_level_2"))
    assert sentence(low, Metric()).startswith(
        "Glucose 2.7 mmol/L (48 mg/dL): below the limit of 3.0 mmol/L (54 mg/dL) (set by "
    )
    high = LimitReason(figure=quantity("185", Unit.MM_HG), limit=limit("esc2024", "severe_hypertension_systolic"))
    assert sentence(high, Metric()).startswith(
        "Systolic pressure 24.7 kPa (185 mmHg): at or above the limit of 24.0 kPa (180 mmHg) (set by "
    )


def test_a_sentence_about_ketones_stays_in_mmol_per_litre() -> None:
    high = LimitReason(figure=quantity("3.2", Unit.MMOL_L), limit=limit("ada", "ketones_very_high"))

    class InMilligrams(_English):
        units = Units(glucose=Unit.MG_DL)

    assert "Blood ketones 3.2 mmol/L: above the limit of 3.0 mmol/L (" in sentence(high, InMilligrams())
