"""Measure again: the timer starts at once, and its window on, just under and just over."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.comparators import violates
from alerting.reasons import Answer, LimitReason
from alerting.regimes import RegimeLimit
from alerting.remeasure import Answering, Remeasure, judge, started
from alerting.tiers import Tier
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity, QuantityState
from tests.alerting.made import START, limit, quantity

CRISIS = limit("aha2025", "severe_hypertension_systolic")
LOW_2 = limit("ada", "hypoglycaemia_level_2")
LOW_1 = limit("ada", "hypoglycaemia_level_1")
URGENT_HIGH = limit("ada", "hyperglycaemia_urgent")


def timer(of: RegimeLimit = CRISIS, value: str = "190", unit: Unit = Unit.MM_HG) -> Remeasure:
    """Started by a reading at START."""
    found = started(LimitReason(figure=quantity(value, unit), limit=of), START, START)
    assert found is not None
    return found


def after(seconds: float, value: str, unit: Unit = Unit.MM_HG) -> Answering:
    """A later figure."""
    return Answering(figure=quantity(value, unit), at=START + timedelta(seconds=seconds))


DUE = timedelta(minutes=15)


def test_a_crisis_starts_its_timer_at_its_own_time() -> None:
    assert (timer().first_at, timer().earliest, timer().due) == (START, START + timedelta(minutes=1), START + DUE)


def test_a_limit_that_asks_for_nothing_starts_no_timer() -> None:
    extreme = limit("ada", "hyperglycaemia_extreme")
    assert started(LimitReason(figure=quantity("HI", Unit.MG_DL), limit=extreme), START, START) is None


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("179", Unit.MM_HG, Answer.CLEARED), ("180", Unit.MM_HG, Answer.CONFIRMED),
        ("181", Unit.MM_HG, Answer.CONFIRMED), ("23.9", Unit.KPA, Answer.CLEARED),
        ("24.0", Unit.KPA, Answer.CONFIRMED), ("HI", Unit.MM_HG, Answer.CONFIRMED), ("LO", Unit.MM_HG, Answer.CLEARED),
    ],
)  # fmt: skip
def test_the_answer_compares_in_its_own_unit(value: str, unit: Unit, expected: Answer) -> None:
    assert judge(timer(), [after(180, value, unit)], START + DUE).answer is expected


def test_one_answer_beyond_the_limit_confirms_before_the_timer_is_due() -> None:
    judged = judge(timer(), [after(120, "184")], START + timedelta(minutes=2))
    assert (judged.answer, judged.tier) == (Answer.CONFIRMED, Tier.URGENT)
    assert judged.reason.again == quantity("184", Unit.MM_HG)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (timedelta(minutes=14, seconds=59), Answer.WAITING),
        (timedelta(minutes=15), Answer.CLEARED),
        (timedelta(minutes=15, seconds=1), Answer.CLEARED),
    ],
)
def test_nothing_is_cleared_before_the_timer_is_due(at: timedelta, expected: Answer) -> None:
    judged = judge(timer(), [after(120, "150")], START + at)
    assert judged.answer is expected
    assert judged.tier is None


def test_a_third_reading_can_confirm_what_the_second_did_not() -> None:
    assert judge(timer(), [after(120, "170"), after(240, "184")], START + DUE).answer is Answer.CONFIRMED


@pytest.mark.parametrize(("seconds", "expected"), [(59, Answer.UNANSWERED), (60, Answer.CLEARED), (61, Answer.CLEARED)])
def test_a_harmless_answer_within_a_minute_clears_nothing(seconds: float, expected: Answer) -> None:
    assert judge(timer(), [after(seconds, "150")], START + DUE).answer is expected


def test_an_answer_within_a_minute_that_is_beyond_the_limit_confirms() -> None:
    assert judge(timer(), [after(30, "184")], START + DUE).answer is Answer.CONFIRMED


@pytest.mark.parametrize(
    ("seconds", "expected"), [(899, Answer.CLEARED), (900, Answer.CLEARED), (901, Answer.UNANSWERED)]
)
def test_what_is_measured_after_the_timer_is_no_answer(seconds: float, expected: Answer) -> None:
    assert judge(timer(), [after(seconds, "150")], START + timedelta(hours=1)).answer is expected


def test_nobody_measuring_again_is_never_forgotten() -> None:
    judged = judge(timer(), [], START + DUE)
    assert (judged.answer, judged.tier) == (Answer.UNANSWERED, Tier.URGENT)


def test_a_failed_measurement_is_no_answer() -> None:
    failed = Quantity(None, Unit.MM_HG, QuantityState.NOT_A_NUMBER)
    answering = Answering(figure=failed, at=START + timedelta(minutes=2))
    assert judge(timer(), [answering], START + DUE).answer is Answer.UNANSWERED


# ADA: test again 15 min after 15 g of carbohydrate. The windows are proposals.
@pytest.mark.parametrize(
    ("of", "first", "again", "unit", "expected", "tier"),
    [
        (LOW_2, "50", "53", Unit.MG_DL, Answer.CONFIRMED, Tier.EMERGENCY),
        (LOW_2, "50", "54", Unit.MG_DL, Answer.CLEARED, None),
        (LOW_2, "2.8", "2.9", Unit.MMOL_L, Answer.CONFIRMED, Tier.EMERGENCY),
        (LOW_2, "2.8", "3.0", Unit.MMOL_L, Answer.CLEARED, None),
        (LOW_1, "65", "69", Unit.MG_DL, Answer.CONFIRMED, Tier.SAME_SHIFT),
        (LOW_1, "65", "70", Unit.MG_DL, Answer.CLEARED, None),
        (LOW_1, "3.6", "3.8", Unit.MMOL_L, Answer.CONFIRMED, Tier.SAME_SHIFT),
        (LOW_1, "3.6", "3.9", Unit.MMOL_L, Answer.CLEARED, None),
        (URGENT_HIGH, "320", "301", Unit.MG_DL, Answer.CONFIRMED, Tier.URGENT),
        (URGENT_HIGH, "320", "300", Unit.MG_DL, Answer.CLEARED, None),
        (URGENT_HIGH, "17.8", "16.8", Unit.MMOL_L, Answer.CONFIRMED, Tier.URGENT),
        (URGENT_HIGH, "17.8", "16.7", Unit.MMOL_L, Answer.CLEARED, None),
    ],
)
def test_a_glucose_is_tested_again(
    of: RegimeLimit, first: str, again: str, unit: Unit, expected: Answer, tier: Tier | None
) -> None:
    running = timer(of, first, unit)
    judged = judge(running, [after(16 * 60, again, unit)], running.due)
    assert (judged.answer, judged.tier) == (expected, tier)


@pytest.mark.parametrize(
    ("of", "value", "minutes", "tier"),
    [(LOW_2, "50", 20, Tier.EMERGENCY), (LOW_1, "65", 30, Tier.SAME_SHIFT), (URGENT_HIGH, "320", 120, Tier.SAME_SHIFT)],
)
def test_a_glucose_that_nobody_tests_again_has_its_own_deadline(
    of: RegimeLimit, value: str, minutes: int, tier: Tier
) -> None:
    running = timer(of, value, Unit.MG_DL)
    assert running.due == START + timedelta(minutes=minutes)
    assert judge(running, [], running.due - timedelta(seconds=1)).answer is Answer.WAITING
    assert judge(running, [], running.due).tier is tier


FIGURES = st.one_of(st.integers(150, 210).map(str), st.sampled_from(["HI", "LO"]))


@given(st.lists(st.tuples(st.integers(1, 1200), FIGURES), max_size=8), st.integers(0, 1500))
def test_a_crisis_is_never_dropped(later: list[tuple[int, str]], seconds: int) -> None:
    """It waits, or it has a tier, or a harmless answer in time and no other is why it may be closed."""
    answers = [after(at, value) for at, value in sorted(later)]
    now = START + timedelta(seconds=seconds)
    judged = judge(timer(), answers, now)
    match judged.answer:
        case Answer.WAITING:
            assert now < timer().due
        case Answer.CLEARED:
            known = [a for a in answers if a.at <= timer().due]
            assert not any(violates(a.figure, CRISIS) for a in known)
            assert any(a.at >= timer().earliest for a in known)
            assert judged.reason.again is not None
        case Answer.CONFIRMED | Answer.UNANSWERED:
            assert judged.tier is Tier.URGENT


def test_a_timer_can_be_stored_and_taken_up_again() -> None:
    """The cloud keeps it in the database across restarts: what comes back judges as what went in."""
    running = timer(LOW_2, "LO", Unit.MMOL_L)
    again = msgspec.json.decode(msgspec.json.encode(running), type=Remeasure)
    assert again == running
    assert judge(again, [], again.due) == judge(running, [], running.due)


def test_a_timer_of_a_late_arrival_waits_for_an_answer_that_may_be_right_behind_it() -> None:
    first = LimitReason(figure=quantity("190", Unit.MM_HG), limit=CRISIS)
    late = started(first, START, START + timedelta(hours=2))
    assert late is not None
    assert late.due == START + timedelta(hours=2, minutes=5)
    answered = Answering(figure=quantity("150", Unit.MM_HG), at=START + timedelta(minutes=5))
    assert judge(late, [], START + timedelta(hours=2)).answer is Answer.WAITING
    assert judge(late, [answered], late.due).answer is Answer.CLEARED
