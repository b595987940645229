"""From a reading to what is kept of it for the home."""

from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp
from gateway.home.facts import KEPT_FOR
from gateway.home.showing import figures, shown
from tests.gateway.made import METER, NOW, reading

STAMP = CoincidentTimeStamp(NOW, NOW.replace(tzinfo=None))


def made(kind: Kind, *components: Component, **fields_: Any) -> Reading:
    local: datetime | None = (NOW - timedelta(minutes=5)).replace(tzinfo=None)
    given = {
        "device": METER,
        "kind": kind,
        "components": components,
        "reported_time": ReportedTime("now", local),
        "profile": "a-profile",
        "raw": b"",
        **fields_,
    }
    return Reading(**given)


def glucose(quantity: Quantity, **fields_: Any) -> Reading:
    return made(Kind.GLUCOSE, Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, quantity), **fields_)


def pressure(**fields_: Any) -> Reading:
    return made(
        Kind.BLOOD_PRESSURE,
        Component(Mdc.PRESS_BLD_NONINV_SYS, Quantity(Decimal(124), Unit.MM_HG)),
        Component(Mdc.PRESS_BLD_NONINV_DIA, Quantity(Decimal(78), Unit.MM_HG)),
        Component(Mdc.PULS_RATE_NON_INV, Quantity(Decimal(66), Unit.PER_MIN)),
        **fields_,
    )


def test_a_reading_is_shown_with_the_time_when_it_was_made_and_without_its_value() -> None:
    kept = shown(pressure(user_index=2), STAMP, NOW, values=False)
    assert kept is not None
    assert (kept.kind, kept.user, kept.at, kept.exact) == ("blood_pressure", 2, NOW - timedelta(minutes=5), True)
    assert "124" not in str([getattr(kept, field.name) for field in fields(kept)])


def test_a_household_that_wants_figures_gets_them() -> None:
    kept = shown(pressure(), STAMP, NOW, values=True)
    assert kept is not None
    assert kept.figures == "124/78 mmHg, 66/min"


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (Quantity(Decimal("5.0"), Unit.MMOL_L), "5.0 mmol/L"),
        (Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, Decimal(600)), "HI mg/dL"),
        (Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE), "LO mg/dL"),
        (Quantity(None, Unit.MG_DL, QuantityState.NOT_A_NUMBER), "– mg/dL"),
    ],
)
def test_figures_are_the_devices_own(quantity: Quantity, text: str) -> None:
    assert figures(glucose(quantity)) == text


def test_a_control_solution_is_nobodys_measurement() -> None:
    quantity = Quantity(Decimal(100), Unit.MG_DL)
    assert shown(glucose(quantity, sample=Sample.CONTROL_SOLUTION), STAMP, NOW, values=True) is None


def test_a_memory_that_is_read_for_the_first_time_fills_no_page() -> None:
    old = NOW + KEPT_FOR + timedelta(minutes=1)
    assert shown(reading(0), STAMP, old, values=False) is None
    assert shown(reading(0), STAMP, NOW, values=False) is not None


def test_where_the_devices_clock_could_not_be_read_it_is_known_when_it_was_read_and_no_more() -> None:
    kept = shown(pressure(), None, NOW, values=False)
    assert kept is not None
    assert (kept.at, kept.exact) == (NOW, False)
