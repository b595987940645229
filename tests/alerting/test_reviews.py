"""What a doctor compares: weeks, equal spans around a change, hours of the day, low weeks, an irregular pulse."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from alerting.averages import evening_average, home_average, morning_average
from alerting.limits import Measure
from alerting.reviews import (
    Counted,
    IrregularPulse,
    Middle,
    Span,
    average_of,
    by_hour,
    counted,
    difference,
    either_side,
    irregular_pulse_count,
    low_weeks,
    weeks_before,
)
from device_drivers.nomenclature import Unit
from tests.alerting.made import HI, LO, START, glucoses, pressures, protocol_week

LAST = date(2026, 3, 8)


def test_weeks_follow_each_other_without_a_gap_and_the_newest_ends_with_the_last_day() -> None:
    assert weeks_before(LAST, 2) == (
        Span(first=date(2026, 2, 23), last=date(2026, 3, 1)),
        Span(first=date(2026, 3, 2), last=LAST),
    )


def test_the_spans_around_a_change_are_equal_and_leave_its_day_out_of_the_past() -> None:
    spans = either_side(date(2026, 3, 1), date(2026, 3, 15), 14, date(2026, 4, 30))
    assert spans == (
        Span(first=date(2026, 2, 15), last=date(2026, 2, 28)),
        Span(first=date(2026, 3, 15), last=date(2026, 3, 28)),
    )


def test_a_span_that_is_not_over_shortens_both() -> None:
    spans = either_side(date(2026, 3, 1), date(2026, 3, 1), 28, date(2026, 3, 5))
    assert spans is not None
    assert [span.days for span in spans] == [5, 5]


def test_there_is_nothing_to_compare_before_the_time_after_begins() -> None:
    assert either_side(date(2026, 3, 1), date(2026, 3, 15), 14, date(2026, 3, 14)) is None


def test_the_time_after_a_change_does_not_begin_before_it() -> None:
    with pytest.raises(ValueError, match="before it"):
        either_side(date(2026, 3, 2), date(2026, 3, 1), 14, LAST)


def test_an_average_of_a_longer_span_leaves_its_first_day_out_and_asks_for_as_much_as_a_week() -> None:
    window = pressures(protocol_week(140, 90, days=14))
    found = average_of(window, Span(first=START.date(), last=START.date() + timedelta(days=13)))
    assert (found.sufficiency.readings, found.sufficiency.days, found.left_out_day) == (52, 13, START.date())
    assert found.figures[Measure.SYSTOLIC] == Decimal("140")
    assert (found.sufficiency.needed_readings, found.sufficiency.needed_days) == (12, 3)


def test_mornings_and_evenings_of_an_average_are_counted_without_the_day_that_is_left_out() -> None:
    window = pressures(protocol_week(140, 90))
    assert counted(window, home_average(window, LAST)) == Counted(mornings=12, evenings=12)


def test_an_empty_week_counts_nothing() -> None:
    window = pressures(protocol_week(140, 90))
    assert counted(window, home_average(window, LAST + timedelta(days=30))) == Counted(mornings=0, evenings=0)


def test_morning_minus_evening_needs_both() -> None:
    window = pressures(protocol_week(150, 90, evening=(135, 80)))
    morning, evening = morning_average(window, LAST), evening_average(window, LAST)
    assert difference(morning, evening, Measure.SYSTOLIC) == Decimal("15")
    lacking = evening_average(window, LAST + timedelta(days=30))
    assert difference(morning, lacking, Measure.SYSTOLIC) is None


def test_an_irregular_pulse_while_moving_does_not_count() -> None:
    rows = [(START + timedelta(minutes=m), 130.0, 80.0) for m in (0, 1, 2, 60, 61)]
    window = pressures(rows, irregular=[True, True, False, True, True], moved=[False, False, False, True, True])
    assert irregular_pulse_count(window) == IrregularPulse(
        readings=5, irregular=2, moved=2, sessions=2, irregular_sessions=1
    )


def test_an_hour_is_the_patients_own_and_leaves_hi_and_lo_out() -> None:
    rows = [(START + timedelta(minutes=n), value) for n, value in enumerate((100.0, 120.0, 180.0, HI, LO))]
    there = glucoses(rows, zone=ZoneInfo("Europe/Copenhagen"))  # an hour ahead of UTC in March
    assert by_hour(there.local, there.values, Unit.MG_DL) == {
        9: Middle(readings=3, median=Decimal("120"), least=Decimal("100"), most=Decimal("180"))
    }
    assert by_hour(there.local[:0], there.values[:0], Unit.MG_DL) == {}


@pytest.mark.parametrize(("unit", "values"), [(Unit.MG_DL, (53, 69, 70, 54)), (Unit.MMOL_L, (2.9, 3.8, 3.9, 3.0))])
def test_low_values_within_half_an_hour_are_one_occurrence_and_the_bounds_are_not_low(
    unit: Unit, values: tuple[float, ...]
) -> None:
    minutes = (0, 20, 40, 300)
    rows = [(START + timedelta(minutes=m), float(v)) for m, v in zip(minutes, values, strict=True)]
    [week] = low_weeks(glucoses(rows, unit=unit), weeks_before(LAST, 1))
    assert (week.low, week.very_low, week.points.points) == (2, 1, 4)


def test_a_week_without_readings_has_no_points() -> None:
    [week] = low_weeks(glucoses([(START, 60.0)], zone=UTC), weeks_before(LAST + timedelta(days=7), 1))
    assert (week.low, week.points.points) == (0, 0)
