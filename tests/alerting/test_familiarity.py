"""Whose a blood pressure looks like: on the edge, just under it and just over it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.familiarity import LAST, NEEDED, WITHIN, Pair, unfamiliar
from alerting.limits import Measure
from alerting.reasons import HeldReason, LimitReason, UnfamiliarReason
from alerting.red_flags import measures_of
from alerting.regimes import ESC_2024
from alerting.sentences import sentence
from cloud.alerts.reasons import from_json, to_json
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity
from tests.cloud.made import NOW


def pair(systolic: str, diastolic: str = "80", *, days: float = 0, unit: Unit = Unit.MM_HG) -> Pair:
    """Measured so many days ago."""
    return Pair(at=NOW - timedelta(days=days), unit=unit, systolic=Decimal(systolic), diastolic=Decimal(diastolic))


def steady(count: int = LAST, systolic: str = "125", diastolic: str = "80", unit: Unit = Unit.MM_HG) -> list[Pair]:
    """The same twice a day."""
    return [pair(systolic, diastolic, days=(n + 1) / 2, unit=unit) for n in range(count)]


def asked(own: list[Pair], new: Pair) -> UnfamiliarReason | None:
    [reason] = unfamiliar(own, [new])
    return reason


@pytest.mark.parametrize(
    ("systolic", "diastolic", "measure"),
    [
        ("154", "80", None),
        ("155", "80", Measure.SYSTOLIC),
        ("156", "80", Measure.SYSTOLIC),
        ("96", "80", None),
        ("95", "80", Measure.SYSTOLIC),
        ("94", "80", Measure.SYSTOLIC),
        ("125", "99", None),
        ("125", "100", Measure.DIASTOLIC),
        ("125", "101", Measure.DIASTOLIC),
        ("125", "61", None),
        ("125", "60", Measure.DIASTOLIC),
        ("155", "101", Measure.DIASTOLIC),  # 21 of 20 is further than 30 of 30
    ],
)
def test_thirty_above_or_below_the_usual_is_asked_about_and_twenty_of_the_diastolic(
    systolic: str, diastolic: str, measure: Measure | None
) -> None:
    reason = asked(steady(), pair(systolic, diastolic))
    assert (reason.measure if reason else None) is measure


@pytest.mark.parametrize(("systolic", "held"), [("20.6", False), ("20.7", True), ("20.8", True), ("12.7", True)])
def test_a_cuff_that_shows_kilopascals_is_asked_about_from_four_on(systolic: str, held: bool) -> None:
    own = steady(systolic="16.7", diastolic="10.7", unit=Unit.KPA)
    assert (asked(own, pair(systolic, "10.7", unit=Unit.KPA)) is not None) is held


@pytest.mark.parametrize(("count", "held"), [(0, False), (NEEDED - 1, False), (NEEDED, True), (NEEDED + 1, True)])
def test_with_too_few_readings_of_their_own_nobody_is_asked(count: int, held: bool) -> None:
    assert (asked(steady(count), pair("182", "105")) is not None) is held


def test_what_is_older_than_two_months_or_newer_than_the_reading_is_no_history() -> None:
    old = [pair("125", days=WITHIN.days + 1 + n) for n in range(LAST)]
    newer = [pair("125", days=-n - 1) for n in range(LAST)]
    assert asked([*old, *newer], pair("182")) is None


def test_a_reading_in_another_unit_says_nothing() -> None:
    assert asked(steady(unit=Unit.KPA), pair("182")) is None


@pytest.mark.parametrize(("systolic", "held"), [("184", False), ("185", True)])
def test_whoever_varies_much_is_asked_later(systolic: str, held: bool) -> None:
    # Median 125, every reading 10 away from it: 4 times 1.4826 times 10 is 59.3.
    own = [pair("115" if n % 2 else "135", days=n + 1) for n in range(LAST)]
    reason = asked(own, pair(systolic))
    assert (reason is not None) is held
    if reason:
        assert (reason.usual, reason.far, reason.difference) == (Decimal(125), Decimal("59.3"), Decimal(60))


def test_one_odd_reading_in_the_history_does_not_make_the_next_one_familiar() -> None:
    assert asked([*steady(), pair("190", days=0.1)], pair("182")) is not None


def test_only_the_last_twenty_count() -> None:
    risen = [pair("165", days=n + 1) for n in range(LAST)] + [pair("125", days=LAST + n + 1) for n in range(LAST)]
    assert asked(risen, pair("165")) is None
    assert asked(risen, pair("125")) is not None


def test_what_was_asked_about_is_no_history_for_the_next() -> None:
    new = [pair("185", days=0.5 - n / 100) for n in range(30)]
    assert all(unfamiliar(steady(), new))


figures = st.integers(90, 200).map(str)


@given(st.lists(st.tuples(figures, st.floats(0, 70)), max_size=60, unique_by=lambda drawn: drawn[1]), st.data())
def test_it_does_not_matter_in_how_many_pieces_a_memory_arrives(
    drawn: list[tuple[str, float]], data: st.DataObject
) -> None:
    memory = sorted((pair(value, days=days) for value, days in drawn), key=lambda each: each.at)
    cut = data.draw(st.integers(0, len(memory)))
    whole = unfamiliar([], memory)
    first = unfamiliar([], memory[:cut])
    kept = [each for each, reason in zip(memory[:cut], first, strict=True) if reason is None]
    assert [*first, *unfamiliar(kept, memory[cut:])] == whole


def test_the_question_and_a_finding_with_it_can_be_read_and_written_down() -> None:
    doubt = asked(steady(), pair("182", "105"))
    assert doubt is not None
    assert sentence(doubt).startswith(
        "Systolic pressure 182 mmHg is 57 mmHg away from the usual 125 mmHg (20 readings within 60 days); from 30 mmHg"
        " on we ask whose it is (set by wrong-person rule: proposal of this project"
    )
    limit = next(each for each in ESC_2024.limits if each.condition == "severe_hypertension_systolic")
    held = HeldReason(finding=LimitReason(figure=Quantity(Decimal(182), Unit.MM_HG), limit=limit), doubt=doubt)
    assert "Was it the patient? Others use this device" in sentence(held)
    assert from_json(to_json(held)) == held
    assert measures_of(held) == measures_of(doubt) == {Measure.SYSTOLIC}
