"""Windows: what gets in, in which unit, on which of the patient's days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.windows import Dated, aware, days, glucose_windows, instant, pressure_windows
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState, Reading, Sample
from tests.alerting.made import HI, LO, START, pressures
from tests.cloud.made import glucose, pressure

BERLIN = ZoneInfo("Europe/Berlin")


def dated(*readings: Reading, at: datetime = START) -> list[Dated]:
    """One a minute."""
    return [Dated(reading=reading, effective_time=at + timedelta(minutes=n)) for n, reading in enumerate(readings)]


def test_control_solution_and_test_readings_do_not_get_in() -> None:
    readings = [glucose("48", sample=sample) for sample in Sample]
    window = glucose_windows(dated(*readings), UTC)[Unit.MG_DL]
    assert window.values.tolist() == [48.0]


def test_each_unit_has_a_window_of_its_own() -> None:
    found = glucose_windows(dated(glucose("100"), glucose("5.6", unit=Unit.MMOL_L)), UTC)
    assert {unit: window.values.tolist() for unit, window in found.items()} == {
        Unit.MG_DL: [100.0],
        Unit.MMOL_L: [5.6],
    }


def test_off_scale_and_failed_figures_are_infinities_and_nan() -> None:
    states = (QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE, QuantityState.NOT_A_NUMBER)
    window = glucose_windows(dated(*(glucose(None, state=state) for state in states)), UTC)[Unit.MG_DL]
    assert window.values[:2].tolist() == [HI, LO]
    assert np.isnan(window.values[2])


def test_a_cuffs_figures_and_flags_are_columns() -> None:
    flagged = replace(pressure("131", "82", pulse=None), annotations=("irregular_pulse", "body_movement"))
    window = pressure_windows(dated(flagged, pressure("128", "80")), UTC)[Unit.MM_HG]
    assert window.systolic.tolist() == [131.0, 128.0]
    assert window.diastolic.tolist() == [82.0, 80.0]
    assert np.isnan(window.pulse[0])
    assert window.irregular.tolist() == window.moved.tolist() == [True, False]


def test_readings_stand_in_order_of_time_whatever_the_order_they_came_in() -> None:
    rows = dated(glucose("1"), glucose("2"), glucose("3"))
    assert glucose_windows(reversed(rows), UTC)[Unit.MG_DL].values.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("mark", ["context", "annotation"])
def test_fasting_is_what_the_patient_marked(mark: str) -> None:
    reading = glucose("120", annotations=("fasting",) if mark == "annotation" else ())
    if mark == "context":
        reading = replace(reading, context={"meal": "fasting"})
    assert glucose_windows(dated(reading, glucose("99")), UTC)[Unit.MG_DL].fasting.tolist() == [True, False]


# The patient's day begins at 04:00 by the patient's own clock.
@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 3, 2, 3, 59, 59, tzinfo=BERLIN), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 4, 0, tzinfo=BERLIN), date(2026, 3, 2)),
        (datetime(2026, 3, 3, 0, 30, tzinfo=BERLIN), date(2026, 3, 2)),
        # The clocks go forward at 02:00 and back at 03:00.
        (datetime(2026, 3, 29, 3, 59, tzinfo=BERLIN), date(2026, 3, 28)),
        (datetime(2026, 3, 29, 4, 0, tzinfo=BERLIN), date(2026, 3, 29)),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0), date(2026, 10, 24)),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), date(2026, 10, 24)),
        (datetime(2026, 10, 25, 4, 0, tzinfo=BERLIN), date(2026, 10, 25)),
    ],
)
def test_a_reading_belongs_to_the_patients_own_day(at: datetime, day: date) -> None:
    window = pressures([(at.astimezone(UTC), 130, 80)], zone=BERLIN)
    assert days(window.local)[0].item() == day
    assert len(window.of_days(day, day)) == 1
    assert len(window.of_days(day + timedelta(days=1), day + timedelta(days=2))) == 0


def test_between_has_its_start_and_not_its_end() -> None:
    window = pressures([(START + timedelta(hours=n), 130 + n, 80) for n in range(3)])
    assert window.between(START, START + timedelta(hours=2)).systolic.tolist() == [130.0, 131.0]


def test_a_time_comes_back_from_a_column_as_it_went_in() -> None:
    at = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=BERLIN)
    assert aware(instant(at)) == at
