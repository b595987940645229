"""The order of the rules: what is found at once, what waits for an answer, what is late, and what raises nothing."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from alerting.pipeline import (
    IRREGULAR_PULSE,
    LATE_AFTER,
    Assessment,
    cleared,
    daily_glucose,
    daily_pressure,
    on_glucose,
    on_reading,
    on_session,
    on_timer,
    quantities,
)
from alerting.reasons import Answer, DifferenceReason, LateReason, LimitReason, SustainedReason
from alerting.regimes import ADA, AHA_2025, ESC_2024, PREGNANCY, Regime, of_programme
from alerting.remeasure import Answering
from alerting.sessions import MeasurementSession, sessions
from alerting.tiers import Tier
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState, Reading, Sample
from tests.alerting.made import START, glucoses, pressures, protocol_week, quantity
from tests.cloud.made import glucose, ketone, pressure

BOTH = of_programme("esc2024", "ada")
LAST = date(2026, 3, 8)


def read(reading: Reading, *, age: timedelta = timedelta(seconds=30)) -> Assessment:
    """This reading, made at START."""
    return on_reading(quantities(reading), BOTH.limits, START, START + age)


def found(assessment: Assessment) -> list[tuple[str, Tier]]:
    """Conditions with their tiers."""
    return [(finding.condition, finding.tier) for finding in assessment.findings]


def waiting(assessment: Assessment) -> list[str]:
    """Conditions whose timers run."""
    return [timer.limit.condition for timer in assessment.timers]


@pytest.mark.parametrize(
    ("reading", "at_once", "timers"),
    [
        (glucose("53"), [("hypoglycaemia_level_2", Tier.URGENT)], ["hypoglycaemia_level_2"]),
        (glucose("54"), [], ["hypoglycaemia_level_1"]),
        (glucose("70"), [], []),
        (glucose("300"), [], []),
        (glucose("301"), [], ["hyperglycaemia_urgent"]),
        (glucose("600"), [("hyperglycaemia_extreme", Tier.URGENT)], []),
        (glucose("2.9", unit=Unit.MMOL_L), [("hypoglycaemia_level_2", Tier.URGENT)], ["hypoglycaemia_level_2"]),
        (glucose("16.8", unit=Unit.MMOL_L), [], ["hyperglycaemia_urgent"]),
        (glucose(None, state=QuantityState.ABOVE_RANGE), [("hyperglycaemia_extreme", Tier.URGENT)], []),
        (
            glucose(None, state=QuantityState.BELOW_RANGE),
            [("hypoglycaemia_level_2", Tier.URGENT)],
            ["hypoglycaemia_level_2"],
        ),
        (glucose(None, state=QuantityState.NOT_A_NUMBER), [], []),
        (ketone("3.1"), [("ketones_very_high", Tier.URGENT)], []),
        (ketone("1.6"), [("ketones_high", Tier.SAME_SHIFT)], []),
        (ketone("1.5"), [], []),
        (pressure("180", "90"), [], ["severe_hypertension_systolic"]),
        (pressure("179", "120"), [], ["severe_hypertension_diastolic"]),
        (pressure("179", "119"), [], []),
        (pressure("24.0", "12.0", unit=Unit.KPA), [], ["severe_hypertension_systolic"]),
        (pressure("79", "50"), [], ["severe_hypotension_systolic"]),
        (pressure("89", "50"), [], ["hypotension_systolic"]),
        (pressure("120", "80", pulse="39"), [], ["bradycardia"]),
        (pressure("120", "80", pulse="111"), [], ["tachycardia"]),
        # Above the session's limit: that is for the session, not for one reading.
        (pressure("170", "90"), [], []),
    ],
)
def test_a_reading_raises_at_once_or_waits_for_an_answer(
    reading: Reading, at_once: list[tuple[str, Tier]], timers: list[str]
) -> None:
    assessed = read(reading)
    assert found(assessed) == at_once
    assert waiting(assessed) == timers


@pytest.mark.parametrize("sample", [Sample.CONTROL_SOLUTION, Sample.TEST])
@pytest.mark.parametrize("value", ["20", "53", "601"])
def test_control_solution_and_test_readings_raise_nothing(sample: Sample, value: str) -> None:
    assert read(glucose(value, sample=sample)) == Assessment()


@pytest.mark.parametrize(
    ("age", "tier", "timers"),
    [
        (LATE_AFTER - timedelta(seconds=1), Tier.URGENT, 1),
        (LATE_AFTER, Tier.URGENT, 1),
        (LATE_AFTER + timedelta(seconds=1), Tier.RETROSPECTIVE, 0),
    ],
)
def test_a_late_reading_is_an_item_in_retrospect_and_starts_no_timer(age: timedelta, tier: Tier, timers: int) -> None:
    assessed = read(glucose("50"), age=age)
    assert found(assessed) == [("hypoglycaemia_level_2", tier)]
    assert len(assessed.timers) == timers
    assert isinstance(assessed.findings[0].reason, LateReason) is (tier is Tier.RETROSPECTIVE)


def test_a_late_reading_that_would_not_have_mattered_is_nothing() -> None:
    assert read(glucose("100"), age=timedelta(days=2)) == Assessment()


def test_the_age_from_which_a_reading_is_late_is_configured() -> None:
    assessed = on_reading(
        quantities(glucose("50")), ADA.limits, START, START + timedelta(hours=2), late_after=timedelta(hours=1)
    )
    assert found(assessed) == [("hypoglycaemia_level_2", Tier.RETROSPECTIVE)]


def test_a_timer_becomes_a_finding_or_may_be_closed() -> None:
    [timer] = read(pressure("190", "100")).timers
    again = [Answering(figure=quantity("186", Unit.MM_HG), at=START + timedelta(minutes=3))]
    answer, finding = on_timer(timer, again, START + timedelta(minutes=3))
    assert answer is Answer.CONFIRMED
    assert finding is not None
    assert (finding.condition, finding.tier, finding.at) == ("severe_hypertension_systolic", Tier.URGENT, START)

    calm = [replace(again[0], figure=quantity("140", Unit.MM_HG))]
    assert on_timer(timer, calm, timer.due) == (Answer.CLEARED, None)
    reason = cleared(timer, calm, timer.due)
    assert reason is not None
    assert reason.answer is Answer.CLEARED
    assert cleared(timer, again, timer.due) is None
    assert cleared(timer, [], timer.due) is None
    assert on_timer(timer, calm, timer.due - timedelta(seconds=1)) == (Answer.WAITING, None)


def one_session(
    *systolic: float, unit: Unit = Unit.MM_HG, minutes: int = 0, diastolic: float = 80
) -> MeasurementSession:
    """One reading a minute, so many minutes after START."""
    start = START + timedelta(minutes=minutes)
    rows = [(start + timedelta(minutes=n), value, diastolic) for n, value in enumerate(systolic)]
    [(session, _)] = sessions(pressures(rows, unit=unit))
    return session


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ((160, 160), Unit.MM_HG, []),
        ((160, 161), Unit.MM_HG, ["hypertension_systolic"]),
        ((179, 160, 160), Unit.MM_HG, []),
        ((21.3, 21.3), Unit.KPA, []),
        ((21.3, 21.4), Unit.KPA, ["hypertension_systolic"]),
    ],
)
def test_a_session_is_judged_by_its_mean_and_waits_for_the_next(
    values: tuple[float, ...], unit: Unit, expected: list[str]
) -> None:
    diastolic = 80.0 if unit is Unit.MM_HG else 10.0
    session = one_session(*values, unit=unit, diastolic=diastolic)
    assessed = on_session(session, None, ESC_2024.limits, session.closes_at)
    assert (found(assessed), waiting(assessed)) == ([], expected)


# van den Heuvel: orange above 140/90, a rise of more than 20.
@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (110, 130, []),
        (110, 130.1, [("pregnancy_rise_systolic", Tier.URGENT)]),
        (130, 140, []),
        (130, 140.1, [("pregnancy_orange_systolic", Tier.SAME_SHIFT)]),
    ],
)
def test_a_session_of_pregnancy_rises_or_is_orange(before: float, now: float, expected: list[object]) -> None:
    first, second = one_session(before), one_session(now, minutes=600)
    assessed = on_session(second, first, PREGNANCY.limits, second.closes_at)
    assert found(assessed) == expected
    if expected and expected[0] == ("pregnancy_rise_systolic", Tier.URGENT):
        assert isinstance(assessed.findings[0].reason, DifferenceReason)


def test_only_the_gravest_of_a_measure_and_direction_is_raised() -> None:
    assert waiting(on_reading(quantities(pressure("70", "50")), AHA_2025.limits, START, START)) == [
        "severe_hypotension_systolic"
    ]


def test_what_repeats_within_a_day_is_found_with_the_reading_that_repeats_it() -> None:
    window = glucoses([(START, 260.0), (START + timedelta(hours=6), 255.0)])
    [finding] = on_glucose(window, ADA.limits, START + timedelta(hours=6))
    assert (finding.condition, finding.tier) == ("hyperglycaemia", Tier.SAME_SHIFT)


@pytest.mark.parametrize(
    ("regime", "systolic", "expected"),
    [
        (AHA_2025, 129.9, []),
        (AHA_2025, 130, ["home_average_systolic"]),
        (ESC_2024, 134.9, []),
        (ESC_2024, 135, ["home_average_systolic", "morning_hypertension_systolic"]),
    ],
)
def test_a_day_that_is_over_has_averages_as_routine(regime: Regime, systolic: float, expected: list[str]) -> None:
    window = pressures(protocol_week(systolic, 70))
    findings = daily_pressure(window, regime.limits, LAST, START + timedelta(days=7))
    assert [finding.condition for finding in findings] == expected
    assert {finding.tier for finding in findings} <= {Tier.ROUTINE}


def test_a_day_that_is_over_has_rises_mornings_and_rhythm() -> None:
    rows = protocol_week(112, 70, start=START - timedelta(days=7)) + protocol_week(150, 70, evening=(128, 70))
    window = pressures(rows, irregular=[n % 2 < 2 for n in range(len(rows))])
    findings = daily_pressure(window, ESC_2024.limits, LAST, START + timedelta(days=7))
    assert {finding.condition for finding in findings} == {
        "home_average_systolic",
        "weekly_rise_systolic",
        "morning_hypertension_systolic",
        "morning_dominant_systolic",
        IRREGULAR_PULSE,
    }


def test_a_day_without_readings_has_nothing() -> None:
    assert daily_pressure(pressures([]), ESC_2024.limits, LAST, START) == ()
    assert daily_glucose(glucoses([]), ADA.limits, START) == ()


def test_glucose_of_two_weeks_has_a_risk_index_and_a_fasting_mean() -> None:
    rows = [(START + timedelta(hours=12 * n), 65.0 if n % 2 else 190.0) for n in range(28)]
    window = glucoses(rows, fasting=[n % 2 == 0 for n in range(28)])
    findings = daily_glucose(window, ADA.limits, rows[-1][0])
    assert [finding.condition for finding in findings] == ["fasting_mean_high", "hypoglycaemia_risk"]


def test_the_same_input_gives_the_same_output() -> None:
    assert read(glucose("50")) == read(glucose("50"))
    [one], [other] = (read(pressure("190", "90")).timers for _ in range(2))
    assert one == other
    assert isinstance(one.first, LimitReason)


def test_an_average_that_was_high_the_week_before_is_sustained() -> None:
    rows = protocol_week(140, 70, start=START - timedelta(days=7)) + protocol_week(140, 70)
    first, *_ = daily_pressure(pressures(rows), ESC_2024.limits, LAST, START + timedelta(days=7))
    assert isinstance(first.reason, SustainedReason)
    assert (first.condition, len(first.reason.weeks)) == ("home_average_systolic", 2)
