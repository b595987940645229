"""722 averages: sufficiency on, under and over; the first day left out; mornings, evenings, and rises."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from alerting.averages import (
    HomeAverage,
    averages_above,
    difference_above,
    evening_average,
    home_average,
    is_evening,
    is_morning,
    morning_average,
    morning_dominant,
    sustained_above,
)
from alerting.limits import Measure
from alerting.regimes import AHA_2025, ESC_2024, Figure, Regime
from device_drivers.nomenclature import Unit
from tests.alerting.made import HI, START, limit, pressures, protocol_week

SYSTOLIC, DIASTOLIC = Measure.SYSTOLIC, Measure.DIASTOLIC
FIRST = date(2026, 3, 2)
LAST = date(2026, 3, 8)


def week_of(
    systolic: float, diastolic: float = 75, *, unit: Unit = Unit.MM_HG, evening: tuple[float, float] | None = None
) -> HomeAverage:
    """The home average of a whole 722 week."""
    return home_average(pressures(protocol_week(systolic, diastolic, evening=evening), unit=unit), LAST)


def test_a_whole_week_averages_24_readings_of_six_days() -> None:
    rows = [(at, 200.0 if at.date() == FIRST else 130.0, 80.0) for at, _, _ in protocol_week(0, 0)]
    found = home_average(pressures(rows), LAST)
    assert found.figures == {SYSTOLIC: Decimal("130"), DIASTOLIC: Decimal("80"), Measure.PULSE: Decimal("70")}
    assert (found.sufficiency.readings, found.sufficiency.days, found.left_out_day) == (24, 6, FIRST)


# At least 12 readings on 3 days remain after the first day (AHA home measurement; CHEP 2017).
@pytest.mark.parametrize(
    ("a_day", "days", "readings", "enough"),
    [(4, 3, 8, False), (4, 4, 12, True), (4, 5, 16, True), (6, 3, 12, False), (2, 7, 12, True), (2, 6, 10, False)],
)
def test_there_is_no_average_without_12_readings_on_3_days(a_day: int, days: int, readings: int, enough: bool) -> None:
    rows = [(START + timedelta(days=d, minutes=20 * n), 130.0, 80.0) for d in range(days) for n in range(a_day)]
    found = home_average(pressures(rows), LAST)
    assert found.sufficiency.readings == readings
    assert found.sufficiency.enough is enough
    assert bool(found.figures) is enough


def test_eleven_readings_are_too_few() -> None:
    rows = [(START + timedelta(days=1 + n // 4, minutes=20 * (n % 4)), 130.0, 80.0) for n in range(11)]
    first_day = [(START, 130.0, 80.0)]
    assert not home_average(pressures(first_day + rows), LAST).sufficiency.enough


def test_the_window_is_seven_days_and_what_lies_outside_does_not_count() -> None:
    rows = [
        *protocol_week(200, 120, start=START - timedelta(days=3), days=3),
        *protocol_week(130, 80),
        *protocol_week(200, 120, start=START + timedelta(days=7), days=1),
    ]
    assert home_average(pressures(rows), LAST).figures[SYSTOLIC] == Decimal("130")


@pytest.mark.parametrize(
    ("regime", "systolic", "diastolic", "unit", "expected"),
    [
        (AHA_2025, 129.9, 70, Unit.MM_HG, set()), (AHA_2025, 130, 70, Unit.MM_HG, {SYSTOLIC}),
        (AHA_2025, 130.1, 70, Unit.MM_HG, {SYSTOLIC}), (AHA_2025, 120, 79.9, Unit.MM_HG, set()),
        (AHA_2025, 120, 80, Unit.MM_HG, {DIASTOLIC}), (AHA_2025, 120, 80.1, Unit.MM_HG, {DIASTOLIC}),
        (AHA_2025, 17.29, 9, Unit.KPA, set()), (AHA_2025, 17.3, 9, Unit.KPA, {SYSTOLIC}),
        (ESC_2024, 134.9, 70, Unit.MM_HG, set()), (ESC_2024, 135, 70, Unit.MM_HG, {SYSTOLIC}),
        (ESC_2024, 135.1, 70, Unit.MM_HG, {SYSTOLIC}), (ESC_2024, 120, 84.9, Unit.MM_HG, set()),
        (ESC_2024, 120, 85, Unit.MM_HG, {DIASTOLIC}), (ESC_2024, 120, 85.1, Unit.MM_HG, {DIASTOLIC}),
        (ESC_2024, 17.99, 9, Unit.KPA, set()), (ESC_2024, 18.0, 9, Unit.KPA, {SYSTOLIC}),
        (ESC_2024, 15, 11.29, Unit.KPA, set()), (ESC_2024, 15, 11.3, Unit.KPA, {DIASTOLIC}),
    ],
)  # fmt: skip
def test_a_home_average_meets_the_limit_of_its_regime(
    regime: Regime, systolic: float, diastolic: float, unit: Unit, expected: set[Measure]
) -> None:
    found = averages_above(week_of(systolic, diastolic, unit=unit), regime.limits, Figure.HOME_AVERAGE)
    assert {reason.limit.measure for reason in found} == expected
    assert all(reason.sufficiency is not None and reason.sufficiency.enough for reason in found)


def test_an_insufficient_average_is_beyond_nothing() -> None:
    few = home_average(pressures(protocol_week(190, 120, days=2)), LAST)
    assert averages_above(few, AHA_2025.limits, Figure.HOME_AVERAGE) == ()


def test_off_scale_readings_are_left_out_and_counted() -> None:
    rows = protocol_week(130, 80)
    rows[5] = (rows[5][0], HI, 80.0)
    found = home_average(pressures(rows), LAST)
    assert found.figures[SYSTOLIC] == Decimal("130")
    assert (found.sufficiency.readings, found.sufficiency.off_scale) == (23, 1)


# Morning until noon, evening from 17:00 by the patient's clock: a proposal of this project.
@pytest.mark.parametrize(
    ("clock", "morning", "evening"),
    [
        ((3, 59), False, True), ((4, 0), True, False), ((11, 59), True, False), ((12, 0), False, False),
        ((16, 59), False, False), ((17, 0), False, True), ((23, 59), False, True), ((0, 30), False, True),
    ],
)  # fmt: skip
def test_mornings_and_evenings_are_the_patients(clock: tuple[int, int], morning: bool, evening: bool) -> None:
    zone = ZoneInfo("America/St_Johns")
    at = datetime(2026, 3, 9, *clock, tzinfo=zone).astimezone(UTC)
    local = pressures([(at, 130, 80)], zone=zone).local
    assert (bool(is_morning(local)[0]), bool(is_evening(local)[0])) == (morning, evening)


# HOPE Asia 2022: at least 5 days and 10 readings.
@pytest.mark.parametrize(
    ("days", "a_morning", "enough"), [(5, 2, True), (6, 2, True), (4, 3, False), (5, 1, False), (7, 1, False)]
)
def test_a_morning_average_needs_ten_readings_on_five_days(days: int, a_morning: int, enough: bool) -> None:
    rows = [(START + timedelta(days=d, minutes=n), 140.0, 80.0) for d in range(days) for n in range(a_morning)]
    found = morning_average(pressures(rows), LAST)
    assert found.sufficiency.enough is enough


@pytest.mark.parametrize(
    ("systolic", "diastolic", "unit", "expected"),
    [
        (134.9, 70, Unit.MM_HG, 0), (135, 70, Unit.MM_HG, 1), (135.1, 70, Unit.MM_HG, 1), (120, 84.9, Unit.MM_HG, 0),
        (120, 85, Unit.MM_HG, 1), (17.99, 9, Unit.KPA, 0), (18.0, 9, Unit.KPA, 1), (15, 11.3, Unit.KPA, 1),
    ],
)  # fmt: skip
def test_morning_hypertension_looks_at_mornings_only(
    systolic: float, diastolic: float, unit: Unit, expected: int
) -> None:
    low = (110.0, 60.0) if unit is Unit.MM_HG else (14.0, 8.0)
    window = pressures(protocol_week(systolic, diastolic, evening=low), unit=unit)
    found = averages_above(morning_average(window, LAST), ESC_2024.limits, Figure.MORNING_AVERAGE)
    assert len(found) == expected


@pytest.mark.parametrize(
    ("morning", "evening", "raised"),
    [
        (145, 130.1, False), (145, 130, True), (145, 129.9, True),  # 14.9, 15 and 15.1 apart
        (142, 127.9, False),  # 14.1 apart
        (142.4, 127.4, False), (142.5, 127.5, True), (142.6, 127.6, True),  # their mean 134.9, 135 and 135.1
    ],
)  # fmt: skip
def test_a_morning_is_dominant_from_15_above_the_evening_where_both_average_135(
    morning: float, evening: float, raised: bool
) -> None:
    window = pressures(protocol_week(morning, 80, evening=(evening, 80)))
    found = morning_dominant(
        morning_average(window, LAST),
        evening_average(window, LAST),
        limit("esc2024", "morning_dominant_systolic"),
        limit("esc2024", "home_average_systolic"),
    )
    assert (found is not None) is raised


# A proposal of this project: 10 mm[Hg] more than in the week before.
@pytest.mark.parametrize(
    ("before", "now", "unit", "raised"),
    [
        (120, 129.9, Unit.MM_HG, False), (120, 130, Unit.MM_HG, True), (120, 130.1, Unit.MM_HG, True),
        (16.0, 17.29, Unit.KPA, False), (16.0, 17.3, Unit.KPA, True), (16.0, 17.31, Unit.KPA, True),
    ],
)  # fmt: skip
def test_a_rise_from_week_to_week(before: float, now: float, unit: Unit, raised: bool) -> None:
    low = 9.0 if unit is Unit.KPA else 75.0
    rows = protocol_week(before, low, start=START - timedelta(days=7)) + protocol_week(now, low)
    window = pressures(rows, unit=unit)
    rise = limit("esc2024", "weekly_rise_systolic")
    found = difference_above(home_average(window, LAST), home_average(window, LAST - timedelta(days=7)), rise)
    assert (found is not None) is raised


def test_a_rise_needs_both_weeks() -> None:
    window = pressures(protocol_week(100, 60, start=START - timedelta(days=7), days=2) + protocol_week(160, 90))
    rise = limit("esc2024", "weekly_rise_systolic")
    now, before = home_average(window, LAST), home_average(window, LAST - timedelta(days=7))
    assert now.sufficiency.enough
    assert not before.sufficiency.enough
    assert difference_above(now, before, rise) is None


def test_two_weeks_running_are_sustained_and_one_is_not() -> None:
    high = limit("esc2024", "home_average_systolic")
    assert sustained_above([week_of(134), week_of(136)], high) is None
    found = sustained_above([week_of(120), week_of(136), week_of(137)], high)
    assert found is not None
    assert len(found.weeks) == 2
    assert sustained_above([week_of(137)], high) is None
