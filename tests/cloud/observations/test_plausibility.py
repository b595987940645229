"""Values on, just within and just beyond what can be."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cloud.observations.plausibility import implausible
from device_drivers.nomenclature import Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading
from tests.cloud.made import glucose, ketone, pressure


@pytest.mark.parametrize(
    ("value", "unit", "plausible"),
    [
        ("9", Unit.MG_DL, False),
        ("10", Unit.MG_DL, True),
        ("600", Unit.MG_DL, True),
        ("601", Unit.MG_DL, False),
        ("0.5", Unit.MMOL_L, False),
        ("0.6", Unit.MMOL_L, True),
        ("33.3", Unit.MMOL_L, True),
        ("33.4", Unit.MMOL_L, False),
        ("5.5", Unit.MG_DL, False),  # a mmol/L value under the other unit
        ("100", Unit.MMOL_L, False),
        ("100", Unit.MM_HG, False),
        ("NaN", Unit.MG_DL, False),
        ("Infinity", Unit.MG_DL, False),
        ("-100", Unit.MG_DL, False),
    ],
)
def test_glucose(value: str, unit: Unit, plausible: bool) -> None:
    assert (implausible(glucose(value, unit=unit)) is None) is plausible


@pytest.mark.parametrize(
    ("systolic", "diastolic", "pulse", "mean", "plausible"),
    [
        ("49", "35", "70", None, False),
        ("50", "35", "70", None, True),
        ("280", "100", "70", None, True),
        ("281", "100", "70", None, False),
        ("120", "29", "70", None, False),
        ("120", "30", "70", None, True),
        ("200", "180", "70", None, True),
        ("200", "181", "70", None, False),
        ("100", "90", "70", None, False),
        ("101", "90", "70", None, True),
        ("80", "120", "70", None, False),
        ("120", "80", "29", None, False),
        ("120", "80", "30", None, True),
        ("120", "80", "220", None, True),
        ("120", "80", "221", None, False),
        ("120", "80", None, None, True),
        ("120", "80", "70", "79", False),
        ("120", "80", "70", "80", True),
        ("120", "80", "70", "120", True),
        ("120", "80", "70", "121", False),
    ],
)
def test_blood_pressure(systolic: str, diastolic: str, pulse: str | None, mean: str | None, plausible: bool) -> None:
    assert (implausible(pressure(systolic, diastolic, pulse=pulse, mean=mean)) is None) is plausible


@pytest.mark.parametrize(
    ("systolic", "diastolic", "plausible"),
    [
        ("6.6", "4.5", False),
        ("6.7", "4.5", True),
        ("37.3", "20.0", True),
        ("37.4", "20.0", False),
        ("16.0", "3.9", False),
        ("16.0", "4.0", True),
        ("12.0", "10.7", False),
        ("12.1", "10.7", True),
    ],
)
def test_blood_pressure_in_kpa(systolic: str, diastolic: str, plausible: bool) -> None:
    assert (implausible(pressure(systolic, diastolic, unit=Unit.KPA)) is None) is plausible


@pytest.mark.parametrize(
    "reading",
    [
        glucose(None, state=QuantityState.ABOVE_RANGE),
        glucose(None, state=QuantityState.BELOW_RANGE),
        glucose(None, state=QuantityState.NOT_A_NUMBER),
        pressure(None, None, pulse=None, state=QuantityState.NOT_A_NUMBER),
    ],
)
def test_what_is_no_number_is_plausible(reading: Reading) -> None:
    assert implausible(reading) is None


def test_the_reason_names_the_value_and_the_range() -> None:
    assert implausible(glucose("601")) == "glucose of 601 mg/dL is outside 10 to 600"


@pytest.mark.parametrize(
    "reading",
    [
        replace(glucose(), components=()),
        replace(glucose(), kind=Kind.BLOOD_PRESSURE),
        replace(pressure(), kind=Kind.GLUCOSE),
        replace(pressure(), components=pressure().components[1:]),
        replace(pressure(), components=pressure().components * 2),
        replace(pressure(), components=(*pressure().components, *glucose().components)),
    ],
)
def test_a_reading_must_hold_what_its_kind_says(reading: Reading) -> None:
    assert implausible(reading) is not None


def test_pressures_in_two_units_are_impossible() -> None:
    systolic, diastolic, _ = pressure().components
    kilopascal = Component(diastolic.code, Quantity(Decimal("10.0"), Unit.KPA))
    assert implausible(replace(pressure(), components=(systolic, kilopascal))) is not None


@pytest.mark.parametrize(("value", "plausible"), [("0", True), ("0.1", True), ("8.0", True), ("8.1", False)])
def test_ketones(value: str, plausible: bool) -> None:
    assert (implausible(ketone(value)) is None) is plausible
