"""Sessions: 10 minutes on, under and over; one device; the mean as the protocol says; HI and LO."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.limits import Measure
from alerting.sessions import session_places, sessions
from alerting.windows import PressureWindow
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity, QuantityState
from tests.alerting.made import HI, LO, START, pressures

SYSTOLIC, DIASTOLIC = Measure.SYSTOLIC, Measure.DIASTOLIC


def sitting(*systolic: float, unit: Unit = Unit.MM_HG) -> PressureWindow:
    """So many readings, one a minute."""
    return pressures([(START + timedelta(minutes=n), value, value - 50) for n, value in enumerate(systolic)], unit=unit)


# Readings at most 10 minutes apart on one device: a proposal of this project.
@pytest.mark.parametrize(
    ("apart", "count"),
    [(timedelta(minutes=9, seconds=59), 1), (timedelta(minutes=10), 1), (timedelta(minutes=10, seconds=1), 2)],
)
def test_readings_up_to_ten_minutes_apart_are_one_session(apart: timedelta, count: int) -> None:
    window = pressures([(START, 130, 80), (START + apart, 132, 82)])
    assert len(list(sessions(window))) == count


def test_the_distance_is_to_the_reading_before_not_to_the_first() -> None:
    window = pressures([(START + timedelta(minutes=8 * n), 130, 80) for n in range(5)])
    assert [session.readings for session, _ in sessions(window)] == [5]


def test_two_cuffs_are_two_sessions_even_when_their_readings_alternate() -> None:
    rows = [(START + timedelta(minutes=n), 120 + n, 80) for n in range(4)]
    found = [(s.device, rows.systolic.tolist()) for s, rows in sessions(pressures(rows, devices=[7, 3, 7, 3]))]
    assert found == [(7, [120.0, 122.0]), (3, [121.0, 123.0])]


# The first of three or more is left out (a US family-medicine protocol); of two it is not.
@pytest.mark.parametrize(
    ("values", "unit", "mean", "used"),
    [
        ((150,), Unit.MM_HG, "150", 1),
        ((150, 140), Unit.MM_HG, "145", 2),
        ((150, 140, 138), Unit.MM_HG, "139", 2),
        ((150, 140, 138, 139), Unit.MM_HG, "139", 3),
        ((20.0, 17.9, 18.1), Unit.KPA, "18", 2),
    ],
)
def test_the_mean_leaves_the_first_of_three_out(values: tuple[float, ...], unit: Unit, mean: str, used: int) -> None:
    [(session, _)] = sessions(sitting(*values, unit=unit))
    assert session.figures[SYSTOLIC] == Quantity(Decimal(mean), unit)
    assert (session.readings, session.used) == (len(values), used)


@pytest.mark.parametrize(
    ("values", "state"), [((150, HI), QuantityState.ABOVE_RANGE), ((90, LO), QuantityState.BELOW_RANGE)]
)
def test_off_scale_speaks_for_the_session_and_is_never_averaged(values: tuple[float, float], state: object) -> None:
    [(session, _)] = sessions(sitting(*values))
    assert session.figures[SYSTOLIC].state is state
    assert session.figures[SYSTOLIC].value is None


def test_hi_beside_lo_says_nothing() -> None:
    [(session, _)] = sessions(sitting(HI, LO))
    assert SYSTOLIC not in session.figures


def test_a_failed_measurement_is_no_figure() -> None:
    [(session, _)] = sessions(sitting(float("nan"), 140))
    assert session.figures[SYSTOLIC].value == Decimal("140")
    [(failed, _)] = sessions(sitting(float("nan")))
    assert SYSTOLIC not in failed.figures


def test_a_session_is_final_when_nothing_can_join_it() -> None:
    [(session, _)] = sessions(sitting(150, 140))
    assert session.closes_at == START + timedelta(minutes=11)


def test_no_readings_are_no_sessions() -> None:
    assert list(sessions(pressures([]))) == []


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 2)), max_size=40))
def test_every_reading_is_in_exactly_one_session(rows: list[tuple[int, int]]) -> None:
    rows.sort()
    window = pressures([(START + timedelta(seconds=at), 130, 80) for at, _ in rows], devices=[d for _, d in rows])
    places = [int(place) for group in session_places(window) for place in group]
    assert sorted(places) == list(range(len(rows)))
    for group in session_places(window):
        assert len(set(window.devices[group].tolist())) == 1
